import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pipelineTest } from 'millrace/testing'
import { pipeline } from '../pipeline/pipeline.ts'
import { topic } from '../pipeline/topic.ts'
import { tumbling } from '../transforms/window.ts'

interface Post {
  readonly author: string
  readonly likes: number
}
interface Count {
  readonly key: string
  readonly start: string
  readonly end: string
  readonly posts: number
}

const posts = topic<Post>('posts', { key: (post) => post.author, partitions: 3 })
const counts = topic<Count>('counts')
const totals = topic<{ key: string; start: string; end: string; authors: number }>('totals')
const late = topic<Post>('late')

const perMinute = pipeline('per-minute')
  .from(posts)
  .keyBy((post) => post.author)
  .window(tumbling('1m'))
  .aggregate('counts', (over) => ({ posts: over.count() }), { late })
  .to(counts)

/** A window over the results of windows, in another pipeline and with another key. */
const perHour = pipeline('per-hour')
  .from(counts)
  .keyBy(() => 'all')
  .window(tumbling('1h'))
  .aggregate('authors', (over) => ({ authors: over.count() }))
  .to(totals)

const start = '2025-01-01T00:00:00.000Z'
const at = (ms: number) => new Date(Date.parse(start) + ms).toISOString()
const count = (key: string, ms: number, posts: number): Count => {
  return { key, start: at(ms), end: at(ms + 60_000), posts }
}
const post = (author: string) => ({ author, likes: 1 })

describe('time in pipelineTest', () => {
  it(
    'does not pass while a test waits: windows close by what is pushed',
    pipelineTest(perMinute, async (t) => {
      await t.push(posts, [post('ann'), post('ben'), post('ann')])
      for (let run = 0; run < 3; run++) await t.run()
      await t.expectOutputs(counts, [])
      assert.equal(t.now(), Date.parse(start))
      for (const partition of [0, 1, 2]) {
        await t.push(posts, post('eve'), { partition, time: at(60_000) })
      }
      await t.run()
      await t.expectOutputs(counts, [count('ann', 0, 2), count('ben', 0, 1)])
      assert.equal(t.now(), Date.parse(start))
    }),
  )

  it(
    'passes when it is advanced: who says nothing is not waited for, and windows close',
    pipelineTest(perMinute, async (t) => {
      await t.push(posts, post('ann'))
      await t.advance('30s')
      await t.push(posts, post('ann'))
      await t.run()
      await t.expectOutputs(counts, [])
      await t.advance('30s')
      await t.expectOutputs(counts, [])
      await t.advance('2m')
      await t.expectOutputs(counts, [count('ann', 0, 2)])
      assert.equal(t.now(), Date.parse(at(180_000)))
    }),
  )

  it(
    'passes through all that waits for one another, and a long time is soon over',
    pipelineTest([perMinute, perHour], async (t) => {
      await t.push(posts, [post('ann'), post('ben')])
      await t.advance('2h')
      await t.expectOutputs(counts, [count('ann', 0, 1), count('ben', 0, 1)])
      await t.expectOutputs(totals, [{ key: 'all', start, end: at(3_600_000), authors: 2 }])
      await t.advance('30d')
      await t.push(posts, post('ann'))
      await t.advance('3m')
      await t.expectOutputs(counts, [count('ann', 30 * 24 * 3_600_000 + 7_200_000, 1)])
    }),
  )

  it(
    'makes messages late, whether they are too old or too far ahead',
    pipelineTest(perMinute, async (t) => {
      await t.push(posts, post('ann'))
      await t.advance('5m')
      await t.expectOutputs(counts, [count('ann', 0, 1)])
      await t.push(posts, post('old'), { time: at(1000) })
      await t.push(posts, post('new'), { time: '2038-01-19T03:14:07Z' })
      await t.advance('5m')
      await t.expectOutputs(counts, [])
      await t.expectOutputs(late, [post('old'), post('new')])
      assert.equal(await t.late(perMinute), 2)
      assert.equal(await t.late('per-minute', 'counts'), 2)
      assert.equal(await t.late('per-minute', 'counts-key'), 0)
    }),
  )

  it('begins when it is told to', async () => {
    const startTime = '2030-06-01T00:00:00Z'
    await pipelineTest(perMinute, { startTime }, async (t) => {
      await t.push(posts, post('ann'))
      await t.advance('5m')
      const [first] = await t.outputs(counts)
      assert.equal(first!.start, '2030-06-01T00:00:00.000Z')
    })()
    await assert.rejects(pipelineTest(perMinute, { startTime: 'soon' }, () => 0)(), {
      message: /option 'startTime': the time "soon" is no date/,
    })
  })
})
