/** One seeded schedule of faults: the application runs under it and must write what it always writes. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KafkaCluster } from '../../scripts/services/kafka.ts'
import { seededRandom } from '../../src/core/random.ts'
import type { Fault } from './faults.ts'
import { assertSame, type Outcome, outcomeOf } from './outcome.ts'
import { World } from './world.ts'

export interface ScheduleOptions {
  readonly cluster: KafkaCluster
  readonly seed: number
  readonly calm: Calm
  readonly faults: readonly Fault[]
  /** Faults end after about so long. */
  readonly faultMs: number
  tell(words: string): void
}

/** A run without faults, on the same messages. */
export interface Calm {
  readonly orders: number
  readonly outcome: Outcome
  readonly figures: Readonly<Record<string, unknown>>
}

export interface Inflicted {
  readonly name: string
  readonly words: string
  /** From its end until all that was there then was worked on. */
  readonly recoveryMs: number
}

/** How long the processes may take to work off what is left when the faults are over. */
const finishMs = 90_000
const longestRecoveryMs = 60_000
const quietMs = 3_000
/** Where something seems to be missing it is read again, with patience. */
const longQuietMs = 15_000
/** Figures that are the same in every run. */
const sameFigures = ['messages', 'predictions', 'filtered', 'deadLetters', 'ledger', 'matched']

export async function runCalm(cluster: KafkaCluster, orders: number): Promise<Calm> {
  const run = newRun('calm')
  const one = { processes: 1, workers: 1, ratePerSecond: 'max' } as const
  const world = new World({ ...{ cluster, run, orders }, ...one })
  try {
    void world.keepAlive()
    assert.ok(await world.finish(finishMs), `the run without faults ends:${wordsOf(world)}`)
    const figures = ledgerOf(world)
    const outcome = await outcomeOf(cluster, run, longQuietMs)
    const count = [...outcome.values()].reduce((sum, entries) => sum + entries.length, 0)
    assert.ok(count > orders * 2, 'there is enough to compare')
    for (const [topic, entries] of outcome) assert.ok(entries.length > 0, `${topic} has messages`)
    assertSame(outcome, outcome)
    return { orders, outcome, figures }
  } finally {
    await world.close(false)
  }
}

/** Throws where the outcome differs, the ledger does not balance, or the run does not end. */
export async function runSchedule(options: ScheduleOptions): Promise<readonly Inflicted[]> {
  const { cluster, seed, calm, tell, faultMs } = options
  const random = seededRandom(seed)
  const run = newRun(`seed${seed}`)
  // So that there is work left when the last fault comes.
  const ratePerSecond = Math.ceil((calm.orders / faultMs) * 1000)
  const processes = 2
  const workers = random() < 0.5 ? 1 : 2
  const world = new World({
    ...{ cluster, run, processes, workers, ratePerSecond, orders: calm.orders },
  })
  tell(`seed ${seed}: ${processes} processes of ${workers} workers, ${run}`)
  let isWell = false
  try {
    const alive = world.keepAlive()
    const inflicted = await inflictAll(world, options, random)
    const isOver = await world.finish(finishMs)
    await alive
    assert.ok(!world.isBroken, `a process ended badly:${wordsOf(world)}`)
    assert.ok(isOver, `it does not end: ${world.directory}`)
    const figures = ledgerOf(world)
    const picked = (all: Readonly<Record<string, unknown>>) => sameFigures.map((one) => all[one])
    await compare(cluster, run, calm)
    assert.deepEqual(picked(figures), picked(calm.figures), 'the figures of the run')
    isWell = true
    return inflicted
  } finally {
    await world.close(!isWell)
    if (!isWell) tell(`seed ${seed}: what processes said is in ${world.directory}`)
  }
}

async function inflictAll(world: World, options: ScheduleOptions, random: () => number) {
  const { seed, faultMs, tell } = options
  const inflicted: Inflicted[] = []
  // Topics cannot be made while brokers are away: faults begin after that.
  assert.ok(await world.begun(longestRecoveryMs), `it does not begin:${wordsOf(world)}`)
  await sleep(random() * 2000)
  const untilMs = Date.now() + faultMs
  const order = shuffled(options.faults, random)
  for (let index = 0; Date.now() < untilMs && !world.isDone && !world.isBroken; index++) {
    const { name, inflict } = order[index % order.length]!
    const words = await inflict(world, random)
    const recoveryMs = await world.recoveryMs(longestRecoveryMs)
    if (world.isBroken) break
    assert.ok(recoveryMs !== undefined, `${name} (${words}): no recovery in a minute`)
    tell(`seed ${seed}: ${name}: ${words}; recovered in ${(recoveryMs / 1000).toFixed(1)} s`)
    inflicted.push({ name, words, recoveryMs })
    await sleep(random() * 2000)
  }
  return inflicted
}

async function compare(cluster: KafkaCluster, run: string, calm: Calm): Promise<void> {
  try {
    assertSame(await outcomeOf(cluster, run, quietMs), calm.outcome)
  } catch {
    assertSame(await outcomeOf(cluster, run, longQuietMs), calm.outcome)
  }
}

/** The JSON line of a process that ended by itself. */
function ledgerOf(world: World): Readonly<Record<string, unknown>> {
  const lines = world.lives
    .filter((life) => !life.isDoomed && life.ending?.code === 0)
    .map(({ figures }) => figures)
  for (const { ledger } of lines) assert.equal(ledger, 'balanced')
  return lines[0]!
}

const wordsOf = (world: World) =>
  world.failed.map((life) => `\nprocess ${life.number}:\n${life.words}`).join('')

const newRun = (word: string) => `${word}-${process.pid.toString(36)}${Date.now().toString(36)}`

function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  return items
    .map((item) => ({ item, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item)
}
