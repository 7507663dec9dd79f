import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Log } from '../log/log.ts'
import { newLog } from '../log/log-testing.ts'
import type { LookupUse } from '../lookups/lookup.ts'
import { deadLetters, replayDeadLetters } from './dead-letter-store.ts'
import { pipeline } from './pipeline.ts'
import { rolling } from './rolling-feature.ts'
import { appendAll, readAll, readValues, runUntilCaughtUp } from './testing.ts'
import { topic } from './topic.ts'

interface Payment {
  readonly card: string
  readonly amount: number
}

const one = { partitions: 1 }
const payments = topic<Payment>('payments', one)
const startMs = Date.now() - 3_600_000
const pay = (log: Log, card: string, atMs: number, amount = 1) =>
  appendAll(log, 'payments', [{ time: startMs + atMs, value: { card, amount } }])

async function logOf(...topics: readonly string[]) {
  const log = await newLog()
  for (const name of topics) await log.createTopic(name, one)
  return log
}

async function run(log: Log, given: Parameters<typeof runUntilCaughtUp>[1][number]) {
  const { audits } = await runUntilCaughtUp(log, [given])
  for (const audit of audits.values()) assert.deepEqual(audit.imbalances, [])
}

async function wordsOf(log: Log, name: string) {
  const words: string[] = []
  for await (const { step, message } of deadLetters(log, name)) words.push(`${step}: ${message}`)
  return words.sort()
}

const tiers: LookupUse<string, string> = {
  ...{ kind: 'lookup', part: 'test', options: {}, maxKeys: 4, place: 'a test system' },
  schema: undefined,
  open: async () => ({
    find: async (keys, { answer }) => keys.forEach((key, index) => void answer(index, `t-${key}`)),
    close: async () => undefined,
  }),
}

describe('a replay behind steps with state', () => {
  it('goes on with what they made of the message then, and of the timers between', async () => {
    let isBroken = false
    const judged = (name: string) =>
      pipeline(name)
        .from(payments)
        .flatMap('parts', (payment) => [payment, payment])
        .add({ seen: rolling.count({ by: 'card', over: '1h' }) })
        .keyBy()
        .process('ends', {
          start: () => ({ open: 0 }),
          message: (state, { card, seen }, at) => {
            at.setTimer(at.timeMs + 100)
            return { card, seen, open: ++state.open }
          },
          timer: ({ open }, { key }) => ({ card: key, seen: -1, open }),
        })
        .lookup('tier', tiers, { by: ({ card }) => card })
        .map('score', (value) => {
          if (isBroken) throw new Error('broken')
          return value
        })
        .to(topic<object>(`${name}-out`, one))
    const log = await logOf('payments')
    await pay(log, 'ann', 0)
    await pay(log, 'ben', 50)
    await pay(log, 'ann', 1000)
    await run(log, judged('whole'))
    isBroken = true
    await run(log, judged('late'))
    assert.equal((await wordsOf(log, 'late')).length, 8)
    isBroken = false
    // The state is another one by then.
    await pay(log, 'ann', 1001)
    await run(log, judged('whole'))
    await replayDeadLetters(log, 'late', {})
    await run(log, judged('late'))
    assert.deepEqual(await wordsOf(log, 'late'), [])
    const told = async (name: string) =>
      (await readAll(log, `${name}-out`))
        .map(({ id, time, value }) => `${id.replace(/^\w+\/0/, '')} ${time} ${value}`)
        .sort()
    assert.deepEqual(await told('late'), await told('whole'))
    await log.close()
  })

  it('comes to the second of two steps that count another topic', async () => {
    const flags = topic<{ card: string; fraud: number }>('flags', one)
    const counted = pipeline('counted')
      .from(payments)
      .add({
        known: rolling.count({ by: 'card', over: '1h', from: flags }),
        risk: rolling.sum('fraud', { by: 'card', over: '1h', from: flags }),
      })
      .to(topic<object>('counted', one))
    const log = await logOf('payments', 'flags')
    await appendAll(log, 'flags', [{ time: startMs, value: { card: 'ann', fraud: 'yes' } }])
    await run(log, counted)
    const [words = ''] = await wordsOf(log, 'counted')
    await replayDeadLetters(log, 'counted', {})
    await run(log, counted)
    assert.deepEqual(await wordsOf(log, 'counted'), [words])
    await log.close()
  })

  it('is not there for what JSON cannot hold, which stops nobody', async () => {
    const log = await logOf('payments')
    const big = pipeline('big')
      .from(payments)
      .keyBy(({ card }) => card)
      .process('big', {
        start: () => 0,
        message: (_, { amount }, at) => {
          at.setTimer(at.timeMs + 1)
          return { amount: amount === 2 ? BigInt(amount) : amount }
        },
        timer: (_, { key }) => ({ amount: key === 'ann' ? 1n : 0 }),
      })
      .to(topic<object>('big', one))
    await pay(log, 'ann', 0)
    await pay(log, 'ben', 0, 2)
    await pay(log, 'cat', 1000)
    await run(log, big)
    const words = await wordsOf(log, 'big')
    assert.deepEqual(words, Array(2).fill('to-big: Do not know how to serialize a BigInt'))
    const told = (await readValues(log, 'big')) as { amount: number }[]
    assert.deepEqual(told.map(({ amount }) => amount).sort(), [0, 1, 1])
    await replayDeadLetters(log, 'big', {})
    await run(log, big)
    assert.equal((await wordsOf(log, 'big')).length, 2)
    await log.close()
  })
})
