import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import { isOnKafka } from '../../scripts/test-kafka.ts'
import { newLog } from '../log/log-testing.ts'
import { partitionOf } from '../log/partitioner.ts'
import { replayDeadLetters } from './dead-letter-store.ts'
import { pipeline } from './pipeline.ts'
import { planOf } from './plan.ts'
import { planText } from './plan-text.ts'
import { rolling } from './rolling-feature.ts'
import { table } from './table.ts'
import { appendAll, readValues, runUntilCaughtUp } from './testing.ts'
import { topic } from './topic.ts'

interface Payment {
  readonly id: number
  readonly card: string
  readonly terminal: string
}

const minute = 60_000
const payments = topic<Payment>('payments', { partitions: 2 })
const labels = topic('labels', {
  schema: z.object({ shop: z.string(), card: z.string(), fraud: z.number().nullable() }),
  partitions: 3,
})

type Label = { readonly shop: string; readonly card: string; readonly fraud: number | null }

/** By a field with two names, by one with the same name, with a delay and without. */
const risky = pipeline('risky')
  .from(payments)
  .add({
    risk: rolling.mean('fraud', {
      ...({ by: 'terminal', over: '30m', delay: '10m' } as const),
      ...({ from: labels, fromBy: 'shop' } as const),
    }),
    known: rolling.count({ by: 'terminal', over: '1h', from: labels, fromBy: 'shop' }),
    frauds: rolling.sum('fraud', { by: 'card', over: '20m', delay: '1m', from: labels }),
    payments1h: rolling.count({ by: 'card', over: '1h' }),
  })
  .to(topic('risky'))

interface Told<Value> {
  readonly value: Value
  readonly time: number
}

/** The same by looking at all labels for a payment. */
function slowly(told: readonly Told<Label>[], { value: payment, time }: Told<Payment>) {
  const within = (fromMs: number, toMs: number, same: (label: Label) => boolean) =>
    told
      .filter((one) => one.time > time - fromMs && one.time <= time - toMs && same(one.value))
      .map(({ value }) => value.fraud)
  const numbers = (all: readonly (number | null)[]) => all.filter((one) => one !== null)
  const sum = (all: readonly number[]) => all.reduce((total, one) => total + one, 0)
  const ofShop = ({ shop }: Label) => shop === payment.terminal
  const delayed = numbers(within(40 * minute, 10 * minute, ofShop))
  return {
    risk: delayed.length === 0 ? null : sum(delayed) / delayed.length,
    known: within(60 * minute, 0, ofShop).length,
    frauds: sum(numbers(within(21 * minute, minute, ({ card }) => card === payment.card))),
  }
}

describe('features from another topic', () => {
  it('are what a look at all of it would give, over restarts, however late and in any order', async () => {
    const where = { card: fc.constantFrom('a', 'b'), terminal: fc.constantFrom('x', 'y') }
    const atMs = fc.integer({ min: 0, max: 90 * minute })
    const payment = fc.record({ ...where, atMs, partition: fc.nat(1) })
    const fraud = fc.constantFrom(0, 1, null)
    const label = fc.record({ ...where, atMs, partition: fc.nat(2), fraud })
    const list = <T>(one: fc.Arbitrary<T>) => fc.array(one, { maxLength: 25, size: 'max' })
    const run = fc.record({ payments: list(payment), labels: list(label) })
    const runs = fc.array(run, { minLength: 2, maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(runs, async (drawn) => {
        const log = await newLog()
        await log.createTopic('payments', { partitions: 2 })
        await log.createTopic('labels', { partitions: 3 })
        const told: Told<Label>[] = []
        const wanted: object[] = []
        let id = 0
        for (const [number, all] of drawn.entries()) {
          // Of one run to the next within the lateness, so that no payment is late.
          const startMs = number * 45 * minute
          const inOne = all.labels.map(({ terminal, card, fraud, atMs, partition }) => {
            const one = { value: { shop: terminal, card, fraud }, time: startMs + atMs }
            told.push(one)
            return { ...one, partition }
          })
          await appendAll(log, 'labels', inOne)
          const asked = all.payments.map(({ atMs, partition, ...rest }) => {
            return { value: { id: id++, ...rest }, time: startMs + (atMs % minute), partition }
          })
          await appendAll(log, 'payments', asked)
          for (const one of asked) wanted.push({ ...one.value, ...slowly(told, one) })
          const { audits } = await runUntilCaughtUp(log, [risky])
          assert.deepEqual(audits.get('risky')!.imbalances, [])
          assert.equal(audits.get('risky')!.steps.get('add-by-card-count')!.late, 0)
        }
        const found = (await readValues(log, 'risky')) as (Payment & { payments1h?: number })[]
        for (const one of found) delete one.payments1h
        const byId = (one: Payment, other: Payment) => one.id - other.id
        assert.deepEqual(found.sort(byId), (wanted as Payment[]).sort(byId))
        await log.close()
      }),
      { numRuns: isOnKafka() ? 1 : 2, endOnFailure: true },
    )
  })

  it("go by the messages' own keys too, whatever partitions their topics have", async () => {
    const log = await newLog()
    const own = pipeline('own')
      .from(payments)
      .add({ frauds: rolling.sum('fraud', { over: '1h', from: labels }) })
      .to(topic('own'))
    await log.createTopic('payments', { partitions: 5 })
    await log.createTopic('labels', { partitions: 2 })
    const label = (key: string, fraud: number, partition: number) => {
      return { key, partition, time: 1, value: { shop: 's', card: 'c', fraud } }
    }
    await appendAll(log, 'labels', [label('k1', 1, 0), label('k1', 2, 1), label('k2', 4, 0)])
    const keys = ['k1', 'k2', 'k3']
    await appendAll(
      log,
      'payments',
      keys.map((key, id) => {
        const partition = partitionOf(Buffer.from(key), 5, 0)
        return { key, partition, time: 2, value: { id, card: 'a', terminal: 'x' } }
      }),
    )
    const { audits } = await runUntilCaughtUp(log, [own])
    assert.deepEqual(audits.get('own')!.imbalances, [])
    const found = (await readValues(log, 'own')) as { id: number; frauds: number }[]
    assert.deepEqual(found.map(({ id, frauds }) => [id, frauds]).sort(), [
      [0, 3],
      [1, 4],
      [2, 0],
    ])
    await log.close()
  })

  it('bury what cannot be counted, again where it comes back, and count the rest', async () => {
    const log = await newLog()
    const loose = topic<{ terminal: string; fraud: number }>('labels')
    const counted = pipeline('loose')
      .from(payments)
      .add({
        risk: rolling.sum('fraud', { by: 'terminal', over: '1h', from: loose }),
        known: rolling.count({ by: 'terminal', over: '1h', from: loose }),
      })
      .to(topic('loose'))
    await log.createTopic('labels', { partitions: 1 })
    await log.createTopic('payments', { partitions: 2 })
    await appendAll(log, 'labels', [
      { time: 1, value: { terminal: 'x', fraud: 'yes' } },
      { time: 1, value: { fraud: 1 } },
      { time: 2, value: { terminal: 'x', fraud: 1 } },
      { time: 2, key: 'x', value: null },
    ])
    const pay = (id: number) =>
      appendAll(log, 'payments', [{ time: 5 + id, value: { id, card: 'a', terminal: 'x' } }])
    await pay(0)
    let { audits } = await runUntilCaughtUp(log, [counted])
    const audit = audits.get('loose')!
    assert.deepEqual(audit.imbalances, [])
    assert.equal(audit.steps.get('add-by-terminal-from-labels-key')!.deadLettered, 1)
    assert.equal(audit.steps.get('add-by-terminal-from-labels-key')!.filtered, 1)
    assert.equal(audit.steps.get('add-by-terminal-fraud-from-labels')!.deadLettered, 1)
    await replayDeadLetters(log, 'loose', {})
    ;({ audits } = await runUntilCaughtUp(log, [counted]))
    assert.deepEqual(audits.get('loose')!.imbalances, [])
    assert.deepEqual(await readValues(log, 'loose'), [
      { id: 0, card: 'a', terminal: 'x', risk: 1, known: 1 },
    ])
    await log.close()
  })

  it('are part of the plan, and of one topic once', () => {
    const text = planText(planOf([risky['~pipeline']]))
    assert.match(text, /from {2}topic labels: exactly once, into 'add-by-terminal-from-labels-key'/)
    assert.match(text, /risk = mean over 30 min, 10 min before/)
    assert.match(text, /adds of 'fraud' of topic labels/)
    const chain = pipeline('twice')
      .from(payments)
      .keyBy((payment) => payment.card)
      .join('label', table(labels))
      .add({ frauds: rolling.sum('fraud', { by: 'card', over: '1h', from: labels }) })
      .to(topic('twice'))
    assert.throws(() => planOf([chain['~pipeline']]), {
      code: 'PIPELINE_INVALID',
      message: /reads topic labels already/,
    })
  })
})
