/** One seeded schedule of faults: the application runs under it and must write what it always writes. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KafkaCluster } from '../../scripts/services/kafka.ts'
import { messageOf } from '../../src/core/errors.ts'
import { type Random, seededRandom } from '../../src/core/random.ts'
import { dealtTo, shuffled } from './deal.ts'
import { type Fault, seconds } from './fault.ts'
import type { Ground } from './ground.ts'
import { assertSame, checkOutcome, longQuietMs, type Outcome, outcomeOf } from './outcome.ts'
import { World } from './world.ts'

export interface ScheduleOptions {
  readonly ground: Ground
  readonly seed: number
  readonly calm: Calm
  /** To choose from, by the seed. */
  readonly faults: readonly Fault[]
  /** None begins after that. */
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

/** How long the processes may take to work off what is left when the faults are over. */
const finishMs = 90_000
const longestRecoveryMs = 60_000
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
    assert.ok(await world.finish(finishMs), `the run without faults ends:${wordsOf(world)}`)
    const figures = ledgerOf(world)
    const outcome = await outcomeOf(ground.cluster, run, longQuietMs)
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
  const { ground, seed, calm, tell, faultMs } = options
  const random = seededRandom(seed)
  const run = newRun(`seed${seed}`)
  // So that there is work left when the last fault comes, also where machines are busy.
  const ratePerSecond = Math.ceil((calm.orders / faultMs) * 500)
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
    const isOver = await world.finish(finishMs)
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
  const { seed, faultMs, tell, faults } = options
  const inflicted: Inflicted[] = []
  const inflict = async (fault: Fault) => {
    const { words, isDone } = await fault.inflict(world, random)
    const recovering = fault.isAtStart ? world.begun : world.recoveryMs
    const recoveryMs = await recovering.call(world, longestRecoveryMs)
    if (world.isBroken) return
    assert.ok(recoveryMs !== undefined, `${fault.name} (${words}): no recovery in a minute`)
    tell(`seed ${seed}: ${fault.name}: ${words}; recovered in ${seconds(recoveryMs)}`)
    if (isDone) inflicted.push({ name: fault.name, words, seed, recoveryMs })
  }
  const hand = shuffled(dealtTo(seed, faults), random)
  for (const fault of hand.filter(({ isAtStart }) => isAtStart)) await inflict(fault)
  void world.keepAlive()
  const hasBegun = (await world.begun(longestRecoveryMs)) !== undefined
  assert.ok(hasBegun, `it does not begin:${wordsOf(world)}`)
  const later = hand.filter(({ isAtStart }) => !isAtStart)
  const untilMs = Date.now() + faultMs
  for (let index = 0; Date.now() < untilMs && !world.isOver && later.length > 0; index++) {
    await sleep(random() * 2000)
    await inflict(later[index % later.length]!)
  }
  return inflicted
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
