import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isOnKafka } from '../../scripts/test-kafka.ts'
import { newLog } from '../log/log-testing.ts'
import { pipeline } from './pipeline.ts'
import { planOf } from './plan.ts'
import { rolling } from './rolling-feature.ts'
import { appendAll, readAll, readValues, runUntilCaughtUp } from './testing.ts'
import { topic } from './topic.ts'

interface Payment {
  readonly id: string
  readonly card: string
  readonly terminal: string
  readonly amount: number
}

const payments = topic<Payment>('payments', { partitions: 2 })
const hour = 3_600_000

const enriched = pipeline('enriched')
  .from(payments)
  .add({
    spent1h: rolling.sum('amount', { by: 'card', over: '1h' }),
    payments1h: rolling.count({ by: 'card', over: '1h' }),
    mean2h: rolling.mean('amount', { by: 'terminal', over: '2h', delay: '1h' }),
  })
  .to(topic('enriched'))

interface Told {
  readonly payment: Payment
  readonly time: number
}

/** The same by looking at all payments for each. */
function slowly(told: readonly Told[], { payment, time }: Told) {
  const within = (fromMs: number, toMs: number, same: (other: Payment) => boolean) =>
    told
      .filter((one) => one.time > fromMs && one.time <= toMs && same(one.payment))
      .map((one) => one.payment.amount)
  const sum = (amounts: readonly number[]) => amounts.reduce((total, one) => total + one, 0)
  const ofCard = within(time - hour, time, ({ card }) => card === payment.card)
  const ofTerminal = within(time - 3 * hour, time - hour, (one) => {
    return one.terminal === payment.terminal
  })
  return {
    ...payment,
    spent1h: sum(ofCard),
    payments1h: ofCard.length,
    mean2h: ofTerminal.length === 0 ? null : sum(ofTerminal) / ofTerminal.length,
  }
}

describe('features from history', () => {
  it('are what a look at all that came before would give, over restarts', async () => {
    const payment = fc.record({
      card: fc.constantFrom('a', 'b', 'c'),
      terminal: fc.constantFrom('x', 'y'),
      amount: fc.integer({ min: 0, max: 1000 }),
      // All times differ, so each payment has all that came before it.
      afterMs: fc.integer({ min: 1, max: hour }),
    })
    const runs = fc.array(fc.array(payment, { maxLength: 20, size: 'max' }), {
      minLength: 1,
      maxLength: 3,
    })
    await fc.assert(
      fc.asyncProperty(runs, async (drawn) => {
        const log = await newLog()
        await log.createTopic('payments', { partitions: 2 })
        const all: Told[] = []
        let time = 0
        for (const run of drawn) {
          for (const { afterMs, ...rest } of run) {
            time += afterMs
            const told = { payment: { id: String(all.length), ...rest }, time }
            all.push(told)
            // One by one: in one partition they are read in the order of their times.
            await appendAll(log, 'payments', [{ partition: 0, time, value: told.payment }])
          }
          const { audits } = await runUntilCaughtUp(log, [enriched])
          assert.deepEqual(audits.get('enriched')!.imbalances, [])
        }
        const found = (await readValues(log, 'enriched')) as Payment[]
        assert.deepEqual(
          found.sort((one, other) => Number(one.id) - Number(other.id)),
          all.map((told) => slowly(all, told)),
        )
        await log.close()
      }),
      { numRuns: isOnKafka() ? 1 : 5, endOnFailure: true },
    )
  })

  it('of a hot key are kept in buckets, which is what they say', async () => {
    const log = await newLog()
    const minute = 60_000
    await log.createTopic('payments', { partitions: 1 })
    const coarse = pipeline('coarse')
      .from(topic<Payment>('payments', { partitions: 1 }))
      .add(
        { spent1h: rolling.sum('amount', { over: '1h' }) },
        { lateness: '1m', resolution: '10m' },
      )
      .to(topic<Payment & { spent1h: number }>('coarse', { partitions: 1 }))
    const times = Array.from({ length: 3000 }, (_, number) => 1000 + number * 7001)
    const value = { card: 'a', terminal: 'x', amount: 1 }
    for (const half of [times.slice(0, 1500), times.slice(1500)]) {
      const told = half.map((time) => ({ key: 'a', time, value: { id: String(time), ...value } }))
      await appendAll(log, 'payments', told)
      await runUntilCaughtUp(log, [coarse])
    }
    const found = (await readValues(log, 'coarse')) as { id: string; spent1h: number }[]
    const begin = (time: number) => Math.floor((time - hour) / (10 * minute)) * 10 * minute
    assert.deepEqual(
      found.map(({ id, spent1h }) => [Number(id), spent1h]),
      times.map((time) => [time, times.filter((at) => at > begin(time) && at <= time).length]),
    )
    const stored = await log.state('coarse.add-amount', 0, ['k/a'])
    const sizeBytes = stored.get('k/a')!.length
    assert.ok(sizeBytes < 5000, `${sizeBytes} bytes of one key`)
    await log.close()
  })

  it("go by the messages' own key, also beside others that go by a field", async () => {
    const log = await newLog()
    const both = pipeline('both')
      .from(payments)
      .add({
        ofTerminal: rolling.count({ by: 'terminal', over: '1h' }),
        ofKey: rolling.count({ over: '1h' }),
      })
      .to(topic('both'))
    await log.createTopic('payments', { partitions: 2 })
    for (const [id, card, terminal] of ['1 a x', '2 b x', '3 a y'].map((one) => one.split(' '))) {
      await appendAll(log, 'payments', [
        { key: card!, time: Number(id), value: { id, card, terminal, amount: 1 } },
      ])
      await runUntilCaughtUp(log, [both])
    }
    const found = (await readValues(log, 'both')) as { id: string }[]
    assert.deepEqual(
      found.sort((one, other) => Number(one.id) - Number(other.id)),
      [
        { id: '1', card: 'a', terminal: 'x', amount: 1, ofTerminal: 1, ofKey: 1 },
        { id: '2', card: 'b', terminal: 'x', amount: 1, ofTerminal: 2, ofKey: 1 },
        { id: '3', card: 'a', terminal: 'y', amount: 1, ofTerminal: 1, ofKey: 2 },
      ],
    )
    await log.close()
  })

  it('need numbers to reckon with; what waits for none is a dead letter', async () => {
    const log = await newLog()
    await log.createTopic('payments', { partitions: 2 })
    await appendAll(log, 'payments', [
      { time: 1, value: { id: '1', card: 'a', terminal: 'x', amount: 'much' } },
      { time: 2, value: { id: '2', terminal: 'x', amount: 1 } },
      { time: 3, value: { id: '3', card: 'a', terminal: 'x', amount: 1 } },
    ])
    const { audits } = await runUntilCaughtUp(log, [enriched])
    const audit = audits.get('enriched')!
    assert.deepEqual(audit.imbalances, [])
    assert.equal(audit.steps.get('add-by-card-amount')!.deadLettered, 1)
    assert.equal(audit.steps.get('add-by-card-key')!.deadLettered, 1)
    const [only] = await readAll(log, 'enriched')
    assert.ok(!only!.headers.some(({ key }) => key === 'millrace.watermark'))
    await log.close()
  })

  it('are part of the plan', () => {
    const hash = (over: string) => {
      const feature = { spent: rolling.sum('amount', { by: 'card', over }) }
      const chain = pipeline('one').from(payments).add(feature).to(topic('out'))
      return planOf([chain['~pipeline']]).pipelines[0]!.hash
    }
    assert.equal(hash('1h'), hash('60m'))
    assert.notEqual(hash('1h'), hash('2h'))
  })
})

describe('distinct', () => {
  it('lets one of a key through within a time, over restarts, and balances', async () => {
    const log = await newLog()
    const once = pipeline('once')
      .from(payments)
      .keyBy((payment) => payment.id)
      .distinct('first', { within: '10s', late: topic('late') })
      .to(topic('once'))
    await log.createTopic('payments', { partitions: 2 })
    const put = (id: string, time: number) =>
      appendAll(log, 'payments', [{ time, value: { id, card: 'a', terminal: 'x', amount: time } }])
    for (const [id, time] of [
      ...([
        ['a', 0],
        ['b', 1000],
        ['a', 9999],
        ['a', 10_000],
        ['b', 30_000],
        ['c', 5000],
      ] as const),
    ]) {
      await put(id, time)
      const { audits } = await runUntilCaughtUp(log, [once])
      assert.deepEqual(audits.get('once')!.imbalances, [])
    }
    const passed = (await readValues(log, 'once')) as Payment[]
    assert.deepEqual(passed.map(({ id, amount }) => [id, amount]).sort(), [
      ['a', 0],
      ['a', 10_000],
      ['b', 1000],
      ['b', 30_000],
    ])
    assert.equal((await readAll(log, 'late')).length, 1)
    await log.close()
  })
})

describe('state of its own', () => {
  it('changes with what its function returns of, over restarts, and dies in time', async () => {
    const log = await newLog()
    const numbered = pipeline('numbered')
      .from(payments)
      .keyBy((payment) => payment.card)
      .process('number', {
        start: () => ({ count: 0 }),
        message: (state, payment, at) => {
          state.count++
          if (payment.amount < 0) throw new RangeError('less than nothing')
          if (payment.amount === 0) at.forget()
          return payment.amount > 1000 ? undefined : { id: payment.id, count: state.count }
        },
        timeToLive: '1h',
      })
      .to(topic('numbered'))
    await log.createTopic('payments', { partitions: 2 })
    const amounts = [5, -1, 5, 2000, 0, 5]
    for (const [index, amount] of [...amounts, 7].entries()) {
      const time = index < amounts.length ? index : 3 * hour
      const value = { id: String(index), card: 'a', terminal: 'x', amount }
      await appendAll(log, 'payments', [{ time, value }])
      const { audits } = await runUntilCaughtUp(log, [numbered])
      assert.deepEqual(audits.get('numbered')!.imbalances, [])
    }
    assert.deepEqual(await readValues(log, 'numbered'), [
      ...[
        { id: '0', count: 1 },
        { id: '2', count: 2 },
      ],
      ...[
        { id: '4', count: 4 },
        { id: '5', count: 1 },
      ],
      { id: '6', count: 1 },
    ])
    await log.close()
  })
})
