/** One seeded schedule of faults: the application runs under it and must write what it always writes. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KafkaCluster } from '../../scripts/services/kafka.ts'
import { messageOf } from '../../src/core/errors.ts'
import { type Random, seededRandom } from '../../src/core/random.ts'
import { shuffled } from './deal.ts'
import { type Fault, seconds } from './fault.ts'
import type { Ground } from './ground.ts'
import { assertSame, checkOutcome, type Outcome } from './outcome.ts'
import { World } from './world.ts'

export interface ScheduleOptions {
  readonly ground: Ground
  readonly seed: number
  readonly calm: Calm
  /** Each is inflicted once, in an order that the seed chooses; again where there is time. */
  readonly hand: readonly Fault[]
  /** Nothing is inflicted a second time after that. */
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
  readonly seed: number
  /** From its end until all that was there then was worked on. */
  readonly recoveryMs: number
}

/** How long nothing may move, neither on the way back from a fault nor to the end. */
const standingMs = 60_000
/** For so long messages come while faults go on: longer than these, on busy machines too. */
const lastingMs = 480_000
/** What processes said is kept in any case. */
const isKept = process.env.FAULT_KEEP !== undefined
/** Figures that are the same in every run. */
const sameFigures = ['messages', 'predictions', 'filtered', 'deadLetters', 'ledger', 'matched']

export async function runCalm(ground: Ground, orders: number): Promise<Calm> {
  const run = newRun('calm')
  const one = { processes: 1, workers: 1, ratePerSecond: 'max' } as const
  const world = new World({ ...ground, run, orders, ...one })
  try {
    void world.keepAlive()
    assert.ok(await world.finish(standingMs), `the run without faults ends:${wordsOf(world)}`)
    const figures = ledgerOf(world)
    let outcome: Outcome = new Map()
    await checkOutcome(ground.cluster, run, (found) => {
      outcome = found
      assertComplete(found, orders, figures)
    })
    return { orders, outcome, figures }
  } finally {
    await world.close(false)
  }
}

/** Throws where the outcome differs, the ledger does not balance, or the run does not end. */
export async function runSchedule(options: ScheduleOptions): Promise<readonly Inflicted[]> {
  const { ground, seed, calm, tell } = options
  const random = seededRandom(seed)
  const run = newRun(`seed${seed}`)
  const ratePerSecond = Math.ceil(calm.orders / (lastingMs / 1000))
  const processes = 2
  const workers = random() < 0.5 ? 1 : 2
  const world = new World({
    ...{ ...ground, run, processes, workers, ratePerSecond, orders: calm.orders },
  })
  tell(`seed ${seed}: ${processes} processes of ${workers} workers, ${run}`)
  let isWell = false
  try {
    const inflicted = await inflictAll(world, options, random)
    await world.hurry()
    const isOver = await world.finish(standingMs)
    if (world.isBroken) {
      // Whether what it wrote is right too tells where to look.
      const differs = await compare(ground.cluster, run, calm).then(() => '', messageOf)
      assert.fail(`a process ended badly:${wordsOf(world)}\n${differs}`)
    }
    assert.ok(isOver, `it does not end: ${world.directory}`)
    await world.keepAlive()
    const figures = ledgerOf(world)
    const picked = (all: Readonly<Record<string, unknown>>) => sameFigures.map((one) => all[one])
    await compare(ground.cluster, run, calm)
    assert.deepEqual(picked(figures), picked(calm.figures), 'the figures of the run')
    isWell = true
    return inflicted
  } finally {
    await world.close(!isWell || isKept)
    if (!isWell || isKept) tell(`seed ${seed}: what processes said is in ${world.directory}`)
  }
}

async function inflictAll(world: World, options: ScheduleOptions, random: Random) {
  const { seed, faultMs, tell } = options
  const inflicted: Inflicted[] = []
  const inflict = async (fault: Fault) => {
    const { words, isDone } = await fault.inflict(world, random)
    const recovering = fault.isAtStart ? world.begun : world.recoveryMs
    const recoveryMs = await recovering.call(world, standingMs)
    if (world.isBroken) return
    assert.ok(recoveryMs !== undefined, `${fault.name} (${words}): no recovery: it stands still`)
    tell(`seed ${seed}: ${fault.name}: ${words}; recovered in ${seconds(recoveryMs)}`)
    if (isDone) inflicted.push({ name: fault.name, words, seed, recoveryMs })
  }
  const hand = shuffled(options.hand, random)
  for (const fault of hand.filter(({ isAtStart }) => isAtStart)) await inflict(fault)
  void world.keepAlive()
  const begunMs = await world.begun(standingMs)
  assert.ok(begunMs !== undefined, `it does not begin:${wordsOf(world)}`)
  tell(`seed ${seed}: begun after ${seconds(begunMs)}`)
  const later = hand.filter(({ isAtStart }) => !isAtStart)
  const untilMs = Date.now() + faultMs
  const isTime = (index: number) => index < later.length || Date.now() < untilMs
  for (let index = 0; isTime(index) && !world.isOver && later.length > 0; index++) {
    await sleep(random() * 2000)
    await inflict(later[index % later.length]!)
  }
  return inflicted
}

/** By what the run counted: what the others are compared with must not lack anything. */
function assertComplete(found: Outcome, orders: number, figures: Calm['figures']): void {
  const count = (name: string) => found.get(name)!.length
  const unread = count('ingest-orders.dead-letters')
  const letters = unread + count('score.dead-letters') + count('match.dead-letters')
  const { matched, deadLetters } = figures
  assert.deepEqual(
    [count('orders') + unread, count('truths'), count('matched'), letters],
    [orders, orders, matched, deadLetters],
  )
  for (const [topic, entries] of found) assert.ok(entries.length > 0, `${topic} has messages`)
  assertSame(found, found)
}

const compare = (cluster: KafkaCluster, run: string, calm: Calm) =>
  checkOutcome(cluster, run, (found) => assertSame(found, calm.outcome))

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
