/**
 * `npm run test:faults`: schedules of faults one after the other, on brokers of its own.
 * FAULT_SEED=<number> runs one schedule again; FAULT_SCHEDULES, FAULT_BROKERS, FAULT_SECONDS and
 * FAULT_NAMES (words of faults' names, separated by commas) change what is run.
 */

import { startKafka, whyNoKafka } from '../../scripts/services/kafka.ts'
import { messageOf } from '../../src/core/errors.ts'
import { faults } from './faults.ts'
import { type Inflicted, runCalm, runSchedule } from './schedule.ts'

const { env } = process
const brokers = env.FAULT_BROKERS === '1' ? 1 : 3
const faultMs = Number(env.FAULT_SECONDS ?? 90) * 1000
const messagesPerSecond = 60

process.exitCode = await main()

async function main(): Promise<number> {
  const why = whyNoKafka()
  if (why !== undefined) {
    say(`NOT RUN: ${why}`)
    return 1
  }
  const names = env.FAULT_NAMES?.split(',') ?? ['']
  const chosen = faults.filter(
    (fault) => fault.brokers <= brokers && names.some((name) => fault.name.includes(name)),
  )
  const cluster = await startKafka({ brokers })
  try {
    const calm = await runCalm(cluster, Math.ceil((faultMs / 1000) * messagesPerSecond))
    const inflicted: Inflicted[] = []
    const failed: number[] = []
    for (const seed of seeds()) {
      try {
        const options = { cluster, seed, calm, faults: chosen, faultMs, tell: say }
        inflicted.push(...(await runSchedule(options)))
        say(`seed ${seed}: as without faults`)
      } catch (error) {
        failed.push(seed)
        say(`seed ${seed}: FAILED: ${messageOf(error)}`)
      }
    }
    report(inflicted, failed)
    return failed.length === 0 ? 0 : 1
  } finally {
    await cluster.stop()
  }
}

function seeds(): number[] {
  if (env.FAULT_SEED !== undefined) return [Number(env.FAULT_SEED)]
  const first = Math.floor(Math.random() * 1_000_000)
  return Array.from({ length: Number(env.FAULT_SCHEDULES ?? 20) }, (_, index) => first + index)
}

function report(inflicted: readonly Inflicted[], failed: readonly number[]): void {
  for (const [name, ones] of Map.groupBy(inflicted, (one) => one.name)) {
    const times = ones.map(({ recoveryMs }) => recoveryMs).sort((a, b) => a - b)
    const middle = times[times.length >> 1]! / 1000
    const longest = times.at(-1)! / 1000
    say(
      `${name}: ${ones.length} times, recovery ${middle.toFixed(1)} s, at most ${longest.toFixed(1)} s`,
    )
  }
  say(failed.length === 0 ? 'all schedules are well' : `failed: FAULT_SEED=${failed.join(', ')}`)
}

function say(words: string): void {
  process.stderr.write(`${words}\n`)
}
