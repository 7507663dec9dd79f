import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { codeOf, messageOf } from '../core/errors.ts'
import { artefactBytes } from '../models/artefact.ts'
import { fingerprintOfTexts } from './labelled.ts'
import { type TrainerOptions, trainer } from './trainer.ts'
import { labelledMails, silent } from './training-testing.ts'

const rows = labelledMails(100)
const quick = { data: () => rows, estimator: 'multinomial-nb' } as const
const train = (options: TrainerOptions) => trainer('mail', options).train({ progress: silent })

describe('a trainer', () => {
  test('learns from all rows unless some are to be held back', async () => {
    const all = await train(quick)
    assert.equal(all.report, undefined)
    assert.deepEqual(all.trained.facts!.data, { train: fingerprintOfTexts(rows) })
    assert.deepEqual(all.trained.facts!.recipe, { kind: 'trainer', name: 'mail' })
    const { report, trained } = await train({ ...quick, holdout: 0.3 })
    assert.equal(report!.count, 30)
    const data = trained.facts!.data as Record<string, { rows: number }>
    assert.deepEqual([data.train!.rows, data.test!.rows], [70, 30])
  })

  test('evaluates on its own test rows, which come later or at once', async () => {
    const asked = labelledMails(20, 2)
    const { report, classifier } = await train({ ...quick, test: async () => asked })
    assert.equal(report!.count, 20)
    assert.ok(artefactBytes(classifier).equals(artefactBytes((await train(quick)).classifier)))
  })

  test('holds back the last rows where rows have times', async () => {
    const timesMs = Float64Array.from(rows.texts, (_, row) => -row)
    const { trained } = await train({ ...quick, data: () => ({ ...rows, timesMs }), holdout: 0.1 })
    const last = {
      texts: rows.texts.slice(0, 10).reverse(),
      labels: rows.labels.slice(0, 10).reverse(),
      timesMs: timesMs.slice(0, 10).reverse(),
    }
    assert.deepEqual(trained.facts!.data!.test, fingerprintOfTexts(last))
  })

  test('is told of what goes on', async () => {
    const said: string[] = []
    const context = { progress: (line: string) => void said.push(line) }
    await trainer('mail', {
      ...quick,
      data: ({ progress }) => {
        progress('reading the mails')
        return rows
      },
    }).train(context)
    assert.equal(said[0], 'reading the mails')
    assert.match(said[1]!, /^learning from 100 rows: multinomial-nb on word:1-1, tf-idf$/)
  })

  test('refuses wrong options before it learns', () => {
    const wrong: readonly (readonly [object, RegExp])[] = [
      [{}, /it has no data\(\)/],
      [{ ...quick, holdout: 1 }, /holdout is 1/],
      [{ ...quick, estimater: 'nb-svm' }, /unknown option 'estimater'; did you mean 'estimator'/],
      [{ ...quick, metric: 'F1' }, /metric is 'F1'/],
    ]
    for (const [options, expected] of wrong) {
      assert.throws(
        () => trainer('mail', options as TrainerOptions),
        (error) => codeOf(error) === 'OPTIONS_INVALID' && expected.test(messageOf(error)),
      )
    }
  })
})
