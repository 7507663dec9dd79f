import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { Command } from 'commander'
import { codeOf, messageOf } from '../core/errors.ts'
import type { RegisteredVersion } from '../registry/entries.ts'
import { openWorkshop, type Workshop } from './cli-testing.ts'
import { withRegistry } from './model-registry.ts'
import { recipeWords } from './models-recipe.ts'
import { mails, trainMails, writeMails } from './models-testing.ts'
import { fileRecipeOf, trainCommand } from './train.ts'

describe('millrace train', () => {
  let shop: Workshop
  let data: string
  const run = (...words: string[]) => shop.run(trainCommand(shop.context), ...words)
  const resolved = (reference: string): Promise<RegisteredVersion> =>
    withRegistry(shop.context(), (registry) => registry.resolve(reference))
  const refused = (words: readonly string[], code: string, expected: RegExp) =>
    assert.rejects(run(...words), (error) => {
      assert.equal(codeOf(error), code, messageOf(error))
      assert.match(messageOf(error), expected)
      return true
    })

  before(async () => {
    shop = await openWorkshop()
    data = writeMails(shop, 'mails.csv', mails(200))
  })
  after(() => shop.close())

  test('learns, evaluates and registers; what it says is what the registry has', async () => {
    const printed = await run(
      ...['mail', '--data', data, '--text', 'body', '--label', 'kind'],
      ...['--estimator', 'multinomial-nb', '--option', 'alpha=0.5', '--features', 'word:1-2'],
    )
    assert.match(printed, /^learnt multinomial-nb\(alpha=0.5\) on word:1-2, tf-idf in /)
    assert.match(printed, /\n40 rows, 2 labels\n/)
    assert.match(shop.said.at(-1)!, /^mail version 1 \(\w{12}\) is registered, and what 'mail'/)
    const version = await resolved('mail')
    assert.equal(version.estimator, 'multinomial-nb(alpha=0.5) on word:1-2, tf-idf')
    assert.equal(version.metrics.count, 40)
    assert.deepEqual(version.labels, ['ham', 'spam'])
  })

  test('prints one line of JSON, and registers a second version beside the champion', async () => {
    await withRegistry(shop.context(), (registry) => registry.setAlias('mail', 'champion', '1'))
    const printed = await run(
      ...['mail', '--data', data, '--text', 'body', '--label', 'kind'],
      ...['--estimator', 'complement-nb', '--json'],
    )
    const { name, number, accuracy, metrics } = JSON.parse(printed)
    assert.deepEqual([name, number], ['mail', 2])
    assert.equal(accuracy, metrics.accuracy)
    assert.match(
      shop.said.at(-1)!,
      /'mail' still stands for version 1: millrace models promote mail:2/,
    )
  })

  test('the same training is the same version, whatever the path', async () => {
    const copy = writeMails(shop, 'copied.csv', mails(200))
    const first = await trainMails(shop, 'again', data)
    const second = await trainMails(shop, 'again', copy)
    assert.deepEqual([second.version, second.number], [first.version, 1])
    const other = await trainMails(shop, 'again', data, '--seed', '1')
    assert.notEqual(other.version, first.version)
  })

  test('keeps absolute paths in the recipe', async () => {
    await trainMails(shop, 'relative', relative(process.cwd(), data), '--test', data)
    const { recipe } = await resolved('relative')
    assert.deepEqual([recipe.data, recipe.test, recipe.holdout], [data, data, 0])
  })

  test('says what was passed over, also on a terminal', async () => {
    const path = join(shop.directory, 'gaps.csv')
    const rows = mails(60).map(({ body, kind }, index) => `${body},${index % 20 === 0 ? '' : kind}`)
    writeFileSync(path, ['text,label', ...rows, ''].join('\n'))
    await refused(['gaps', '--data', path], 'TRAINING_DATA_INVALID', /3 of 60 rows .* no label/)
    await run('gaps', '--data', path, '--skip-unlabelled', '--estimator', 'multinomial-nb')
    assert.ok(shop.said.includes('warning: rows passed over without a label: 3'), shop.said.join())
  })

  test('refuses what does not fit together', async () => {
    const given = ['mail', '--data', data, '--text', 'body', '--label', 'kind']
    const wrong: readonly (readonly [string[], string, RegExp])[] = [
      [['mail'], 'OPTIONS_INVALID', /no data: give --data/],
      [['mail', 'spam', '--data', data], 'OPTIONS_INVALID', /'spam' is one word too many/],
      [['a b', '--data', data], 'NAME_INVALID', /a b/],
      [[...given, '--text-file', data], 'OPTIONS_INVALID', /both given/],
      [[...given, '--label-file', data], 'OPTIONS_INVALID', /belongs to --text-file/],
      [[...given, '--test', data, '--holdout', '0.1'], 'OPTIONS_INVALID', /leave out --holdout/],
      [[...given, '--no-tfidf', '--sublinear'], 'OPTIONS_INVALID', /drop one/],
      [[...given, '--option', 'alpha=1'], 'OPTIONS_INVALID', /'alpha' .* name one/],
      [
        [...given, '--estimator', 'linear-svc', '--folds', '3'],
        'OPTIONS_INVALID',
        /--folds is of --estimator auto/,
      ],
      [[...given, '--features', 'wrd:1'], 'OPTIONS_INVALID', /did you mean 'word'/],
      [[...given, '--text', 'bdy'], 'TRAINING_DATA_INVALID', /did you mean 'body'/],
    ]
    for (const [words, code, expected] of wrong) await refused(words, code, expected)
  })

  test('hints at a header that is not there', async () => {
    const path = join(shop.directory, 'headless.csv')
    writeFileSync(
      path,
      mails(20)
        .map(({ body, id }) => `${id % 4},${body}\n`)
        .join(''),
    )
    await refused(['x', '--data', path], 'TRAINING_DATA_INVALID', /no header line\? Then name/)
  })

  test("trains an application's trainer, and keeps the way back to it", async () => {
    const app = join(shop.directory, 'app.ts')
    const source = pathToFileURL(join(import.meta.dirname, '../training/trainer.ts')).href
    writeFileSync(
      app,
      `import { trainer } from '${source}'
      const data = () => ({ texts: ['win a prize', 'the agenda', 'win now', 'an agenda'], labels: ['spam', 'ham', 'spam', 'ham'] })
      export const one = trainer('one', { data, estimator: 'multinomial-nb' })
      export const two = trainer('two', { data, estimator: 'complement-nb' })`,
    )
    assert.equal(JSON.parse(await run(app, 'two', '--json')).name, 'two')
    assert.deepEqual((await resolved('two')).recipe, { kind: 'trainer', name: 'two', app })
    const both = (await run(app, '--json')).split('\n').map((line) => JSON.parse(line).name)
    assert.deepEqual(both, ['one', 'two'])
    await refused([app, 'tow'], 'APP_UNUSABLE', /did you mean 'two'/)
    await refused([app, '--seed', '3'], 'OPTIONS_INVALID', /--seed means nothing here/)
    await refused([`${app}x.ts`], 'APP_UNUSABLE', /there is no such file/)
  })

  test('a training that fails leaves no directory behind', async () => {
    const empty = await openWorkshop()
    try {
      await assert.rejects(empty.run(trainCommand(empty.context), 'mail', '--data', `${data}x`))
      assert.equal(existsSync(join(empty.directory, 'log')), false)
    } finally {
      await empty.close()
    }
  })
})

describe('a recipe as words', () => {
  /** What the flags ask for. */
  async function recipeOf(words: readonly string[]) {
    let recipe: ReturnType<typeof fileRecipeOf> | undefined
    const command: Command = trainCommand()
    command.exitOverride().action((_name, _trainer, flags) => {
      recipe = fileRecipeOf(flags)
    })
    await command.parseAsync(['topics', ...words], { from: 'user' })
    return recipe!
  }

  const lines: readonly (readonly string[])[] = [
    ['--data', '/a b/train.csv'],
    ['--data', 'train.csv', '--test', 'test.csv', '--text', 'title,body', '--label', 'topic'],
    ['--text-file', 'texts', '--label-file', 'labels', '--holdout', '0.1', '--seed', '7'],
    ['--data', 'x.tsv', '--columns', 'a,b', '--format', 'tsv', '--delimiter', '\\t'],
    ['--data', 'x.csv', '--encoding', 'utf-16be', '--skip-unlabelled', '--by-time', 'at'],
    ['--data', 'x', '--estimator', 'linear-svc', '--option', 'C=0.3', '--option', 'loss=hinge'],
    ['--data', 'x', '--estimator', 'nb-svm', '--option', 'classWeight={"a":2}', '--no-tfidf'],
    ['--data', 'x', '--features', 'word:1-2,char_wb:2-5', '--sublinear', '--min-df', '2'],
    ['--data', 'x', '--max-df', '0.5', '--max-features', '10', '--stop-words', 'english'],
    ['--data', 'x', '--clean', 'urls,mentions', '--calibrate', 'none', '--min-confidence', '0.4'],
    ['--data', 'x', '--metric', 'accuracy', '--folds', '4', '--holdout', '0'],
  ]
  for (const words of lines) {
    test(words.slice(2).join(' ') || 'data alone', async () => {
      const recipe = await recipeOf(words)
      const back = recipeWords(recipe)
      assert.deepEqual(await recipeOf(back), recipe)
      assert.deepEqual(back.toSorted(), words.toSorted())
      // As the registry keeps it.
      assert.deepEqual(recipeWords(JSON.parse(JSON.stringify(recipe))), back)
    })
  }
})
