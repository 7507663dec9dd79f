import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { codeOf } from '../core/errors.ts'
import { loadApp } from '../pipeline/app.ts'
import { isPipeline } from '../pipeline/definition.ts'
import { checkStates } from '../pipeline/state-reader.ts'
import { appendAll, runUntilCaughtUp } from '../pipeline/testing.ts'
import { openWorkshop, type Workshop } from './cli-testing.ts'
import { stateCommand } from './state.ts'

const source = (path: string) => JSON.stringify(new URL(`../${path}`, import.meta.url).href)

/** `per-minute` has windows by a key that is made, `runs` and `first` go by the messages' own, `right` joins. */
const app = (size: string) => `
import { pipeline } from ${source('pipeline/pipeline.ts')}
import { topic } from ${source('pipeline/topic.ts')}
import { session, tumbling } from ${source('transforms/window.ts')}
const posts = topic('posts', { partitions: 3 })
const other = topic('other', { partitions: 3 })
export const byAuthor = pipeline('by-author').from(posts)
  .keyBy((post) => post.author)
  .window(tumbling('${size}'))
  .aggregate('per-minute', (over) => ({ posts: over.count(), total: over.sum((post) => post.score) }))
  .to(topic('counts'))
export const own = pipeline('own').from(posts)
  .keyBy()
  .window(session({ gap: '1m', emit: 'current' }))
  .aggregate('runs', (over) => ({ posts: over.count() }))
  .to(topic('runs'))
export const pairs = pipeline('pairs').from(posts).join('right', other).to(topic('pairs'))
export const once = pipeline('once').from(posts).keyBy().distinct('first', { within: '1h' }).to(topic('once'))
export const plain = pipeline('plain').from(posts).filter('some', () => true).to(topic('plain'))
`

const minute = 60_000
const iso = (timeMs: number) => new Date(timeMs).toISOString()

describe('millrace state', () => {
  let shop: Workshop
  let file: string
  const run = (...words: string[]) => shop.run(stateCommand(shop.context), ...words)
  const json = async (...words: string[]) => JSON.parse(await run(...words, '--json'))

  before(async () => {
    shop = await openWorkshop()
    file = join(shop.directory, 'app.ts')
    writeFileSync(file, app('1m'))
    await shop.log(async (log) => {
      const pipelines = Object.values(await import(file)).filter(isPipeline)
      await log.createTopic('posts', { partitions: 3 })
      const at = (partition: number, author: string, score: number, time: number) => {
        return { partition, time, key: `of ${author}`, value: { author, score } }
      }
      await appendAll(log, 'posts', [
        ...[at(0, 'ann', 1, 1000), at(1, 'ann', 2, 2000), at(2, 'bén', 4, 3000)],
        ...[
          at(0, 'ann', 8, minute + 1),
          at(1, 'bén', 16, minute + 2),
          at(2, 'ann', 32, minute + 3),
        ],
        at(2, 'cat', 64, 2 * minute),
      ])
      await runUntilCaughtUp(log, pipelines, shop.directory)
    })
  })
  after(() => shop.close())

  test('is listed by step, with what it is and how much', async () => {
    const states = await json('list', file)
    const found = states.map((one: { pipeline: string; step: string; kind: string }) => {
      return `${one.pipeline} ${one.step} ${one.kind}`
    })
    assert.deepEqual(found, [
      ...['by-author per-minute aggregate', 'once first keyed'],
      ...['own runs aggregate', 'pairs right join'],
    ])
    assert.match(states[0].form, /^tumbling window \(.*sizeMs 60000\) of /)
    assert.equal(states[0].store, 'by-author.per-minute')
    for (const { keys, sizeBytes } of states[0].partitions) assert.ok(keys > 1 && sizeBytes > 20)
    const text = await run('list', file)
    assert.match(
      text,
      /^by-author per-minute: tumbling window .*form 1\npartition +entries +size\n\d/,
    )
    assert.match(text, /\n\npairs right: join\n/)
  })

  test('of a key are its open windows, wherever its messages came from', async () => {
    assert.deepEqual(await json('get', file, 'by-author', 'per-minute', 'ann'), {
      ...{ pipeline: 'by-author', step: 'per-minute', kind: 'aggregate', key: 'ann' },
      entries: [
        {
          ...{ partition: 2, key: 'ann', start: iso(minute), end: iso(2 * minute), revision: 2 },
          value: { posts: 2, total: 40 },
        },
      ],
    })
    const text = await run('get', file, 'by-author', 'per-minute', 'bén')
    assert.match(
      text,
      /^key +start +end +messages +partition +value\nbén +1970\S+ +1970\S+ +1 +\d +\{"posts":1,"total":16\}$/,
    )
    assert.equal(await run('get', file, 'by-author', 'per-minute', 'dan'), '')
    assert.deepEqual(shop.said, ['nothing is kept of key dan'])
  })

  test("by messages' own keys is looked for in every partition, emitted or not", async () => {
    const { entries } = await json('get', file, 'own', 'runs', 'of ann')
    assert.deepEqual(
      entries.map((one: { partition: number; start: string; value: object }) => {
        return [one.partition, one.start, one.value]
      }),
      [
        [0, iso(1000), { posts: 2 }],
        [1, iso(2000), { posts: 1 }],
        [2, iso(minute + 3), { posts: 1 }],
      ],
    )
  })

  test('of a join is what waits', async () => {
    const { entries } = await json('get', file, 'pairs', 'right', 'of cat')
    assert.partialDeepStrictEqual(entries, [
      { partition: 2, key: 'of cat', side: 'left', value: { value: { author: 'cat', score: 64 } } },
    ])
    const scanned = await json('scan', file, 'pairs', 'right', '--from', 'of b', '--limit', '1')
    const keys = scanned.entries.map((one: { key: string }) => one.key)
    assert.deepEqual([...new Set(keys)], ['of bén'])
  })

  test('of a step that lets messages go on is what it remembers', async () => {
    const { entries } = await json('get', file, 'once', 'first', 'of cat')
    assert.deepEqual(entries, [{ partition: 2, key: 'of cat', value: [2 * minute] }])
    const scanned = await json('scan', file, 'once', 'first', '--from', 'of b')
    const keys = scanned.entries.map((one: { key: string }) => one.key)
    assert.deepEqual([...new Set(keys)], ['of bén', 'of cat'])
  })

  test('is scanned by key', async () => {
    const keysOf = async (...words: string[]) => {
      const { entries } = await json('scan', file, 'by-author', 'per-minute', ...words)
      return entries.map((one: { key: string }) => one.key)
    }
    assert.deepEqual(await keysOf(), ['ann', 'bén', 'cat'])
    assert.deepEqual(await keysOf('--from', 'b', '--limit', '1'), ['bén'])
    assert.deepEqual(await keysOf('--from', 'x'), [])
    await assert.rejects(run('scan', file, 'own', 'runs', '--limit', '0'), /from 1 on/)
  })

  test('is refused where there is none, or where it is of another step', async () => {
    const refused = async (words: string[], message: RegExp) =>
      assert.rejects(run(...words), (error) => {
        assert.equal(codeOf(error), 'STEP_UNKNOWN')
        assert.match((error as Error).message, message)
        return true
      })
    await refused(['get', file, 'by-autor', 'x', 'k'], /did you mean 'by-author'/)
    await refused(['get', file, 'own', 'run', 'k'], /no step 'run'; did you mean 'runs'/)
    await refused(['scan', file, 'plain', 'some'], /step 'some' keeps no state/)
    const changed = join(shop.directory, 'changed.ts')
    writeFileSync(changed, app('2m'))
    const differs = run('get', changed, 'by-author', 'per-minute', 'ann')
    await assert.rejects(differs, (error) => codeOf(error) === 'STATE_DIFFERS')
    assert.match(
      await run('list', changed),
      /cannot go on with its state: sizeMs was 60000 and is now 120000\n/,
    )
    const { pipelines } = await loadApp(changed)
    const starts = shop.log((log) => checkStates(log, pipelines))
    await assert.rejects(starts, (error) => codeOf(error) === 'STATE_DIFFERS')
  })

  test('of a step that is not there any more is told of, and can be dropped', async () => {
    const renamed = join(shop.directory, 'renamed.ts')
    writeFileSync(
      renamed,
      app('1m').replace("'per-minute'", "'per-1m'").replace("'own'", "'other-name'"),
    )
    assert.match(
      await run('list', renamed, '--all'),
      /by-author per-minute: of no step any more, \d+ B\n {2}where nobody needs it: millrace state drop \S+ by-author per-minute\n\nown runs: of a pipeline that is not of this application/,
    )
    assert.doesNotMatch(await run('list', renamed), /own runs/)
    const said: string[] = []
    const { pipelines } = await loadApp(renamed)
    await shop.log((log) => checkStates(log, pipelines, (words) => said.push(words)))
    assert.deepEqual(said.length, 1)
    assert.match(said[0]!, /^state of by-author per-minute is kept, but no step uses it/)
    const dropped = async (name: string, ...words: string[]) => run('drop', name, ...words)
    const isCode = (code: string) => (error: unknown) => codeOf(error) === code
    await assert.rejects(dropped(file, 'by-author', 'per-minute'), isCode('OPTIONS_INVALID'))
    await assert.rejects(dropped(renamed, 'by-author', 'per-minutes'), isCode('STEP_UNKNOWN'))
    await shop.log(async (log) => {
      const member = await log.join('by-author', { topics: [{ name: 'posts', partitions: 3 }] })
      await assert.rejects(dropped(renamed, 'by-author', 'per-minute'), isCode('GROUP_ACTIVE'))
      await member.leave()
    })
    await dropped(renamed, 'by-author', 'per-minute')
    assert.doesNotMatch(await run('list', renamed), /per-minute/)
    assert.match(await run('list', file), /by-author per-minute: .*\n {2}nothing is kept yet/)
  })
})
