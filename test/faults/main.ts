/**
 * `npm run test:faults`: schedules of faults one after the other, on brokers of its own.
 * FAULT_SEED=<number> runs one schedule again, FAULT_SEED=1,2 two; FAULT_SCHEDULES,
 * FAULT_BROKERS, FAULT_SECONDS and FAULT_NAMES (words of faults' names, separated by commas) change
 * what is run, FAULT_KEEP=yes keeps what processes said, also where all is well.
 */
import { messageOf } from '../../src/core/errors.ts'
import { dealtTo, setSize } from './deal.ts'
import type { Fault } from './fault.ts'
import { faults } from './faults.ts'
import { closeGround, openGround, whyNoGround } from './ground.ts'
import { skippedMarkers } from './outcome.ts'
import { tableOf } from './report.ts'
import { type Inflicted, runCalm, runSchedule } from './schedule.ts'

const { env } = process
const brokers = env.FAULT_BROKERS === '1' ? 1 : 3
const faultMs = Number(env.FAULT_SECONDS ?? 120) * 1000
const orders = 12_000
/** In so many of the schedules of a whole set each fault has to have been. */
const fewest = 5

process.exitCode = await main()

async function main(): Promise<number> {
  const why = whyNoGround()
  if (why !== undefined) {
    say(`NOT RUN: ${why}`)
    return 1
  }
  const names = env.FAULT_NAMES?.split(',') ?? ['']
  const chosen = faults.filter(
    (fault) => fault.brokers <= brokers && names.some((name) => fault.name.includes(name)),
  )
  const all = seeds()
  const inflicted: Inflicted[] = []
  const failed: number[] = []
  const ground = await openGround(brokers)
  try {
    const calm = await runCalm(ground, orders)
    for (const seed of all) {
      const startedAt = Date.now()
      try {
        const hand = dealtTo(seed, chosen)
        const options = { ground, seed, calm, hand, faultMs, tell: say }
        inflicted.push(...(await runSchedule(options)))
        say(`seed ${seed}: as without faults, in ${Math.round((Date.now() - startedAt) / 1000)} s`)
      } catch (error) {
        failed.push(seed)
        say(`seed ${seed}: FAILED: ${messageOf(error)}${skippedMarkers(ground.cluster)}`)
      }
    }
  } finally {
    await closeGround(ground)
  }
  process.stderr.write(`${tableOf(chosen, inflicted)}\n`)
  const rare = all.length < setSize ? [] : rareOnes(chosen, inflicted)
  for (const name of rare) say(`${name}: in fewer than ${fewest} schedules`)
  say(failed.length === 0 ? 'all schedules are well' : `failed: FAULT_SEED=${failed.join(', ')}`)
  return failed.length + rare.length === 0 ? 0 : 1
}

function seeds(): number[] {
  if (env.FAULT_SEED !== undefined) return env.FAULT_SEED.split(',').map(Number)
  const first = Math.floor(Math.random() * 50_000) * setSize
  return Array.from({ length: Number(env.FAULT_SCHEDULES ?? setSize) }, (_, index) => first + index)
}

function rareOnes(chosen: readonly Fault[], inflicted: readonly Inflicted[]): string[] {
  const seedsOf = (name: string) =>
    new Set(inflicted.filter((one) => one.name === name).map(({ seed }) => seed))
  return chosen.map(({ name }) => name).filter((name) => seedsOf(name).size < fewest)
}

/** With the time, to find it in what processes said. */
function say(words: string): void {
  process.stderr.write(`[${new Date().toISOString().slice(11, 19)}] ${words}\n`)
}
