/**
 * Kills the application with -9 again and again, at seeded random moments and at every step of a
 * commit, and lets it end: what it wrote has to be what a run wrote that was never disturbed.
 * CRASH_SEED=<number> replays the choices of a run (the moments are as exact as the machine).
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Random, seededRandom } from '../../src/core/random.ts'
import type { CommitStep } from '../../src/log/embedded.ts'
import type { CrashPoint } from '../../src/pipeline/run-testing.ts'
import { Life } from './life.ts'
import { assertSame, type Outcome } from './outcome.ts'
import { tear } from './tear.ts'
import { type Input, makeInput, removeInput, World } from './world.ts'

const seed = Number(process.env.CRASH_SEED ?? 1)
/** Of each of the two chains of lives. */
const killsPerChain = Number(process.env.CRASH_KILLS ?? 104)

const workerSteps: CommitStep[] = [
  ...(['queued', 'appended', 'synced', 'begun', 'indexed', 'committed', 'rolled'] as const),
]
/** The main thread makes topics, registers models, takes leases, and tidies up. */
const mainSteps: CommitStep[] = ['begun', 'indexed', 'committed', 'unlinking', 'unlinked']

/** About so long a life works before it is killed, and never longer than that. */
const workMs = 400
const longestLifeMs = 4000

interface Tally {
  kills: number
  torn: number
  /** By place and step, how often a life ended exactly there. */
  readonly steps: Map<string, number>
}

let input: Input
let undisturbed: Outcome

before(async () => {
  input = makeInput(4000)
  const world = new World(input, 'undisturbed')
  await world.finish(1)
  undisturbed = await world.outcome()
  const ids = [...undisturbed.topics.values()].reduce((sum, entries) => sum + entries.length, 0)
  assert.ok(ids > 10_000 && undisturbed.lines.length > 1000, 'there is enough to compare')
  for (const name of ['ingest-orders', 'ingest-notes', 'score', 'match', 'group', 'pauses']) {
    assert.ok(undisturbed.deadLetters.get(name)!.length > 0, `${name} has dead letters`)
  }
})

after(() => removeInput(input))

describe('killed with -9, again and again', { concurrency: 2 }, () => {
  for (const workers of [1, 2]) {
    it(`${workers === 1 ? 'a worker' : 'two workers'}: nothing lost, nothing twice`, async (t) => {
      const random = seededRandom(seed * 1000 + workers)
      const world = new World(input, `workers-${workers}`)
      const tally: Tally = { kills: 0, torn: 0, steps: new Map() }
      while (tally.kills < killsPerChain) {
        await oneLife(world, workers, random, tally)
        await betweenLives(world, random, tally)
        if (tally.kills % 20 === 0) say(`${workers} workers: ${tally.kills} kills`)
      }
      await world.finish(workers)
      assertSame(await world.outcome(), undisturbed)
      const steps = [...tally.steps].map(([step, count]) => `${step} ${count}`).join(', ')
      t.diagnostic(`seed ${seed}: ${tally.kills} kills; at a step: ${steps}; torn: ${tally.torn}`)
      for (const step of workerSteps) {
        assert.ok(
          (tally.steps.get(`workers ${step}`) ?? 0) > 0,
          `never killed at ${step}: ${steps}`,
        )
      }
      assert.ok(tally.kills >= killsPerChain && tally.torn > 0)
    })
  }
})

/** The progress of a suite that takes minutes. */
function say(words: string): void {
  process.stderr.write(`crash suite (CRASH_SEED=${seed}), ${words}\n`)
}

async function oneLife(world: World, workers: number, random: Random, tally: Tally): Promise<void> {
  const left = await world.left()
  const lives = killsPerChain - tally.kills
  // So that there is work left to the end: of what is left, each life takes less than its share.
  const ratePerSecond = Math.max(5, left / (lives + 4) / (workMs / 1000))
  const crash = random() < 0.6 ? crashPoint(random, tally.kills) : undefined
  const segmentBytes = random() < 0.5 ? 2000 : undefined
  const life = new Life(world, { workers, ratePerSecond, testing: { crash, segmentBytes } })
  const killed = crash === undefined ? await atRandom(life, random) : await life.kill(longestLifeMs)
  const { signal } = await life.ended
  assert.equal(signal, 'SIGKILL', `a life ended by itself:\n${life.words()}`)
  tally.kills++
  if (killed || crash === undefined) return
  const name = `${crash.where} ${crash.step}`
  tally.steps.set(name, (tally.steps.get(name) ?? 0) + 1)
}

/** Steps take turns, so that a few lives come to each. */
function crashPoint(random: Random, turn: number): CrashPoint {
  const where = random() < 0.8 ? 'workers' : 'main'
  const steps = where === 'workers' ? workerSteps : mainSteps
  const step = steps[turn % steps.length]!
  const most = step === 'unlinking' || step === 'unlinked' ? 1 : where === 'main' ? 3 : 20
  return { where, step, nth: 1 + Math.floor(random() ** 2 * most) }
}

/** In a start, also in one that recovers from the kill before, or at work. */
async function atRandom(life: Life, random: Random): Promise<boolean> {
  if (random() < 0.4) return life.kill(random() * 500)
  await life.until(({ kind }) => kind === 'started')
  return life.kill(random() * workMs * 2)
}

async function betweenLives(world: World, random: Random, tally: Tally): Promise<void> {
  if (random() < 0.4) tally.torn += tear(world.directory, random)
  if (random() < 0.2) await world.withLog((log) => log.maintain())
  if (random() < 0.3) await world.assertBalanced(`after kill ${tally.kills}`)
}
