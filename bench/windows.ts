/**
 * What do windows and rolling sums cost? A count a minute and key and a sum over an hour, over 100,000
 * keys, on the embedded log and on Kafka, beside what one would take instead. `npm run bench:windows
 * [-- --messages 1000000 --keys 100000 --rounds 3 --only NAME]`. With `--restore`: how fast a process
 * with the state of many keys starts, as many as there are `--messages`; 10,000,000 take a while.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type KafkaCluster, startKafka, whyNoKafka } from '../scripts/services/kafka.ts'
import { type WindowsEntry, windowsEntries } from './windows-contestants.ts'
import { loadOf } from './windows-load.ts'
import { embeddedPlace, kafkaPlace } from './windows-place.ts'
import { type WindowsMeasured, WindowsRace } from './windows-race.ts'
import { windowsReport } from './windows-report.ts'
import { RestoreBench, restoreReport } from './windows-restore.ts'

const { values: flags } = parseArgs({
  options: {
    messages: { type: 'string', default: '1000000' },
    keys: { type: 'string', default: '100000' },
    /** At most so long a contestant; the slow ones are measured by what they have done by then. */
    seconds: { type: 'string', default: '30' },
    /** All in turns, so often. */
    rounds: { type: 'string', default: '1' },
    only: { type: 'string', multiple: true },
    /** How fast it starts with as many keys as messages: warm, after kill -9, and with the disk lost. */
    restore: { type: 'boolean', default: false },
  },
})
const [messages, keys, limitMs, rounds] = [
  ...[Number(flags.messages), Number(flags.keys), 1000 * Number(flags.seconds)],
  Number(flags.rounds),
] as [number, number, number, number]
const fewestMessages = 50_000
if (!(messages >= fewestMessages) || !(keys >= 2) || !(limitMs > 0) || !(rounds >= 1)) {
  console.error(`bench: give at least ${fewestMessages} messages, 2 keys, 1 second and 1 round`)
  process.exit(1)
}

const isRestore = flags.restore
const load = isRestore ? loadOf(messages, messages, true) : loadOf(messages, keys)
const chosen = choose(flags.only)
const measured = new Map(chosen.map((entry) => [entry, [] as WindowsMeasured[]]))
const missing = new Map<WindowsEntry, string>()
const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
let cluster: KafkaCluster | undefined
try {
  const why = whyNoKafka()
  if (why === undefined && chosen.some(({ log }) => log === 'kafka')) {
    cluster = await startKafka({ heapMb: 1024 })
  }
  await (isRestore ? restoreAll(why) : main(why))
} finally {
  await cluster?.stop()
  rmSync(directory, { recursive: true, force: true })
}

async function main(whyNot: string | undefined): Promise<void> {
  const kafka = cluster && (await onKafka(cluster))
  for (let round = 0; round < rounds; round++) {
    for (const entry of chosen) {
      if (missing.has(entry)) continue
      try {
        if (entry.log === 'kafka' && kafka === undefined) throw new Error(`no Kafka: ${whyNot}`)
        const one =
          entry.log === 'embedded'
            ? await embedded(entry)
            : await kafka!.race.measure(entry, limitMs)
        measured.get(entry)!.push(one)
        console.error(`bench: ${spoken(entry, one)}; load ${loadavg()[0]!.toFixed(1)}`)
      } catch (error) {
        missing.set(entry, error instanceof Error ? error.message : String(error))
        console.error(`bench: ${entry.what}: left out: ${missing.get(entry)}`)
      }
    }
  }
  await kafka?.close()
  const results = chosen.map((entry) => {
    return { entry, rounds: measured.get(entry)!, missing: missing.get(entry) }
  })
  console.log(windowsReport(results, { messages, keys, rounds }))
}

/** One contestant after the other, each with as many keys as messages. */
async function restoreAll(whyNot: string | undefined): Promise<void> {
  for (const entry of chosen) {
    if (entry.log === 'kafka' && cluster === undefined) throw new Error(`no Kafka: ${whyNot}`)
    const own = join(directory, entry.name)
    mkdirSync(own)
    const place = entry.log === 'kafka' ? await kafkaPlace(cluster!) : await embeddedPlace(own)
    try {
      const race = new WindowsRace(place, own, load)
      await race.fill()
      const one = await new RestoreBench(race, place, load).measure(entry, rounds)
      console.log(restoreReport(entry, messages, one))
      await race.close()
    } finally {
      await place.close()
      rmSync(own, { recursive: true, force: true })
    }
  }
}

/** A log of its own, which is gone afterwards. */
async function embedded(entry: WindowsEntry): Promise<WindowsMeasured> {
  const own = join(directory, 'embedded')
  mkdirSync(own)
  const place = await embeddedPlace(own)
  try {
    const race = new WindowsRace(place, own, load)
    await race.fill()
    return await race.measure(entry, limitMs)
  } finally {
    await place.close()
    rmSync(own, { recursive: true, force: true })
  }
}

async function onKafka(running: KafkaCluster) {
  const place = await kafkaPlace(running)
  const race = new WindowsRace(place, directory, load)
  await race.fill()
  // A broker that just started is slow: it compiles what it runs often, transactions among it.
  const first = windowsEntries.find(({ name }) => name === 'millrace-1')!
  await race.measure(first, limitMs).catch((error: unknown) => {
    console.error(`bench: the broker is not warm: ${String(error)}`)
  })
  const close = async () => {
    await race.close()
    await place.close()
  }
  return { race, close }
}

function spoken({ what }: WindowsEntry, { throughput, stateBytes }: WindowsMeasured): string {
  const rate = Math.round(throughput.messagesPerSecond).toLocaleString('en')
  const cpu = throughput.cpuSecondsPerMillion.toFixed(1)
  return `${what}: ${rate}/s, ${cpu} CPU s a million, ${(stateBytes / 1e6).toFixed(0)} MB on disk`
}

/** Those whose name holds one of the words; all without words. */
function choose(only: readonly string[] | undefined): readonly WindowsEntry[] {
  if (only === undefined) {
    const ours = ['embedded-1', 'millrace-1']
    return isRestore ? windowsEntries.filter(({ name }) => ours.includes(name)) : windowsEntries
  }
  const found = windowsEntries.filter(({ name }) => only.some((word) => name.includes(word)))
  if (found.length > 0) return found
  const names = windowsEntries.map(({ name }) => name)
  console.error(`bench: --only ${only}: there are ${names.join(', ')}`)
  process.exit(2)
}
