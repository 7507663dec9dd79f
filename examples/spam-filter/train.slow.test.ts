import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { classificationReport } from 'millrace/evaluation'
import { artefactBytes } from 'millrace/models'
import { streamedMails, trainingMails } from './mails.ts'
import { trainOn } from './train.ts'

describe('example spam-filter: training', () => {
  const lines: string[] = []
  const result = trainOn(trainingMails(), (line) => lines.push(line))

  it('chooses among all settings by the folds, and says how it goes', () => {
    assert.equal(lines.length, 5)
    assert.equal(result.tried.length, 18)
    const best = Math.max(...result.tried.map(({ score }) => score))
    assert.equal(result.crossValidationScore, best)
    const chosen = result.tried.find(({ score }) => score === best)!
    assert.deepEqual({ ...result.settings, score: best }, chosen)
  })

  it('tells spam from ham in the mails that come after', (t) => {
    const mails = streamedMails()
    const answers = result.classifier.predict(mails.map((mail) => mail.text))
    const report = classificationReport(
      mails.map((mail) => mail.label),
      answers.map(({ label }) => label),
    )
    const spam = report.labels.spam!
    t.diagnostic(JSON.stringify({ settings: result.settings, ...report }))
    assert.ok(report.accuracy >= 0.965, `accuracy ${report.accuracy}`)
    assert.ok(report.accuracy > report.majorityShare + 0.1)
    assert.ok(spam.recall >= 0.95, `recall ${spam.recall}`)
    assert.ok(spam.falsePositiveRate <= 0.04, `false positives ${spam.falsePositiveRate}`)
  })

  it('learns the same from the same mails', () => {
    const again = trainOn(trainingMails())
    assert.deepEqual(again.settings, result.settings)
    assert.deepEqual(artefactBytes(again.classifier), artefactBytes(result.classifier))
  })
})
