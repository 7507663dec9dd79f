/** Card payments as they come, and the same from history: each feature of each of them is the same. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { seededRandom } from '../core/random.ts'
import { openEmbeddedLog } from '../log/embedded.ts'
import type { Log } from '../log/log.ts'
import { partitionOf } from '../log/partitioner.ts'
import { readRows } from '../training/data.ts'
import { endsOf, skewOf } from './feature-skew.ts'
import { type History, withHistory } from './history-run.ts'
import { pipeline } from './pipeline.ts'
import { rolling } from './rolling-feature.ts'
import { appendAll, readAll, runUntilCaughtUp } from './testing.ts'
import { topic } from './topic.ts'

const directory =
  process.env.MILLRACE_DATA ?? fileURLToPath(new URL('../../../shared/data', import.meta.url))
const path = join(directory, 'fraud', 'handbook_sim_2018-06-01_08-14.csv.gz')

interface Payment {
  readonly id: number
  readonly time: number
  readonly card: string
  readonly terminal: string
  readonly amount: number
}

interface Label {
  readonly id: number
  readonly terminal: string
  readonly fraud: number
}

const day = 86_400_000
const partitions = 4
const payments = topic<Payment>('payments', { partitions })
const labels = topic<Label>('labels', { partitions: 2 })

/** Those of the handbook's own baseline: what a card does, and the risk of a terminal a week ago. */
const features = pipeline('features')
  .from(payments)
  .add({
    count1d: rolling.count({ over: '1d' }),
    mean7d: rolling.mean('amount', { over: '7d' }),
    spread30d: rolling.standardDeviation('amount', { over: '30d', delay: '1d' }),
    risk1d: rolling.mean('fraud', {
      ...({ by: 'terminal', over: '1d', delay: '7d', from: labels } as const),
    }),
    risk30d: rolling.mean('fraud', {
      ...({ by: 'terminal', over: '30d', delay: '7d', from: labels } as const),
    }),
    labels30d: rolling.count({ by: 'terminal', over: '30d', delay: '7d', from: labels }),
  })
  .to(topic('featured'))

interface Told {
  readonly payment: Payment
  readonly fraud: number
}

/** One in so many terminals, with all that happened there. */
async function read(everyNth: number): Promise<Told[]> {
  const told: Told[] = []
  for await (const { values } of readRows(path)) {
    if (Number(values.TERMINAL_ID) % everyNth !== 0) continue
    const payment = {
      id: Number(values.TRANSACTION_ID),
      time: Date.parse(String(values.TX_DATETIME)),
      // As if few people had many cards, so that each has a past.
      card: `c${Number(values.CUSTOMER_ID) % 500}`,
      terminal: `t${values.TERMINAL_ID}`,
      amount: Number(values.TX_AMOUNT),
    }
    told.push({ payment, fraud: Number(values.TX_FRAUD) })
  }
  return told
}

/** Of a few, by a look at all. */
function slowly(all: readonly Told[], { time, card, terminal }: Payment, place: number) {
  const within = (fromMs: number, toMs: number, same: (one: Told) => boolean) =>
    all.filter((one, at) => {
      const isIn = one.payment.time > time - fromMs && one.payment.time <= time - toMs
      return isIn && same(one) && (toMs > 0 || at <= place)
    })
  const ofCard = ({ payment }: Told) => payment.card === card
  const known = within(37 * day, 7 * day, (one) => one.payment.terminal === terminal)
  const mean = (numbers: readonly number[]) =>
    numbers.length === 0 ? null : numbers.reduce((sum, one) => sum + one, 0) / numbers.length
  return {
    count1d: within(day, 0, ofCard).length,
    mean7d: mean(within(7 * day, 0, ofCard).map(({ payment }) => payment.amount)),
    risk30d: mean(known.map(({ fraud }) => fraud)),
    labels30d: known.length,
  }
}

/** False, loudly, where the data is not; in CI that fails. */
function isThere(t: TestContext): boolean {
  if (existsSync(path)) return true
  const message = `SKIPPED: ${path} is not there (set MILLRACE_DATA), so parity on real payments was NOT checked`
  console.error(message)
  t.diagnostic(message)
  assert.ok(process.env.CI !== 'true', message)
  return false
}

/** As they came: payments in batches, and of each a week later, or sooner, whether it was fraud. */
async function live(log: Log, all: readonly Told[]): Promise<ReadonlyMap<string, string>> {
  await log.createTopic('payments', { partitions })
  await log.createTopic('labels', { partitions: 2 })
  const random = seededRandom(11)
  let labelled = 0
  const labelUpTo = async (timeMs: number) => {
    const due = all.slice(labelled).filter(({ payment }) => payment.time <= timeMs)
    labelled += due.length
    const messages = due.map(({ payment: { id, time, terminal }, fraud }) => {
      return { partition: id % 2, time, value: { id, terminal, fraud } }
    })
    await appendAll(log, 'labels', messages)
  }
  for (let from = 0; from < all.length; ) {
    const batch = all.slice(from, from + 1 + Math.floor(random() * 9000))
    from += batch.length
    const early = random() < 0.5 ? day : 0
    await labelUpTo(batch.at(-1)!.payment.time - 7 * day + early)
    const messages = batch.map(({ payment: value }) => {
      const partition = partitionOf(Buffer.from(value.card), partitions, 0)
      return { key: value.card, partition, time: value.time, value }
    })
    await appendAll(log, 'payments', messages)
    const { audits } = await runUntilCaughtUp(log, [features])
    assert.deepEqual(audits.get('features')!.imbalances, [])
  }
  await labelUpTo(Number.POSITIVE_INFINITY)
  return new Map((await readAll(log, 'featured')).map(({ id, value }) => [id, String(value)]))
}

/** Each row is the one that was given live; a few of them are looked up the slow way. */
async function compare(
  history: History,
  all: readonly Told[],
  given: ReadonlyMap<string, string>,
): Promise<void> {
  const places = new Map(all.map(({ payment }, place) => [payment.id, place]))
  let rows = 0
  for await (const { id, value } of history.rows()) {
    assert.equal(given.get(id), JSON.stringify(value))
    if (rows++ % 211 !== 0) continue
    const row = value as Payment & ReturnType<typeof slowly>
    const wanted = slowly(all, row, places.get(row.id)!)
    for (const [name, expected] of Object.entries(wanted)) {
      const found = row[name as keyof typeof wanted]
      const isNear = found === expected || Math.abs(found! - expected!) < 1e-9
      assert.ok(isNear, `${name} of ${row.id}: ${found}, by a look at all ${expected}`)
    }
  }
  assert.deepEqual([rows, given.size, history.late], [all.length, all.length, 0])
}

describe('features of payments', () => {
  it('are live what history says, over restarts and batches of any size', async (t) => {
    if (!isThere(t)) return
    const all = await read(25)
    assert.ok(all.length > 25_000 && all.some(({ fraud }) => fraud === 1))
    const own = await mkdtemp(join(tmpdir(), 'millrace-fraud-'))
    const log = await openEmbeddedLog({ directory: own, durability: 'process', maintain: false })
    try {
      const given = await live(log, all)
      await withHistory(log, features['~pipeline'], {}, async (history) => {
        await compare(history, all, given)
        const to = features['~pipeline'].steps.find((step) => step.kind === 'to')!
        assert.ok(to.target.kind === 'topic')
        const logged = { log, topic: to.target.topic, ends: await endsOf(log, 'featured') }
        const skew = await skewOf(history, history.features, logged)
        assert.deepEqual([skew.compared, skew.unknown], [all.length, 0])
        assert.deepEqual(
          new Map(skew.features.map(({ feature, differing }) => [feature, differing])),
          new Map(history.features.map((feature) => [feature, 0])),
        )
        assert.equal(history.features.length, 6)
      })
    } finally {
      await log.close()
      await rm(own, { recursive: true, force: true })
    }
  })
})
