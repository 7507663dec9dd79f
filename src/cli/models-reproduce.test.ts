import assert from 'node:assert/strict'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { codeOf, messageOf } from '../core/errors.ts'
import { artefactBytes, libraryVersion } from '../models/artefact.ts'
import { textClassifier } from '../models/text-classifier.ts'
import { openWorkshop, type Workshop } from './cli-testing.ts'
import { withRegistry } from './model-registry.ts'
import { modelsCommand } from './models.ts'
import { differencesOf } from './models-differences.ts'
import { mails, trainMails, writeMails } from './models-testing.ts'
import { trainCommand } from './train.ts'

describe('millrace models reproduce', () => {
  let shop: Workshop
  let data: string
  let exitCode = 0
  const run = (...words: string[]) => {
    const command = modelsCommand((code) => {
      exitCode = code
    }, shop.context)
    return shop.run(command, 'reproduce', ...words)
  }
  const refused = (words: readonly string[], code: string, expected: RegExp) =>
    assert.rejects(run(...words), (error) => {
      assert.equal(codeOf(error), code, messageOf(error))
      assert.match(messageOf(error), expected)
      return true
    })

  before(async () => {
    shop = await openWorkshop()
    data = writeMails(shop, 'mails.csv', mails(200))
    const flags = ['--estimator', 'sgd-classifier', '--seed', '3', '--features', 'word:1-2']
    await trainMails(shop, 'mail', data, ...flags)
  })
  beforeEach(() => {
    exitCode = 0
  })
  after(() => shop.close())

  test('gives the same bytes from the same recipe, and registers nothing', async () => {
    const result = JSON.parse(await run('mail', '--json'))
    assert.deepEqual([result.reproduced, result.trained], [true, result.version])
    assert.match(shop.said.at(-1)!, /^mail version 1 \(\w+\) reproduced: the same \w{64}$/)
    assert.equal(exitCode, 0)
    const { versions } = await withRegistry(shop.context(), (registry) =>
      registry.showModel('mail'),
    )
    assert.equal(versions.length, 1)
  })

  test('finds rows that moved where it is told', async () => {
    const moved = join(shop.directory, 'moved.csv')
    renameSync(data, moved)
    try {
      await refused(
        ['mail'],
        'TRAINING_DATA_INVALID',
        /mails\.csv', which is not on this machine; .*--data/,
      )
      await run('mail', '--data', moved)
      assert.match(shop.said.at(-1)!, /reproduced: the same/)
      await refused(['mail', '--text-file', moved], 'OPTIONS_INVALID', /place of --data FILE/)
    } finally {
      renameSync(moved, data)
    }
  })

  test('says that the data is not what it was', async () => {
    const changed = writeMails(shop, 'changed.csv', mails(201))
    const { reproduced, differences } = JSON.parse(await run('mail', '--data', changed, '--json'))
    assert.equal(reproduced, false)
    assert.equal(exitCode, 1)
    const [first] = differences
    assert.match(
      first,
      /^the train data is not what it was \(200 rows then, 201 now\): changed.csv was/,
    )
    assert.match(shop.said.join('\n'), /not reproduced: \w{12} came out\n {2}the train data/)
  })

  test('says what else differs', async () => {
    const version = await withRegistry(shop.context(), (registry) => registry.resolve('mail'))
    const { classifier } = await withRegistry(shop.context(), (registry) => registry.load('mail'))
    const facts = { data: version.data, estimator: version.estimator }
    const same = differencesOf(version, { classifier, facts }, classifier)
    assert.match(same.join('\n'), /^all weights are the same;.*\n.* another release of Node/)
    const older = { ...version, libraryVersion: '0.0.1' }
    assert.deepEqual(differencesOf(older, { classifier, facts }, undefined), [
      `it was trained by Millrace 0.0.1; this is ${libraryVersion()}`,
    ])
    const coefficients = classifier.model.coefficients.map((weight, index) =>
      index === 5 ? weight + 0.25 : weight,
    )
    const moved = {
      ...classifier,
      model: { ...classifier.model, coefficients },
    } as typeof classifier
    const found = differencesOf(version, { classifier: moved, facts }, classifier)
    assert.match(found[0]!, /^1 of \d+ weights differ, by 2\.5e-1 at most$/)
  })

  test("follows an application's trainer", async () => {
    const app = join(shop.directory, 'app.ts')
    const source = pathToFileURL(join(import.meta.dirname, '../training/trainer.ts')).href
    writeFileSync(
      app,
      `import { trainer } from '${source}'
      const data = () => ({ texts: ['win a prize', 'the agenda', 'win now', 'an agenda'], labels: ['spam', 'ham', 'spam', 'ham'] })
      export const one = trainer('one', { data, estimator: 'multinomial-nb' })`,
    )
    await shop.run(trainCommand(shop.context), app)
    await run('one')
    assert.match(shop.said.at(-1)!, /^one version 1 .* reproduced/)
    await refused(['one', '--app', `${app}x`], 'APP_UNUSABLE', /there is no such file/)
  })

  test('cannot do without a recipe', async () => {
    const learnt = textClassifier().fit(['win a prize', 'the agenda'], ['spam', 'ham'])
    await withRegistry(shop.context(), (registry) =>
      registry.register('bare', artefactBytes(learnt)),
    )
    await refused(['bare'], 'OPTIONS_INVALID', /bare version 1 .* registered without a recipe/)
  })
})
