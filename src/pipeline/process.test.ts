import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isOnKafka } from '../../scripts/test-kafka.ts'
import { newLog } from '../log/log-testing.ts'
import { generate } from '../sources/generate.ts'
import { tumbling } from '../transforms/window.ts'
import { deadLetters, replayDeadLetters } from './dead-letter-store.ts'
import { pipeline } from './pipeline.ts'
import { appendAll, readAll, runUntilCaughtUp } from './testing.ts'
import { topic } from './topic.ts'

interface Visit {
  readonly user: string
  readonly page: string
}

interface Ended {
  readonly user: string
  readonly pages: readonly string[]
}

const visits = topic<Visit>('visits', { partitions: 1 })
const pauseMs = 100
const startMs = Date.now() - 3_600_000
const ids = (rows: readonly { readonly id: string }[]) => rows.map(({ id }) => id)

/** A visit ends when nothing came for a while; each page goes on too, in its place. */
const sessions = (name: string) =>
  pipeline(name)
    .from(visits)
    .keyBy(({ user }) => user)
    .process('visit', {
      start: (): { pages: string[] } => ({ pages: [] }),
      message: (state, { user, page }, at) => {
        state.pages.push(page)
        at.setTimer(at.timeMs + pauseMs)
        return page === 'silent' ? undefined : { user, pages: [page] }
      },
      timer: ({ pages }, at): Ended => {
        at.forget()
        if (pages.includes('bad')) throw new RangeError('a bad visit')
        return { user: at.key, pages }
      },
    })
    .map('checked', (one: Ended) => {
      if (one.pages.length === 4) throw new RangeError('too long')
      return one
    })
    .to(topic<Ended>(`${name}-out`, { partitions: 1 }))

interface Told extends Visit {
  readonly afterMs: number
}

/** What has to come out of a user, in order. */
function expected(told: readonly Told[], user: string): Ended[] {
  const out: Ended[] = []
  let pages: string[] = []
  let endMs = Infinity
  let nowMs = 0
  const end = () => {
    if (endMs > nowMs) return
    endMs = Infinity
    // What throws changes nothing, so that such a visit goes on for ever.
    if (pages.includes('bad')) return
    out.push({ user, pages })
    pages = []
  }
  for (const one of told) {
    nowMs += one.afterMs
    if (one.user !== user) continue
    end()
    pages = [...pages, one.page]
    endMs = nowMs + pauseMs
    if (one.page !== 'silent') out.push({ user, pages: [one.page] })
  }
  end()
  return out.filter((one) => one.pages.length !== 4)
}

const visit = fc.record({
  user: fc.constantFrom('ann', 'ben', 'c/d'),
  page: fc.constantFrom('home', 'shop', 'silent', 'bad'),
  afterMs: fc.integer({ min: 0, max: 80 }),
})
const runs = fc.array(fc.array(visit, { maxLength: 15, size: 'max' }), {
  minLength: 1,
  maxLength: 3,
})

describe('timers', () => {
  it('are called once, before what comes behind them, over restarts and in a replay', async () => {
    await fc.assert(
      fc.asyncProperty(runs, async (drawn) => {
        const log = await newLog()
        await log.createTopic('visits', { partitions: 1 })
        const all: Told[] = []
        let time = startMs
        for (const run of drawn) {
          for (const told of run) {
            const { afterMs, ...value } = told
            time += afterMs
            all.push(told)
            await appendAll(log, 'visits', [{ time, value }])
          }
          const { audits } = await runUntilCaughtUp(log, [sessions('live')])
          assert.deepEqual(audits.get('live')!.imbalances, [])
        }
        await runUntilCaughtUp(log, [sessions('replay')])
        const [live, replay] = [await readAll(log, 'live-out'), await readAll(log, 'replay-out')]
        for (const user of ['ann', 'ben', 'c/d']) {
          const of = (rows: typeof live) => rows.filter(({ key }) => String(key) === user)
          const values = of(live).map(({ value }) => JSON.parse(String(value)) as Ended)
          assert.deepEqual(values, expected(all, user))
          const timed = (rows: typeof live) => ids(of(rows)).map((id) => id.replace(/^\w+\/0/, ''))
          assert.deepEqual(timed(replay), timed(live))
        }
        assert.equal(new Set(ids(live)).size, live.length)
        await log.close()
      }),
      { numRuns: isOnKafka() ? 1 : 4, endOnFailure: true },
    )
  })

  it('tell what they give with an id and the time of their own, for what is behind them', async () => {
    const log = await newLog()
    const counted = pipeline('counted')
      .from(visits)
      .keyBy(({ user }) => user)
      .process('visit', {
        start: () => 0,
        message: (_, __, at) => at.setTimer(at.timeMs + pauseMs),
        timer: (_, { key }) => ({ key }),
      })
      .keyBy()
      .window(tumbling(pauseMs))
      .aggregate('ends', (over) => ({ visits: over.count() }))
      .to(topic('counted'))
    await log.createTopic('visits', { partitions: 1 })
    const from = Math.ceil(startMs / pauseMs) * pauseMs
    const put = (user: string, time: number) =>
      appendAll(log, 'visits', [{ time: from + time, value: { user, page: 'home' } }])
    await put('ann', 10)
    await put('ben', 90)
    // Both timers are due at once, and belong into one window that closes with it.
    await put('cat', 10_000)
    const { audits } = await runUntilCaughtUp(log, [counted])
    assert.deepEqual(audits.get('counted')!.imbalances, [])
    assert.deepEqual(
      (await readAll(log, 'counted')).map(({ id, version }) => [id, version]).sort(),
      [
        [`ends/ann/${from + 100}`, 1],
        [`ends/ben/${from + 100}`, 1],
      ],
    )
    await log.close()
  })

  it('are called at the end of what is finite, once, and what they set then is dropped', async () => {
    const log = await newLog()
    const source = generate<Visit>({
      name: 'visits',
      count: 3,
      value: (index) => ({ user: 'ann', page: String(index) }),
      time: (_, index) => startMs + index,
    })
    const last = pipeline('last')
      .from(source)
      .keyBy(({ user }) => user)
      .process('last', {
        start: () => ({ pages: 0 }),
        message: (state, _, at) => {
          state.pages++
          at.setTimer(at.timeMs + 3_600_000)
        },
        timer: ({ pages }, at) => {
          at.setTimer(at.timeMs + 1)
          return { pages, at: at.timeMs - startMs }
        },
      })
      .to(topic('last-out'))
    for (let run = 0; run < 2; run++) {
      const { audits } = await runUntilCaughtUp(log, [last])
      assert.deepEqual(audits.get('last')!.imbalances, [])
      const rows = await readAll(log, 'last-out')
      assert.deepEqual(
        rows.map(({ id, value }) => [id, JSON.parse(String(value))]),
        [[`last/ann/${startMs + 2 + 3_600_000}`, { pages: 3, at: 3_600_002 }]],
      )
    }
    await log.close()
  })

  it('that throw are dead letters with the state; what fails behind them is replayed from there', async () => {
    const log = await newLog()
    await log.createTopic('visits', { partitions: 1 })
    const put = (user: string, page: string, time: number) =>
      appendAll(log, 'visits', [{ time: startMs + time, value: { user, page } }])
    for (let page = 0; page < 4; page++) await put('ann', 'silent', page)
    await put('ben', 'bad', 5)
    await put('cat', 'home', 1000)
    let { audits } = await runUntilCaughtUp(log, [sessions('strict')])
    assert.deepEqual(audits.get('strict')!.imbalances, [])
    const letters: unknown[] = []
    for await (const { step, id, message, value } of deadLetters(log, 'strict')) {
      letters.push([step, id, message, JSON.parse(String(value))])
    }
    assert.deepEqual(letters.sort(), [
      [
        'checked',
        `visit/ann/${startMs + 103}`,
        'too long',
        { user: 'ann', pages: Array(4).fill('silent') },
      ],
      ['visit', `visit/ben/${startMs + 105}`, 'a bad visit', { pages: ['bad'] }],
    ])
    await replayDeadLetters(log, 'strict', {})
    ;({ audits } = await runUntilCaughtUp(log, [sessions('strict')]))
    assert.deepEqual(audits.get('strict')!.imbalances, [])
    const words: string[] = []
    for await (const { message } of deadLetters(log, 'strict')) words.push(message)
    assert.deepEqual(words.sort(), [
      "step 'visit' threw in its timer, which is not called again: drop the letter",
      'too long',
    ])
    await log.close()
  })
})
