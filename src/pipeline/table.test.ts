import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { newLog } from '../log/log-testing.ts'
import { partitionOf } from '../log/partitioner.ts'
import { ensureTopics } from './ensure-topics.ts'
import { pipeline } from './pipeline.ts'
import { planOf } from './plan.ts'
import { table } from './table.ts'
import { appendAll, readValues, runUntilCaughtUp } from './testing.ts'
import { topic } from './topic.ts'

interface Order {
  readonly number: number
  readonly customer: string
}

const orders = topic<Order>('orders', { partitions: 3 })
const customers = topic('customers', {
  schema: z.object({ name: z.string(), since: z.coerce.date() }),
  ...{ partitions: 2, cleanup: 'compact' },
})
const since = '2020-01-01T00:00:00.000Z'

const named = pipeline('named')
  .from(orders)
  .keyBy((order) => order.customer)
  .join('who', table(customers, { readFirst: true }))
  .map('flat', ({ number, who }) => ({
    ...{ number, who: who?.name ?? null, year: who?.since.getUTCFullYear() ?? null },
  }))
  .to(topic('named'))

type Found = { readonly number: number; readonly who: string | null }

async function found(log: Parameters<typeof readValues>[0], name: string) {
  const values = (await readValues(log, name)) as Found[]
  return values
    .sort((one, other) => one.number - other.number)
    .map(({ number, who }) => [number, who])
}

describe('a topic as a table', () => {
  it('gives what is newest, forgets what was deleted, and is read first where it should be', async () => {
    const log = await newLog()
    await ensureTopics(log, planOf([named['~pipeline']]))
    assert.equal((await log.topic('named.who-key.repartition'))!.partitions, 2)
    const ask = (number: number, customer: string) =>
      appendAll(log, 'orders', [
        { partition: number % 3, time: number, value: { number, customer } },
      ])
    const put = async (customer: string, name: string | null) => {
      const keyed = { key: customer, time: 1000, value: name === null ? null : { name, since } }
      // Where its key belongs is found out by writing it there through a pipeline.
      await appendAll(log, 'customers', [{ ...keyed, partition: placeOf(customer) }])
    }
    await ask(1, 'a')
    await ask(2, 'b')
    await put('a', 'Ann')
    await put('a', 'Anna')
    let { audits } = await runUntilCaughtUp(log, [named])
    assert.deepEqual(await found(log, 'named'), [
      [1, 'Anna'],
      [2, null],
    ])
    await put('a', null)
    await put('b', 'Ben')
    await ask(3, 'a')
    await ask(4, 'b')
    ;({ audits } = await runUntilCaughtUp(log, [named]))
    assert.deepEqual(await found(log, 'named'), [
      ...[
        [1, 'Anna'],
        [2, null],
      ],
      ...[
        [3, null],
        [4, 'Ben'],
      ],
    ])
    assert.deepEqual(audits.get('named')!.imbalances, [])
    assert.equal(audits.get('named')!.steps.get('who')!.absorbed, 4)
    await log.close()
  })

  it('gives what held at the time of a message', async () => {
    const log = await newLog()
    const rates = topic<{ name: string }>('rates', { partitions: 2 })
    const asked = pipeline('asked')
      .from(orders)
      .keyBy((order) => order.customer)
      .join('who', table(rates, { asOf: '1s', readFirst: true }), { late: topic('late') })
      .map('flat', ({ number, who }) => ({ number, who: who?.name ?? null }))
      .to(topic('asked'))
    await ensureTopics(log, planOf([asked['~pipeline']]))
    const partition = placeOf('a')
    // Kafka forgets what is older than a week.
    const from = Date.now() - 60_000
    const at = (time: number, name: string) => {
      return { key: 'a', time: from + time, partition, value: { name } }
    }
    await appendAll(log, 'rates', [at(1000, 'first'), at(3000, 'third'), at(2000, 'second')])
    await appendAll(
      log,
      'orders',
      [500, 1000, 2500, 3500, 2600, 2400].map((time, number) => {
        return { time: from + time, partition: 0, value: { number, customer: 'a' } }
      }),
    )
    const { audits } = await runUntilCaughtUp(log, [asked])
    assert.deepEqual(audits.get('asked')!.imbalances, [])
    assert.equal(audits.get('asked')!.steps.get('who')!.late, 1)
    assert.deepEqual(await found(log, 'asked'), [
      ...[
        [0, null],
        [1, 'first'],
        [2, 'second'],
        [3, 'third'],
      ],
      [4, 'second'],
    ])
    assert.throws(() => table(customers, { asOf: '1s' }), { code: 'OPTIONS_INVALID' })
    await log.close()
  })

  it('has to have as many partitions as what it is joined with', async () => {
    const log = await newLog()
    const own = pipeline('own').from(orders).keyBy().join('who', table(customers)).to(topic('own'))
    await assert.rejects(ensureTopics(log, planOf([own['~pipeline']])), {
      code: 'PIPELINE_INVALID',
      message: /orders \(3 partitions\) and customers \(2\) exist and cannot be joined/,
    })
    await log.close()
  })
})

/** As Kafka's own clients choose it, of two. */
const placeOf = (key: string) => partitionOf(Buffer.from(key), 2, 0)
