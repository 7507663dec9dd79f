import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isOnKafka } from '../../scripts/test-kafka.ts'
import { newLog } from '../log/log-testing.ts'
import { partitionOf } from '../log/partitioner.ts'
import { http } from '../lookups/http.ts'
import { generate } from '../sources/generate.ts'
import type { Definition } from './definition.ts'
import { labelledRows, readLabels } from './history-labels.ts'
import { withHistory } from './history-run.ts'
import { classifier } from './model-use.ts'
import { pipeline } from './pipeline.ts'
import { rolling } from './rolling-feature.ts'
import { table } from './table.ts'
import { appendAll, readAll, runUntilCaughtUp } from './testing.ts'
import { topic } from './topic.ts'

interface Payment {
  readonly number: number
  readonly card: string
  readonly terminal: string
  readonly amount: number
}

interface Label {
  readonly number: number
  readonly terminal: string
  readonly fraud: number
}

interface Told<Value> {
  readonly time: number
  readonly value: Value
}

const minute = 60_000
const delayMs = 10 * minute
const payments = topic<Payment>('payments', { partitions: 3 })
const labels = topic<Label>('labels', { partitions: 2 })
const features = topic<Payment & { risk: number | null }>('features')
type Log = Awaited<ReturnType<typeof newLog>>

const score = pipeline('score')
  .from(payments)
  .filter('no-tests', ({ amount }) => amount < 99)
  .add({
    spent: rolling.sum('amount', { over: '30m' }),
    usual: rolling.mean('amount', { over: '1h', delay: '5m' }),
    risk: rolling.mean('fraud', { by: 'terminal', over: '1h', delay: '10m', from: labels }),
  })
  .to(features)

async function withTopics(): Promise<Log> {
  const log = await newLog()
  await log.createTopic('payments', { partitions: 3 })
  await log.createTopic('labels', { partitions: 2 })
  return log
}

const pay = (log: Log, all: readonly Told<Payment>[]) =>
  appendAll(
    log,
    'payments',
    all.map(({ time, value }) => {
      const partition = partitionOf(Buffer.from(value.card), 3, 0)
      return { key: value.card, partition, time, value }
    }),
  )

const label = (log: Log, all: readonly Told<Label>[]) =>
  appendAll(
    log,
    'labels',
    all.map(({ time, value }) => ({ partition: value.number % 2, time, value })),
  )

const byId = (rows: readonly { readonly id: string; readonly value: unknown }[]) =>
  new Map([...rows].sort((one, other) => (one.id < other.id ? -1 : 1)).map((row) => [row.id, row]))

const historyOf = (log: Log, before?: string) =>
  withHistory(log, score['~pipeline'], { before }, async (history) => ({
    ...history,
    all: await Array.fromAsync(history.rows()),
  }))

const payment = fc.record({
  card: fc.constantFrom('a', 'b', 'c', 'd'),
  terminal: fc.constantFrom('x', 'y'),
  amount: fc.integer({ min: 0, max: 100 }),
  afterMs: fc.integer({ min: -20 * minute, max: 30 * minute }),
  fraud: fc.nat(1),
})

/** Payments with their labels; not in the order of time, and now and then one that is late. */
function told(drawn: readonly (typeof payment extends fc.Arbitrary<infer T> ? T : never)[]) {
  let time = 100 * minute
  return drawn.map(({ afterMs, fraud, ...rest }, number) => {
    time += afterMs
    const value = { number, ...rest }
    return {
      payment: { time, value },
      label: { time, value: { number, terminal: rest.terminal, fraud } },
    }
  })
}

describe('the history of a pipeline', () => {
  it('gives the very rows that were given live, over restarts, late ones apart', async () => {
    const batches = fc.array(fc.array(payment, { maxLength: 15, size: 'max' }), {
      ...{ minLength: 2, maxLength: 3 },
    })
    await fc.assert(
      fc.asyncProperty(batches, async (drawn) => {
        const log = await withTopics()
        const all = told(drawn.flat())
        const waiting = all.map((one) => one.label)
        let from = 0
        let late = 0
        for (const { length } of drawn) {
          const batch = all.slice(from, from + length).map((one) => one.payment)
          from += length
          // Labels are there by the time from which on they count, some sooner.
          const untilMs = Math.max(...batch.map(({ time }) => time)) - delayMs
          const due = waiting.filter(({ time }, place) => time <= untilMs || place % 5 === 0)
          for (const one of due) waiting.splice(waiting.indexOf(one), 1)
          await label(log, due)
          await pay(log, batch)
          const { audits } = await runUntilCaughtUp(log, [score])
          late = audits.get('score')!.steps.get('add-amount')?.late ?? 0
        }
        await label(log, waiting)
        const live = (await readAll(log, 'features')).map(({ id, time, value }) => {
          return { id, timeMs: time, value: JSON.parse(String(value)) as unknown }
        })
        const history = await historyOf(log)
        assert.deepEqual(byId(history.all), byId(live))
        assert.deepEqual([history.late, history.deadLetters], [late, 0])
        assert.deepEqual([history.messages, history.before], [all.length, 'to-features'])
        assert.deepEqual(history.features, ['spent', 'usual', 'risk'])
        await log.close()
      }),
      { numRuns: isOnKafka() ? 1 : 2, endOnFailure: true },
    )
  })

  it('knows nothing of what came later: other messages then change no row before', async () => {
    const list = fc.array(payment, { minLength: 8, maxLength: 20, size: 'max' })
    const numberOf = ({ value }: { value: unknown }) => (value as Payment).number
    await fc.assert(
      fc.asyncProperty(list, fc.nat(20), async (drawn, share) => {
        // Nothing is late: what is left out for it is another matter.
        const near = drawn.map((one) => ({ ...one, afterMs: Math.max(one.afterMs, -minute) }))
        const all = told(near)
        const untilMs = all[Math.min(share, all.length - 1)]!.payment.time
        const other = all.map((one) => {
          if (one.payment.time <= untilMs) return one
          const amount = one.payment.value.amount + 1
          const fraud = 1 - one.label.value.fraud
          return {
            payment: { ...one.payment, value: { ...one.payment.value, amount } },
            label: { ...one.label, value: { ...one.label.value, fraud } },
          }
        })
        const rows = []
        for (const each of [all, other]) {
          const log = await withTopics()
          await pay(
            log,
            each.map((one) => one.payment),
          )
          await label(
            log,
            each.map((one) => one.label),
          )
          const { all: found } = await historyOf(log)
          const before = found.filter(({ timeMs }) => timeMs <= untilMs)
          rows.push(new Map(before.map((row) => [numberOf(row), { ...row, id: '' }])))
          await log.close()
        }
        assert.deepEqual(rows[1], rows[0])
        const kept = all.filter(
          ({ payment: { time, value } }) => time <= untilMs && value.amount < 99,
        )
        assert.equal(rows[0]!.size, kept.length)
      }),
      { numRuns: isOnKafka() ? 1 : 2, endOnFailure: true },
    )
  })

  it('gives rows the label that they got in the end, when it had its time', async () => {
    const log = await withTopics()
    const at = (number: number) => ({ number, card: 'a', terminal: 'x', amount: 1 })
    await pay(
      log,
      [0, 1, 2, 3, 40].map((number) => ({ time: number * minute, value: at(number) })),
    )
    const is = (number: number, time: number, fraud: number) => ({
      ...{ time: time * minute, value: { number, terminal: 'x', fraud } },
    })
    // Told again and otherwise; of a row that is too young; of none.
    await label(log, [is(1, 1, 0), is(1, 3, 1), is(2, 2, 0), is(40, 40, 1), is(77, 1, 1)])
    const options = {
      ...{ topic: labels as never, field: 'fraud', delayMs: 37 * minute },
      on: { row: 'number', label: 'number' },
    }
    const known = await readLabels(log, options)
    for (const otherwise of [undefined, 0]) {
      const counts = { labelled: 0, otherwise: 0, young: 0, unlabelled: 0 }
      const found = await withHistory(log, score['~pipeline'], {}, (history) => {
        const given = { ...options, otherwise }
        return Array.fromAsync(labelledRows(() => history.rows(), known, given, counts))
      })
      const seen = found.map(({ value }) => [(value as Label).number, (value as Label).fraud])
      const none = otherwise === undefined ? [] : [[0, 0]]
      const old = otherwise === undefined ? [] : [[3, 0]]
      assert.deepEqual(seen, [...none, [1, 1], [2, 0], ...old])
      const rest =
        otherwise === undefined ? { unlabelled: 2, otherwise: 0 } : { unlabelled: 0, otherwise: 2 }
      assert.deepEqual(counts, { labelled: 2, young: 1, ...rest })
    }
    await log.close()
  })

  it('leaves the log as it was, and refuses what would be another thing today', async () => {
    const log = await withTopics()
    await pay(log, [{ time: 1, value: { number: 1, card: 'a', terminal: 'x', amount: 5 } }])
    const { all } = await historyOf(log, 'add-amount')
    assert.deepEqual(
      all.map(({ value }) => value),
      [{ number: 1, card: 'a', terminal: 'x', amount: 5 }],
    )
    assert.deepEqual((await log.topics()).map(({ name }) => name).sort(), ['labels', 'payments'])
    assert.deepEqual(await log.groups(), [])
    const start = () => pipeline('other').from(payments)
    await log.createTopic('kept', { cleanup: 'compact' })
    const kept = topic<Label>('kept', { cleanup: 'compact' })
    const spam = classifier('spam', { labels: ['yes', 'no'] })
    const asked = http<unknown>({ url: 'http://127.0.0.1:9/{key}' })
    const others: [RegExp, { readonly '~pipeline': Definition }][] = [
      [
        /newest/,
        start()
          .keyBy()
          .join('label', table(labels, { readFirst: true }))
          .to(topic('o')),
      ],
      [/compacted/, start().keyBy().join('label', table(kept)).to(topic('o'))],
      [
        /a model.*--before spam$/,
        start()
          .predict('spam', spam, { input: ({ card }) => card })
          .to(topic('o')),
      ],
      [
        /another system.*--before known$/,
        start()
          .lookup('known', asked, { by: ({ card }) => card })
          .to(topic('o')),
      ],
      [
        /source/,
        pipeline('other')
          .from(generate({ name: 'g', count: 1, value: () => 1 }))
          .to(topic('o')),
      ],
    ]
    for (const [message, other] of others) {
      const history = withHistory(
        log,
        other['~pipeline'],
        { before: 'to-o' },
        async () => undefined,
      )
      await assert.rejects(history, { code: 'PIPELINE_INVALID', message })
    }
    await assert.rejects(historyOf(log, 'add-amuont'), {
      code: 'STEP_UNKNOWN',
      message: /add-amount/,
    })
    await log.close()
  })
})
