import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isOnKafka } from '../../scripts/test-kafka.ts'
import { systemClock } from '../core/clock.ts'
import type { Message } from '../core/message.ts'
import { seededRandom } from '../core/random.ts'
import { newLog } from '../log/log-testing.ts'
import { file } from '../sinks/file.ts'
import { files } from '../sources/files.ts'
import { hopping, session, tumbling } from '../transforms/window.ts'
import { audit } from './audit.ts'
import { ensureTopics } from './ensure-topics.ts'
import { pipeline } from './pipeline.ts'
import { planOf } from './plan.ts'
import { Runner } from './runner.ts'
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

interface Told {
  readonly partition: number
  readonly author: string
  readonly time: number
}

/** What a window of each author has to hold, by a second and slower way. */
function expected(told: readonly Told[], sizeMs: number, latenessMs: number) {
  const newest = new Map<number, number>()
  const counts = new Map<string, number>()
  let late = 0
  for (const { partition, author, time } of told) {
    const before = newest.get(partition) ?? -Infinity
    newest.set(partition, Math.max(before, time))
    const start = Math.floor(time / sizeMs) * sizeMs
    if (start + sizeMs + latenessMs <= before) late++
    else counts.set(`${author}/${start}`, (counts.get(`${author}/${start}`) ?? 0) + 1)
  }
  const lowest = Math.min(...newest.values())
  const closed = [...counts].filter(([name]) => {
    return Number(name.slice(name.lastIndexOf('/') + 1)) + sizeMs + latenessMs <= lowest
  })
  return { closed: closed.sort(), late, open: counts.size - closed.length }
}

const partitions = 3
const message = fc.record({
  partition: fc.integer({ min: 0, max: partitions - 1 }),
  author: fc.constantFrom('ann', 'ben', 'cat', 'a/b', 'ü'),
  time: fc.integer({ min: 0, max: 400 }),
})
const stream = fc.array(fc.array(message, { maxLength: 60, size: 'max' }), {
  minLength: 1,
  maxLength: 3,
})

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

  it('hold what they should, whatever comes where and when, over restarts', async () => {
    await fc.assert(
      fc.asyncProperty(stream, fc.constantFrom(0, 30), async (runs, latenessMs) => {
        const log = await newLog()
        const counted = pipeline('counted')
          .from(posts)
          .keyBy((post) => post.author)
          .window(tumbling(50, { lateness: latenessMs }))
          .aggregate('counts', (over) => ({ posts: over.count() }), { late: topic('late') })
          .to(topic('counted'))
        await log.createTopic('posts', { partitions })
        // Nobody waits for a partition that never had a message.
        const first = Array.from({ length: partitions }, (_, partition) => ({
          ...{ partition, author: 'ann', time: 0 },
        }))
        const all = [first, ...runs]
        for (const told of all) {
          const rows = told.map(({ partition, author, time }) => ({
            ...{ partition, time, value: { author, score: 1 } },
          }))
          if (rows.length > 0) await appendAll(log, 'posts', rows)
          const { audits } = await runUntilCaughtUp(log, [counted])
          assert.deepEqual(audits.get('counted')!.imbalances, [])
        }
        const { closed, late } = expected(all.flat(), 50, latenessMs)
        const results = (await readValues(log, 'counted')) as {
          key: string
          start: string
          posts: number
        }[]
        const found = results.map((one) => [`${one.key}/${Date.parse(one.start)}`, one.posts])
        assert.deepEqual(found.sort(), closed)
        const lateAuthors = ((await readValues(log, 'late')) as Post[]).map(({ author }) => author)
        assert.equal(lateAuthors.filter((author) => author !== '').length, late)
        await log.close()
      }),
      { numRuns: isOnKafka() ? 2 : 8, endOnFailure: true },
    )
  })

  it('of a source that ends are told as they stand', async () => {
    const log = await newLog()
    const folder = mkdtempSync(join(tmpdir(), 'millrace-windows-'))
    const file = join(folder, 'posts.ndjson')
    const lines = [
      ['ann', 0],
      ['ben', minute],
      ['ann', 2 * minute],
    ].map(([author, time]) => JSON.stringify({ author, time, score: 1 }))
    writeFileSync(file, `${lines.join('\n')}\n`)
    const entered = topic<{ author: string; time: number }>('entered', {
      time: (post) => post.time,
      partitions: 2,
    })
    const source = files<{ author: string; time: number }>({ path: file })
    const enter = pipeline('enter').from(source).to(entered)
    const count = pipeline('count')
      .from(entered)
      .keyBy((post) => post.author)
      .window(tumbling('1m'))
      .aggregate('counts', (over) => ({ posts: over.count() }))
      .to(topic('counted'))
    for (let run = 0; run < 2; run++) {
      const { audits } = await runUntilCaughtUp(log, [count, enter], folder)
      assert.deepEqual(audits.get('count')!.imbalances, [])
      const keys = (await readAll(log, 'counted')).map(({ id }) => id)
      assert.deepEqual(keys.sort(), [
        ...['counts/ann/0', `counts/ann/${2 * minute}`, `counts/ben/${minute}`],
      ])
    }
    rmSync(folder, { recursive: true })
    await log.close()
  })

  it('go straight from a source into one file, which one lane writes for all partitions', async () => {
    const log = await newLog()
    const folder = mkdtempSync(join(tmpdir(), 'millrace-windows-'))
    const path = join(folder, 'posts.ndjson')
    const authors = Array.from({ length: 40 }, (_, index) => `author ${index % 5}`)
    writeFileSync(path, authors.map((author) => JSON.stringify({ author })).join('\n'))
    const lines = join(folder, 'counts.ndjson')
    const count = pipeline('count')
      .from(files<Post>({ path }))
      .keyBy((post) => post.author)
      .window(tumbling('1m'))
      .aggregate('counts', (over) => ({ posts: over.count() }))
      .to(file({ path: lines, overwrite: true }))
    const { audits } = await runUntilCaughtUp(log, [count], folder)
    assert.deepEqual(audits.get('count')!.imbalances, [])
    assert.equal(audits.get('count')!.messages, 40)
    const told = readFileSync(lines, 'utf8').trim().split('\n')
    const counts = told.map((line) => JSON.parse(line) as { key: string; posts: number })
    assert.deepEqual(
      counts.map(({ key, posts }) => [key, posts]).sort(),
      [0, 1, 2, 3, 4].map((index) => [`author ${index}`, 8]),
    )
    rmSync(folder, { recursive: true })
    await log.close()
  })

  it('by the own key of messages need no topic between', async () => {
    const log = await newLog()
    const keyed = topic<Post>('keyed', { partitions: 2, key: (post) => post.author })
    const count = pipeline('count')
      .from(keyed)
      .keyBy()
      .window(hopping('1m', { every: '30s', emit: 'current' }))
      .aggregate('counts', (over) => ({ posts: over.count() }))
      .to(topic('counted'))
    await log.createTopic('keyed', { partitions: 2 })
    const put = (key: string | undefined, time: number) =>
      appendAll(log, 'keyed', [
        { ...(key === undefined ? {} : { key }), time, value: { author: 'x', score: 1 } },
      ])
    for (const time of [0, 40_000, 95_000]) await put('ann', time)
    await put(undefined, 96_000)
    const { audits } = await runUntilCaughtUp(log, [count])
    const audit = audits.get('count')!
    assert.deepEqual(audit.imbalances, [])
    assert.equal(audit.steps.get('counts')!.deadLettered, 1)
    const last = new Map<string, number>()
    for (const { id, version, value } of await readAll(log, 'counted')) {
      assert.ok(version > (last.get(id) ?? 0), 'revisions rise')
      last.set(id, version)
      assert.equal((JSON.parse(String(value)) as { posts: number }).posts, version)
    }
    assert.deepEqual(
      [...last].sort(),
      [
        ['counts/ann/-30000', 1],
        ['counts/ann/0', 2],
        ['counts/ann/30000', 1],
        ['counts/ann/60000', 1],
        ['counts/ann/90000', 1],
      ].sort(),
    )
    assert.equal(await log.topic('count.counts-key.repartition'), undefined)
    await log.close()
  })

  it('fold messages into one, but for those that cannot be', async () => {
    const log = await newLog()
    const most = pipeline('most')
      .from(posts)
      .keyBy((post) => post.author)
      .window(tumbling('1m'))
      .reduce('most', (best, next) => {
        if (next.score < 0) throw new RangeError(`score ${next.score}`)
        return next.score > best.score ? next : best
      })
      .to(topic('most'))
    await log.createTopic('posts', { partitions: 3 })
    const scores = [3, 7, -1, 5]
    await appendAll(log, 'posts', [
      ...scores.map((score, time) => ({ time, value: { author: 'ann', score } })),
      { time: minute, value: { author: 'ben', score: 0 } },
    ])
    const { audits } = await runUntilCaughtUp(log, [most])
    assert.deepEqual(audits.get('most')!.imbalances, [])
    assert.equal(audits.get('most')!.steps.get('most')!.deadLettered, 1)
    const [only] = (await readValues(log, 'most')) as { key: string; value: Post }[]
    assert.deepEqual([only!.key, only!.value], ['ann', { author: 'ann', score: 7 }])
    const sessions = pipeline('sessions')
      .from(posts)
      .keyBy()
      .window(session({ gap: '1m' }))
    assert.throws(() => sessions.reduce('most', (best) => best), { code: 'PIPELINE_INVALID' })
    await log.close()
  })

  it('over a source need a key of their own making', () => {
    const wrong = pipeline('wrong')
      .from(files<Post>({ path: 'nothing.ndjson' }))
      .keyBy()
      .window(tumbling('1m'))
      .aggregate('counts', (over) => ({ posts: over.count() }))
      .to(topic('counted'))
    assert.throws(() => planOf([wrong['~pipeline']]), { code: 'PIPELINE_INVALID' })
  })

  it('close by the wall clock when nothing comes any more', async () => {
    const log = await newLog()
    const timed = pipeline('timed', { idle: '200ms' })
      .from(posts)
      .keyBy((post) => post.author)
      .window(tumbling(1000))
      .aggregate('counts', (over) => ({ posts: over.count() }))
      .to(topic('counted'))
    const definition = timed['~pipeline']
    await ensureTopics(log, planOf([definition]))
    // Of three partitions one never has a message, and one falls silent long before the other.
    const put = (partition: number, time: number) =>
      appendAll(log, 'posts', [{ partition, time, value: { author: 'ann', score: 1 } }])
    await put(0, 100)
    await put(1, 900)
    await put(1, 1100)
    const stopping = new AbortController()
    const runner = new Runner({
      ...{ definition, log, directory: tmpdir(), clock: systemClock, random: seededRandom(1) },
      ...{ ratePerSecond: undefined, untilEnd: false },
    })
    const running = runner.run(stopping.signal)
    let found: Message[] = []
    while (found.length < 2) {
      await systemClock.sleep(10)
      found = await readAll(log, 'counted')
    }
    assert.deepEqual(
      found.map(({ id, version }) => [id, version]),
      [
        ['counts/ann/0', 2],
        ['counts/ann/1000', 1],
      ],
    )
    stopping.abort()
    await running
    const { imbalances } = await audit(log, definition)
    assert.deepEqual(imbalances, [])
    await log.close()
  })
})
