import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isOnKafka } from '../../scripts/test-kafka.ts'
import type { Log } from '../log/log.ts'
import { newLog } from '../log/log-testing.ts'
import { pipeline } from './pipeline.ts'
import { rolling } from './rolling-feature.ts'
import { table } from './table.ts'
import { appendAll, readAll, runUntilCaughtUp } from './testing.ts'
import { topic } from './topic.ts'

interface Event {
  readonly n: number
  readonly key: string
}

/** In the order of the inputs below: of messages that came at the same time those of tables go first. */
const names = ['prices', 'limits', 'orders'] as const
const ofEvents = (name: string) => topic<Event>(name, { partitions: 1 })
const [prices, limits, orders] = [ofEvents('prices'), ofEvents('limits'), ofEvents('orders')]

/** Steps whose results depend on the order between inputs, in pipelines of a run's own. */
const pipelinesOf = (run: string) => {
  const out = (name: string) => topic(`${run}-${name}-out`, { partitions: 1 })
  return [
    pipeline(`${run}-process`)
      .from(prices, limits, orders)
      .keyBy()
      .process('seen', {
        start: (): number[] => [],
        message: (seen, { n }) => {
          seen.push(n)
          return { n, seen: [...seen] }
        },
      })
      .to(out('process')),
    pipeline(`${run}-rolling`)
      .from(prices, limits)
      .add({ last: rolling.last('n', { over: '1h' }), count: rolling.count({ over: '5ms' }) })
      .to(out('rolling')),
    pipeline(`${run}-table`)
      .from(orders)
      .keyBy()
      .join('price', table(prices))
      .keyBy()
      .join('limit', table(limits, { asOf: '1h' }))
      .to(out('table')),
    // Through a topic of its own, where for long nothing is while it is on its way.
    pipeline(`${run}-passing`)
      .from(limits, orders)
      .keyBy(({ key }) => key)
      .join('price', table(prices))
      .to(out('passing')),
  ]
}

interface Told extends Event {
  /** The number of its input. */
  readonly from: number
  readonly timeMs: number
}

/** All messages in the order in which they come: none before one that is before it in its input. */
function asTheyCome(inputs: readonly (readonly Told[])[]): Told[] {
  const arrivals = inputs.flatMap((told) =>
    told.map((message, place) => {
      const atMs = Math.max(...told.slice(0, place + 1).map(({ timeMs }) => timeMs))
      return { message, place, atMs }
    }),
  )
  arrivals.sort((a, b) => a.atMs - b.atMs || a.message.from - b.message.from || a.place - b.place)
  return arrivals.map(({ message }) => message)
}

/** What each message of some inputs has to find of another: the newest with its key that came before. */
function lookups(all: readonly Told[], asking: readonly number[], asked: number) {
  return all.flatMap(({ from, key, n }, place) => {
    if (!asking.includes(from)) return []
    const before = all.slice(0, place).filter((one) => one.from === asked && one.key === key)
    return [[n, before.at(-1)?.n ?? null]]
  })
}

interface Out {
  readonly n: number
  readonly price?: Event | null
}

async function outputsOf(log: Log, name: string): Promise<[string, Out][]> {
  const messages = await readAll(log, `${name}-out`)
  return messages.map(({ id, value }) => [id, JSON.parse(String(value)) as Out])
}

async function pricesOf(log: Log, name: string) {
  return (await outputsOf(log, name)).map(([, { n, price }]) => [n, price?.n ?? null])
}

async function check(log: Log, all: readonly Told[]): Promise<void> {
  for (const kind of ['process', 'rolling', 'table', 'passing']) {
    const live = await outputsOf(log, `live-${kind}`)
    assert.deepEqual(await outputsOf(log, `replay-${kind}`), live, kind)
  }
  const processed = await outputsOf(log, 'live-process')
  assert.deepEqual(
    processed.map(([, { n }]) => n),
    all.map(({ n }) => n),
  )
  assert.deepEqual(await pricesOf(log, 'live-table'), lookups(all, [2], 0))
  assert.deepEqual(await pricesOf(log, 'live-passing'), lookups(all, [1, 2], 0))
}

const event = fc.record({
  key: fc.constantFrom('a', 'b', 'c'),
  timeMs: fc.integer({ min: 0, max: 15 }),
})
const input = fc.array(event, { minLength: 1, maxLength: 12, size: 'max' })
/** Between the parts the pipelines stop and start again. */
const cuts = fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 2 })

describe('inputs in the order of event time', () => {
  it('give in a replay what they gave as they came, over restarts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.tuple(input, input, input), cuts, async (inputs, ends) => {
        const log = await newLog()
        for (const name of names) await log.createTopic(name, { partitions: 1 })
        const fromMs = Date.now() - 60_000
        let n = 0
        const told = inputs.map((events, from) => {
          return events.map(({ key, timeMs }) => ({ key, timeMs, from, n: n++ }))
        })
        const all = asTheyCome(told)
        const live = pipelinesOf('live')
        const starts = [0, ...ends.filter((end) => end < all.length).sort((a, b) => a - b)]
        for (const [number, start] of starts.entries()) {
          for (const { from, timeMs, key, n } of all.slice(start, starts[number + 1])) {
            await appendAll(log, names[from]!, [{ key, time: fromMs + timeMs, value: { n, key } }])
          }
          await runUntilCaughtUp(log, live)
        }
        const { audits } = await runUntilCaughtUp(log, pipelinesOf('replay'))
        for (const { imbalances } of audits.values()) assert.deepEqual(imbalances, [])
        await check(log, all)
        await log.close()
      }),
      { numRuns: isOnKafka() ? 1 : 2, endOnFailure: true },
    )
  })
})
