import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { codeOf, messageOf } from '../core/errors.ts'
import { comparePredictions } from '../evaluation/comparison.ts'
import { openWorkshop, type Workshop } from './cli-testing.ts'
import { evaluateCommand } from './evaluate.ts'
import { loadModel } from './model-registry.ts'
import { mails, trainMails, writeMails } from './models-testing.ts'

describe('millrace evaluate', () => {
  let shop: Workshop
  let learnt: string
  let asked: string
  const tested = mails(150, 2)
  const run = (...words: string[]) => shop.run(evaluateCommand(shop.context), ...words)
  const refused = (words: readonly string[], code: string, expected: RegExp) =>
    assert.rejects(run(...words), (error) => {
      assert.equal(codeOf(error), code, messageOf(error))
      assert.match(messageOf(error), expected)
      return true
    })

  before(async () => {
    shop = await openWorkshop()
    learnt = writeMails(shop, 'learnt.csv', mails(300))
    asked = writeMails(shop, 'asked.csv', tested)
    await trainMails(shop, 'mail', learnt, '--holdout', '0')
    await trainMails(shop, 'mail', learnt, '--estimator', 'complement-nb', '--max-features', '3')
  })
  after(() => shop.close())

  test('says there is no model before the first', async () => {
    const empty = await openWorkshop()
    const command = evaluateCommand(empty.context)
    await assert.rejects(empty.run(command, 'mail', '--data', asked), (error) => {
      assert.equal(codeOf(error), 'DIRECTORY_MISSING')
      assert.match(messageOf(error), /no models yet; train one first \(millrace train NAME/)
      return true
    })
    await empty.close()
  })

  test("reads the columns that it learnt from, and prints the figures of the model's answers", async () => {
    const printed = await run('mail:1', '--data', asked, '--json')
    const report = JSON.parse(printed)
    const { classifier, version } = await loadModel(shop.context(), 'mail:1')
    const answers = classifier.predict(tested.map(({ body }) => body))
    const right = answers.filter(({ label }, row) => label === tested[row]!.kind).length
    assert.equal(report.accuracy, right / tested.length)
    assert.deepEqual([report.name, report.number, report.version], ['mail', 1, version.version])
    assert.deepEqual([report.count, report.data.rows], [150, 150])
    assert.equal(printed.includes('\n'), false)
    assert.match(shop.said.at(-1)!, /^mail version 1 \(\w{12}\) on 150 rows$/)
    const text = await run('mail:1', '--data', asked)
    assert.match(text, new RegExp(`accuracy +${report.accuracy.toFixed(4)} `))
  })

  test('warns of rows that were learnt from, wholly or in part', async () => {
    await run('mail:1', '--data', learnt)
    assert.match(shop.said[0]!, /warning: mail version 1 learnt from these very rows/)
    await run('mail:2', '--data', learnt)
    assert.match(shop.said[0]!, /but for a part that was held back/)
    await run('mail:1', '--data', asked)
    assert.equal(shop.said.length, 1)
  })

  test('compares two versions by the rows on which they differ', async () => {
    const report = JSON.parse(await run('mail:1', '--against', 'mail:2', '--data', asked, '--json'))
    const answersOf = async (reference: string) => {
      const { classifier } = await loadModel(shop.context(), reference)
      return classifier.predict(tested.map(({ body }) => body)).map(({ label }) => label)
    }
    const expected = comparePredictions({
      truths: tested.map(({ kind }) => kind),
      candidate: await answersOf('mail:1'),
      baseline: await answersOf('mail:2'),
    })
    assert.deepEqual(report.against.comparison, expected)
    assert.equal(report.against.number, 2)
    assert.equal(report.against.report.accuracy, expected.baselineAccuracy)
    const text = await run('mail:1', '--against', 'mail:2', '--data', asked)
    assert.match(text, /mail version 1 \(\w+\) against mail version 2/)
    assert.match(text, /McNemar's exact test: p [=<] .*: mail:1 is better, hardly by chance/)
    await refused(
      ['mail:1', '--against', 'mail:1', '--data', asked],
      'OPTIONS_INVALID',
      /both mail/,
    )
  })

  test('estimates how common labels are from the texts alone, and answers by it', async () => {
    const shifted = writeMails(shop, 'shifted.csv', mails(400, 3, 0.85))
    const printed = await run('mail:1', '--data', shifted, '--priors', 'estimate', '--json')
    const { accuracy, priors } = JSON.parse(printed)
    const [ham, spam] = priors.labels
    assert.deepEqual([ham.label, spam.label], ['ham', 'spam'])
    assert.ok(Math.abs(ham.estimated + spam.estimated - 1) < 1e-9)
    assert.ok(spam.estimated > spam.training + 0.2, JSON.stringify(spam))
    assert.ok(priors.report.accuracy > accuracy)
    assert.ok(priors.pValue < 0.001)
    const text = await run('mail:1', '--data', shifted, '--priors', 'estimate')
    assert.match(text, /they did change, hardly by chance/)
    assert.match(text, /\nlabel +in training +estimated here +truly here\n/)
    assert.match(text, /\n +before +after\naccuracy /)
  })

  test('warns when no label is one that the model knows', async () => {
    const path = join(shop.directory, 'numbered.csv')
    const lines = tested.map(({ body, kind }) => `${body},${kind === 'spam' ? 1 : 0}`)
    writeFileSync(path, ['text,label', ...lines, ''].join('\n'))
    const report = JSON.parse(await run('mail:1', '--data', path, '--json'))
    assert.equal(report.accuracy, 0)
    assert.match(
      shop.said[0]!,
      /no label of these rows \('[01]', '[01]'\) is one .* \('ham', 'spam'\)/,
    )
  })

  test('refuses with the nearest name', async () => {
    await refused(['mial', '--data', asked], 'MODEL_UNKNOWN', /did you mean 'mail'/)
    await refused(['mail@chalenger', '--data', asked], 'MODEL_UNKNOWN', /no alias 'chalenger'/)
    await refused(['mail:9', '--data', asked], 'MODEL_UNKNOWN', /no version '9'; the newest are 2/)
    await refused(['mail'], 'OPTIONS_INVALID', /no data: give --data/)
    await refused(['mail', '--data', `${asked}x`], 'TRAINING_DATA_INVALID', /asked\.csv/)
    const label = ['mail', '--data', asked, '--label', 'knd']
    await refused(label, 'TRAINING_DATA_INVALID', /did you mean 'kind'/)
  })
})
