import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { newLog } from '../log/log-testing.ts'
import { session, tumbling } from '../transforms/window.ts'
import { pipeline } from './pipeline.ts'
import { listState, StateReader } from './state-reader.ts'
import { appendAll, runUntilCaughtUp } from './testing.ts'
import { topic } from './topic.ts'

const minute = 60_000
const posts = topic<{ author: string }>('posts', { partitions: 3 })
const keyed = pipeline('windows')
  .from(posts)
  .keyBy((post) => post.author)
  .window(tumbling('1m', { lateness: '10m' }))
  .aggregate('counts', (over) => ({ posts: over.count() }))
  .keyBy((result) => result.start)
  .window(session({ gap: '1m' }))
  .aggregate('again', (over) => ({ results: over.count() }))
  .to(topic('counted'))

describe('state, read from outside', () => {
  it('is what the steps have, of any key, window by window', async () => {
    const log = await newLog()
    const definitions = [keyed['~pipeline']]
    const reader = new StateReader(log, definitions)
    assert.deepEqual((await reader.get('windows', 'counts', 'a0')).entries, [])
    await log.createTopic('posts', { partitions: 3 })
    const authors = Array.from({ length: 30 }, (_, index) => `a${index}`)
    const rows = [0, 2, 5, 13].flatMap((minutes) =>
      authors.map((author, index) => ({
        ...{ partition: index % 3, time: minutes * minute, value: { author } },
      })),
    )
    await appendAll(log, 'posts', rows)
    await runUntilCaughtUp(log, [keyed])
    const startsOf = async (author: string) => {
      const { entries } = await reader.get('windows', 'counts', author)
      return entries.map(({ start, revision, value }) => {
        assert.deepEqual([revision, value], [1, { posts: 1 }])
        return Date.parse(start!) / minute
      })
    }
    // The first two are closed: each is ten minutes behind its end.
    for (const author of authors) assert.deepEqual(await startsOf(author), [5, 13])
    const { entries } = await reader.scan('windows', 'counts', { from: 'a3', limit: 4 })
    const told = entries.map(({ key, start }) => `${key} ${Date.parse(start!) / minute}`)
    const expected = ['a3', 'a4', 'a5', 'a6'].flatMap((key) => [`${key} 5`, `${key} 13`])
    assert.deepEqual(told, expected)
    const [first] = await listState(log, definitions)
    assert.equal(first!.store, 'windows.counts')
    assert.equal(first!.differs, undefined)
    const keys = first!.partitions.map((one) => one.keys)
    const isCounted = keys.every((count) => count !== undefined)
    if (isCounted)
      assert.equal(
        keys.reduce((sum, count) => sum + count - 1, 0),
        60,
      )
    const again = await reader.scan('windows', 'again', { limit: 10 })
    for (const { value } of again.entries) assert.deepEqual(value, { results: 30 })
    await log.close()
  })
})
