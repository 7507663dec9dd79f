import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isOnKafka } from '../../scripts/test-kafka.ts'
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

  it('of its own is told as it is, with its timer; what was forgotten is not', async () => {
    const log = await newLog()
    await log.createTopic('posts', { partitions: 1 })
    const counted = (name: string, hasTimer: boolean) =>
      pipeline(name)
        .from(posts)
        .keyBy((post) => post.author)
        .process('own', {
          start: () => ({ posts: 0 }),
          message: (state, _, at) => {
            state.posts++
            if (hasTimer) at.setTimer(at.timeMs + minute)
          },
          ...(hasTimer ? { timer: (_: unknown, at: { forget(): void }) => at.forget() } : {}),
        })
        .to(topic(`${name}-out`))
    const from = Date.now() - 60 * minute
    for (const [author, time] of [['a', 0] as const, ['b', minute] as const]) {
      await appendAll(log, 'posts', [{ time: from + time, value: { author } }])
    }
    const pipelines = [counted('timed', true), counted('plain', false)]
    await runUntilCaughtUp(log, pipelines)
    const reader = new StateReader(
      log,
      pipelines.map((one) => one['~pipeline']),
    )
    const told = async (name: string) => {
      const { entries } = await reader.scan(name, 'own', { limit: 10 })
      return entries.map(({ key, value }) => [key, value])
    }
    const timer = new Date(from + 2 * minute).toISOString()
    assert.deepEqual(await told('timed'), [['b', { state: { posts: 1 }, timer }]])
    assert.deepEqual(
      (await told('plain')).sort(),
      ['a', 'b'].map((key) => [key, { posts: 1 }]),
    )
    await log.close()
  })

  it('of a join within a time is what waits on either side, by key', async () => {
    const log = await newLog()
    const one = { partitions: 1 }
    const of = (name: string) => topic<{ n: number }>(name, one)
    const joined = (within: string) =>
      pipeline('pairs')
        .from(of('views'))
        .keyBy()
        .join('click', of('clicks'), { within })
        .to(topic<object>('pairs', one))['~pipeline']
    const put = (name: string, key: string, time: number) =>
      appendAll(log, name, [{ key, time, value: { n: time } }])
    for (const name of ['views', 'clicks']) await log.createTopic(name, one)
    await put('views', 'a', 1)
    await put('views', 'b', 2)
    await put('clicks', 'a', 3)
    await runUntilCaughtUp(log, [{ '~pipeline': joined('1m') }])
    const reader = new StateReader(log, [joined('1m')])
    const { entries } = await reader.scan('pairs', 'click', { limit: 10 })
    const values = entries.map(({ key, value }) => {
      const { left, right } = value as { left: { value: object }[]; right: { value: object }[] }
      return [key, left.map((half) => half.value), right.map((half) => half.value)]
    })
    assert.deepEqual(values, [
      ['a', [{ n: 1 }], [{ n: 3 }]],
      ['b', [{ n: 2 }], []],
    ])
    assert.deepEqual((await reader.get('pairs', 'click', 'b')).entries, entries.slice(1))
    const [{ form, differs } = {}] = await listState(log, [joined('2m')])
    assert.equal(form, 'pairs within 120000 ms')
    // On Kafka looking would mean reading all of it: there it is refused when the step needs it.
    if (isOnKafka()) assert.equal(differs, undefined)
    else assert.match(differs!, /was written by '.*60000 .*', the step is now '.*120000 /)
    await log.close()
  })
})
