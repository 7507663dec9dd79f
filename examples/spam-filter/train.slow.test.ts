import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { classificationReport } from 'millrace/evaluation'
import { artefactBytes } from 'millrace/models'
import { streamedMails } from './mails.ts'
import { choice, spamFilter } from './train.ts'

const quiet = { progress() {} }

describe('example spam-filter: training', () => {
  it('has the settings that cross-validation chooses without looking ahead', async (t) => {
    const lines: string[] = []
    const [chosen, used] = await Promise.all([
      choice.train({ progress: (line) => lines.push(line) }),
      spamFilter.train(quiet),
    ])
    t.diagnostic(`${chosen.choice?.why}; ${chosen.seconds.toFixed(1)} s`)
    assert.deepEqual(used.candidate, chosen.candidate)
    assert.ok(chosen.choice!.tried.length > 15)
    assert.ok(lines.length > 20, 'says how it goes')
  })

  it('tells spam from ham in the mails that come after', async (t) => {
    const { classifier } = await spamFilter.train(quiet)
    const mails = streamedMails()
    const answers = classifier.predict(mails.map((mail) => mail.text))
    const report = classificationReport(
      mails.map((mail) => mail.label),
      answers.map(({ label }) => label),
    )
    const spam = report.labels.spam!
    t.diagnostic(JSON.stringify(report))
    assert.ok(report.accuracy >= 0.97, `accuracy ${report.accuracy}`)
    assert.ok(report.accuracy > report.majorityShare + 0.1)
    assert.ok(spam.recall >= 0.95, `recall ${spam.recall}`)
    assert.ok(spam.falsePositiveRate <= 0.03, `false positives ${spam.falsePositiveRate}`)
  })

  it('learns the same from the same mails', async () => {
    const [first, again] = [await spamFilter.train(quiet), await spamFilter.train(quiet)]
    assert.ok(artefactBytes(again.classifier).equals(artefactBytes(first.classifier)))
  })
})
