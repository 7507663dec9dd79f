/** Resets of pipelines that keep state: what comes again is counted once. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { codeOf } from '../core/errors.ts'
import type { Log } from '../log/log.ts'
import { partitionOf } from '../log/partitioner.ts'
import { pipeline } from '../pipeline/pipeline.ts'
import { rolling } from '../pipeline/rolling-feature.ts'
import { table } from '../pipeline/table.ts'
import { appendAll, readValues, runUntilCaughtUp } from '../pipeline/testing.ts'
import { topic } from '../pipeline/topic.ts'
import { tumbling } from '../transforms/window.ts'
import { openWorkshop, type Workshop } from './cli-testing.ts'
import { groupsCommand } from './groups.ts'

const minute = 60_000
const posts = topic<{ author: string }>('posts', { partitions: 2 })
const windowed = (name: string, from: string) =>
  pipeline(name)
    .from(topic<{ author: string }>(from, { partitions: 2 }))
    .keyBy((post) => post.author)
    .window(tumbling('1m', { emit: 'current' }))
    .aggregate('counts', (over) => ({ posts: over.count() }))
    .to(topic(`${name}.counted`))
const counted = windowed('count', 'posts')
const neighbour = windowed('count.more', 'posts')
const pairs = pipeline('pairs')
  .from(posts)
  .join('other', topic('other', { partitions: 2 }))
  .to(topic('paired'))
const both = pipeline('both')
  .from(posts)
  .join('other', topic('other', { partitions: 2 }))
  .keyBy((pair) => pair.author)
  .window(tumbling('1m'))
  .aggregate('counts', (over) => ({ posts: over.count() }))
  .to(topic('both.counted'))
type Pipelines = Parameters<typeof runUntilCaughtUp>[1]

describe('millrace groups reset, of a pipeline with state', () => {
  let shop: Workshop
  const reset = (...words: string[]) => shop.run(groupsCommand(shop.context), 'reset', ...words)
  const at = (partition: number, author: string, time: number) => {
    return { partition, time, key: `${author} ${time}`, value: { author } }
  }
  let pipelines: Pipelines = []
  const run = async (log: Log) => {
    const { audits } = await runUntilCaughtUp(log, pipelines, shop.directory)
    for (const { imbalances } of audits.values()) assert.deepEqual(imbalances, [])
  }
  /** By key and start, the newest result. */
  const results = async (log: Log, name: string) => {
    const values = (await readValues(log, name)) as { key: string; start: string; posts: number }[]
    return new Map(values.map((one) => [`${one.key} ${one.start.slice(14, 16)}`, one.posts]))
  }
  const expected = new Map([
    ['ann 00', 2],
    ['ben 01', 1],
    ['ann 02', 2],
  ])

  beforeEach(async () => {
    shop = await openWorkshop()
  })
  const prepare = (...all: Pipelines[number][]) => {
    pipelines = all
    return shop.log(async (log) => {
      for (const name of ['posts', 'other']) await log.createTopic(name, { partitions: 2 })
      await appendAll(log, 'posts', [
        ...[at(0, 'ann', 1), at(1, 'ann', 2), at(0, 'ben', minute)],
        ...[at(0, 'ann', 2 * minute), at(1, 'ann', 2 * minute + 1)],
      ])
      await appendAll(log, 'other', [at(0, 'ann', 1)])
      await run(log)
    })
  }
  afterEach(() => shop.close())

  test('forgets what its windows counted, and no other state', async () => {
    await prepare(counted, neighbour)
    await shop.log(async (log) => {
      assert.deepEqual(await results(log, 'count.counted'), expected)
    })
    const told = JSON.parse(await reset('count', '--to', 'start', '--topic', 'posts', '--json'))
    assert.deepEqual(
      told.forgotten.map(({ store, step }: { store: string; step: string }) => [store, step]),
      [['count.counts', 'counts']],
    )
    assert.ok(told.forgotten[0].keys >= 2)
    const moves = told.partitions as { topic: string; from: number; to: number }[]
    for (const { topic: of, from, to } of moves) assert.equal(to, of === 'posts' ? 0 : from)
    await shop.log(async (log) => {
      assert.deepEqual(await log.stores(), ['count.more.counts'])
      await run(log)
      assert.deepEqual(await results(log, 'count.counted'), expected)
      assert.deepEqual(await results(log, 'count.more.counted'), expected)
      await appendAll(log, 'posts', [at(0, 'ann', 2 * minute + 2)])
      await run(log)
      assert.equal((await results(log, 'count.counted')).get('ann 02'), 3)
      assert.equal((await results(log, 'count.more.counted')).get('ann 02'), 3)
    })
  })

  test('says what that means', async () => {
    await prepare(counted)
    await reset('count', '--to', 'start')
    assert.match(
      shop.said[0]!,
      /^group count reset: the next run reads 5 offsets again, .* skips 0$/,
    )
    assert.match(
      shop.said[1]!,
      /^the state of step counts \(\d+ keys\) is forgotten, so that nothing is counted twice$/,
    )
    assert.equal(shop.said.length, 2)
    await reset('count', '--to', 'end')
    assert.match(shop.said[0]!, /reads 0 offsets again, .* skips 5$/)
    assert.equal(shop.said.length, 1, 'nothing is kept any more')
    await shop.log(async (log) => {
      const before = (await readValues(log, 'count.counted')).length
      await run(log)
      assert.equal((await readValues(log, 'count.counted')).length, before)
    })
  })

  test('is refused for one of several inputs', async () => {
    await prepare(both)
    for (const name of ['posts', 'other', 'both.counts-key.repartition']) {
      await assert.rejects(reset('both', '--to', 'start', '--topic', name), (error) => {
        assert.equal(codeOf(error), 'OPTIONS_INVALID')
        assert.match(
          (error as Error).message,
          /step counts has counted .*\(other, posts\).*leave out --topic$/,
        )
        return true
      })
    }
    await shop.log(async (log) => assert.ok((await log.stores()).includes('both.counts')))
  })

  test('has tables, and what features are reckoned from, read whole again', async () => {
    const row = topic<{ author: string; n: number }>('rows', { partitions: 2 })
    const history = topic<{ author: string; n: number }>('history', { partitions: 1 })
    const looking = pipeline('looking')
      .from(posts)
      .keyBy(({ author }) => author)
      .join('row', table(row))
      .add({ sum: rolling.sum('n', { by: 'author', over: '1h', from: history }) })
      .to(topic<object>('looked'))
    await shop.log(async (log) => {
      await log.createTopic('rows', { partitions: 2 })
      await log.createTopic('history', { partitions: 1 })
      const partition = partitionOf(Buffer.from('ann'), 2, 0)
      await appendAll(log, 'rows', [{ ...at(partition, 'ann', 0), key: 'ann' }])
      const value = { author: 'ann', n: 5 }
      await appendAll(log, 'history', [{ value, time: 0 }])
    })
    await prepare(looking)
    for (let times = 1; times < 3; times++) await reset('looking', '--to', 'end')
    await shop.log(async (log) => {
      await appendAll(log, 'posts', [at(0, 'ann', 2 * minute + 2)])
      await run(log)
      const last = (await readValues(log, 'looked')).at(-1)
      assert.deepEqual(last, { author: 'ann', row: { author: 'ann' }, sum: 5 })
    })
  })

  test('leaves what waits for a join: it is known by its id', async () => {
    await prepare(pairs)
    await reset('pairs', '--to', 'start')
    assert.equal(shop.said.length, 1)
    await shop.log(async (log) => {
      assert.ok((await log.stores()).includes('pairs.other'))
      await run(log)
      await appendAll(log, 'other', [at(0, 'ben', minute)])
      const before = (await readValues(log, 'paired')).length
      await run(log)
      assert.equal((await readValues(log, 'paired')).length, before + 1)
    })
  })
})
