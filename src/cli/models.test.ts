import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { codeOf, messageOf } from '../core/errors.ts'
import { openWorkshop, type Workshop } from './cli-testing.ts'
import { modelsCommand } from './models.ts'
import { mails, trainMails, writeMails } from './models-testing.ts'

const nobody = () => assert.fail('no exit code is to be set')

describe('millrace models', () => {
  let shop: Workshop
  let hashes: string[]
  const run = (...words: string[]) => shop.run(modelsCommand(nobody, shop.context), ...words)
  const json = async (...words: string[]) => JSON.parse(await run(...words, '--json'))
  const refused = (words: readonly string[], code: string, expected: RegExp) =>
    assert.rejects(run(...words), (error) => {
      assert.equal(codeOf(error), code, messageOf(error))
      assert.match(messageOf(error), expected)
      return true
    })

  before(async () => {
    shop = await openWorkshop()
  })
  after(() => shop.close())

  test('make no directory by looking', async () => {
    assert.equal(await run('list'), '')
    assert.match(shop.said[0]!, /no models: .* train one first: millrace train NAME/)
    assert.equal(await run('list', '--json'), '[]')
    await refused(['show', 'mail'], 'DIRECTORY_MISSING', /there are no models yet/)
    assert.equal(existsSync(join(shop.directory, 'log')), false)
  })

  test('list the newest version and those with an alias, or all', async () => {
    const data = writeMails(shop, 'mails.csv', mails(200))
    const test = writeMails(shop, 'test.csv', mails(80, 2))
    const trained = []
    for (const alpha of ['1', '0.5', '0.1']) {
      trained.push(
        await trainMails(shop, 'mail', data, '--test', test, '--option', `alpha=${alpha}`),
      )
    }
    await trainMails(shop, 'other', data, '--holdout', '0')
    hashes = trained.map(({ version }) => version)
    assert.equal(new Set(hashes).size, 3)
    const numbers = async (...words: string[]) => {
      const rows = (await json('list', ...words)) as { name: string; number: number }[]
      return rows.filter(({ name }) => name === 'mail').map(({ number }) => number)
    }
    assert.deepEqual(await numbers(), [3])
    assert.deepEqual(await numbers('--all'), [3, 2, 1])
    await run('alias', 'mail:1', 'challenger')
    assert.deepEqual(await numbers(), [3, 1])
    const text = await run('list')
    assert.match(text, /^model +version +hash +aliases +accuracy +macro F1 +age +estimator\n/)
    const { accuracy } = (await json('list'))[0]
    const start = `mail +3 +${hashes[2]!.slice(0, 12)} +- +${accuracy.toFixed(4)}`
    assert.match(
      text,
      new RegExp(`\\n${start} .* multinomial-nb\\(alpha=0.1\\) on word:1-1, tf-idf`),
    )
    assert.deepEqual(shop.said, [])
    await run('list')
    assert.deepEqual(shop.said, ['1 older versions are not shown; --all shows them'])
  })

  test('promote, telling from which to which, with the figures side by side', async () => {
    const printed = await run('promote', 'mail:2', '--reason', 'better in June')
    assert.match(
      shop.said[0]!,
      /^mail@champion: nothing \('mail' stood for the newest, version 3\)/,
    )
    assert.match(printed, /^ +version 3 +version 2\naccuracy +0\.\d{4} +0\.\d{4}\n/)
    const change = await json('promote', `mail:${hashes[0]!.slice(0, 8)}`)
    assert.deepEqual(
      [change.name, change.changed, change.version, change.previous, change.by],
      ['mail', true, hashes[0], hashes[1], 'promote'],
    )
    const again = await json('promote', 'mail@champion')
    assert.deepEqual([again.changed, again.revision], [false, change.revision])
    assert.equal(await run('promote', 'mail:1'), '')
    assert.match(shop.said[0]!, /points to version 1 \(\w{12}\) already/)
    const current = (await json('list')) as { number: number; current: boolean }[]
    assert.deepEqual(
      current.filter((one) => one.current).map(({ number }) => number),
      [1, 1],
    )
  })

  test('refuse to change what somebody else changed meanwhile', async () => {
    const { revision } = await json('show', 'mail')
    const words = ['promote', 'mail:3', '--expect-revision', String(revision - 1)]
    await refused(words, 'REGISTRY_CONFLICT', /look again and decide anew/)
    const change = await json('promote', 'mail:3', '--expect-revision', String(revision))
    assert.equal(change.revision, revision + 1)
  })

  test('roll back, and take an alias away', async () => {
    await run('rollback', 'mail', '--reason', 'too many unknowns')
    assert.match(shop.said[0]!, /mail@champion: version 3 \(\w+\) -> version 1 /)
    assert.equal((await json('rollback', 'mail')).version, hashes[1])
    await refused(['rollback', 'mail'], 'MODEL_UNKNOWN', /pointed to no version before/)
    await refused(['rollback', 'mail:1'], 'NAME_INVALID', /millrace models promote mail:1/)
    await run('unalias', 'mail@champion')
    assert.match(shop.said[0]!, /^mail@champion: version 2 \(\w+\) -> nothing/)
    assert.match(shop.said[1]!, /'mail' stands for the newest version again, version 3/)
    await refused(['unalias', 'mail'], 'NAME_INVALID', /give NAME@alias/)
  })

  test('show a version, all versions and the history', async () => {
    const text = await run('show', 'mail:2')
    const path = join(shop.directory, 'mails.csv')
    const recipe = `millrace train mail --data ${path} --text body --label kind`
    assert.ok(text.includes(`trained by  ${recipe} --test `), text)
    assert.ok(text.includes('--estimator multinomial-nb --option alpha=0.5\n'), text)
    assert.match(text, new RegExp(`^model +mail\nversion +2 \\(${hashes[1]}\\)\n`))
    assert.match(text, /\nlabels +2: ham, spam\n/)
    assert.match(
      text,
      /\ntrain +200 rows of mails.csv \(sha256 \w{12}\)\ntest +80 rows of test.csv/,
    )
    assert.match(text, /\nmacro F1 +0\.\d{4}\n/)
    assert.match(
      text,
      /\nhistory \(revision 7\)\n {2}7 {2}\S+ {2}champion: .* -> nothing, by unalias\n/,
    )
    assert.match(
      text,
      / {2}2 {2}\S+ {2}champion: nothing -> version 2 .* by promote: better in June\n/,
    )
    const { shown, versions, history } = await json('show', 'mail@challenger')
    assert.equal(shown.version, hashes[0])
    assert.deepEqual([versions.length, history.length], [3, 7])
    await refused(['show', 'mial'], 'MODEL_UNKNOWN', /did you mean 'mail'/)
  })

  test('delete one version, which no alias points to', async () => {
    await refused(['delete', 'mail'], 'NAME_INVALID', /names no version/)
    await refused(['delete', 'mail@challenger'], 'NAME_INVALID', /names no version/)
    await refused(['delete', 'mail:1'], 'MODEL_IN_USE', /'challenger' points to/)
    const deleted = await json('delete', 'mail:3')
    assert.deepEqual(deleted, { name: 'mail', deleted: 3, version: hashes[2], artefact: 'deleted' })
    assert.match(shop.said[0]!, /^mail version 3 \(\w+\) deleted, with its artefact$/)
    assert.match(await run('show', 'mail'), /version 3 \(\w+\) deleted, by delete/)
  })

  test('ask for a version where one is needed', async () => {
    await refused(['promote', 'mail'], 'NAME_INVALID', /give one, as mail:2, which it stands for/)
    await refused(['promote', 'mail:3'], 'MODEL_UNKNOWN', /no version '3'; the newest are 2/)
    await refused(['promote', 'mail@champ'], 'MODEL_UNKNOWN', /no alias 'champ'/)
    await refused(['alias', 'mail:2', 'No'], 'NAME_INVALID', /alias "No"/)
  })
})
