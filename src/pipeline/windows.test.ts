import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { newLog } from '../log/log-testing.ts'
import { hopping, tumbling } from '../transforms/window.ts'
import { pipeline } from './pipeline.ts'
import { appendAll, readAll, readValues, runUntilCaughtUp } from './testing.ts'
import { topic } from './topic.ts'

interface Post {
  readonly author: string
  readonly score: number
}

const minute = 60_000
const posts = topic<Post>('posts', { partitions: 3 })
const iso = (timeMs: number) => new Date(timeMs).toISOString()

const byAuthor = pipeline('by-author')
  .from(posts)
  .keyBy((post) => post.author)
  .window(tumbling('1m'))
  .aggregate('per-minute', (over) => ({
    posts: over.count(),
    total: over.sum((post) => post.score),
  }))
  .to(topic('counts'))

describe('windows in a pipeline', () => {
  it('bring together what is in different partitions, and close by event time', async () => {
    const log = await newLog()
    await log.createTopic('posts', { partitions: 3 })
    const at = (partition: number, author: string, score: number, time: number) => {
      return { partition, time, value: { author, score } }
    }
    await appendAll(log, 'posts', [
      ...[at(0, 'ann', 1, 1000), at(1, 'ann', 2, 2000), at(2, 'ben', 4, 3000)],
      ...[at(0, 'ann', 8, minute + 1), at(1, 'ben', 16, minute + 2), at(2, 'ann', 32, minute + 3)],
    ])
    const { audits } = await runUntilCaughtUp(log, [byAuthor])
    const results = await readAll(log, 'counts')
    assert.deepEqual(
      results
        .map(({ id, version, time, key, value }) => [
          ...[id, version, time, String(key)],
          JSON.parse(String(value)),
        ])
        .sort(),
      [
        [
          'per-minute/ann/0',
          2,
          minute - 1,
          'ann',
          { key: 'ann', start: iso(0), end: iso(minute), posts: 2, total: 3 },
        ],
        [
          'per-minute/ben/0',
          1,
          minute - 1,
          'ben',
          { key: 'ben', start: iso(0), end: iso(minute), posts: 1, total: 4 },
        ],
      ],
    )
    const audit = audits.get('by-author')!
    assert.deepEqual(audit.imbalances, [])
    assert.equal(audit.messages, 6)
    assert.equal(audit.steps.get('per-minute')!.absorbed, 6)
    await log.close()
  })

  it('go on where they were', async () => {
    const log = await newLog()
    await log.createTopic('posts', { partitions: 3 })
    const put = (author: string, score: number, time: number) =>
      appendAll(
        log,
        'posts',
        [0, 1, 2].map((partition) => ({ partition, time, value: { author, score } })),
      )
    for (const time of [1000, 2000, minute + 1, 2 * minute, 5 * minute]) {
      await put('ann', time, time)
      const { audits } = await runUntilCaughtUp(log, [byAuthor])
      assert.deepEqual(audits.get('by-author')!.imbalances, [])
    }
    const values = (await readValues(log, 'counts')) as {
      start: string
      posts: number
      total: number
    }[]
    assert.deepEqual(
      values.map(({ start, posts, total }) => [start, posts, total]),
      [
        [iso(0), 6, 9000],
        [iso(minute), 3, 3 * (minute + 1)],
        [iso(2 * minute), 3, 6 * minute],
      ],
    )
    await log.close()
  })
})
