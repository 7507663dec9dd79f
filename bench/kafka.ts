/**
 * How fast is Millrace on Kafka, beside what one would take instead? A broker is started, tweets are
 * put into a topic, and one contestant after the other works on them with the same model; then some
 * answer a steady rate. `npm run bench:kafka [-- --messages 1000000 --only NAME --write]`.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startKafka, whyNoKafka } from '../scripts/services/kafka.ts'
import { makeTweets } from './embedded-load.ts'
import { type Entry, entries } from './kafka-contestants.ts'
import { writeModel, writeRows } from './kafka-model.ts'
import { Race } from './kafka-race.ts'
import { type Result, reportOf } from './kafka-report.ts'
import { withSection } from './text-readme.ts'

const { values: flags } = parseArgs({
  options: {
    messages: { type: 'string', default: '1000000' },
    /** At most so long a contestant; the slow ones are measured by what they have done by then. */
    seconds: { type: 'string', default: '12' },
    only: { type: 'string', multiple: true },
    'no-latency': { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
})
const readme = fileURLToPath(new URL('./README.md', import.meta.url))
const messages = Number(flags.messages)
const seconds = Number(flags.seconds)
const fewestMessages = 50_000
const warmUpRounds = 2

const chosen = choose(flags.only)
const why = whyNoKafka()
if (why !== undefined || !(messages >= fewestMessages) || !(seconds > 0)) {
  const wrong = `give at least ${fewestMessages} messages and more than 0 seconds`
  console.error(`bench: ${why === undefined ? wrong : `no Kafka: ${why}`}`)
  process.exit(1)
}
const began = performance.now()
const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
const cluster = await startKafka({ heapMb: 1024 })
try {
  await main()
} finally {
  await cluster.stop()
  rmSync(directory, { recursive: true, force: true })
}

async function main(): Promise<void> {
  const files = { rows: join(directory, 'rows.ndjson'), model: join(directory, 'model.tsv') }
  writeRows(files.rows)
  writeModel(files.model)
  const race = await Race.open(cluster, { directory, ...files })
  const results: Result[] = []
  try {
    await race.fill(makeTweets(100_000), messages)
    const first = entries.find(({ name }) => name === 'bare-millrace-transactions')!
    for (let round = 0; round < warmUpRounds; round++) {
      await race.warmUp(first, seconds * 1000).catch((error: unknown) => {
        console.error(`bench: the broker is not warm: ${String(error)}`)
      })
    }
    for (const entry of chosen) {
      results.push(await measure(race, entry))
      console.error(`bench: ${spoken(results.at(-1)!)}; load ${loadavg()[0]!.toFixed(1)}`)
    }
  } finally {
    await race.close()
  }
  const report = reportOf(results, { messages, seconds: (performance.now() - began) / 1000 })
  console.log(report)
  if (!flags.write) return
  writeFileSync(readme, withSection(readFileSync(readme, 'utf8'), report, 'bench:kafka'))
}

async function measure(race: Race, entry: Entry): Promise<Result> {
  try {
    const { what, kind } = entry
    const measured = await race.throughput(entry, seconds * 1000)
    if (!entry.hasLatency || flags['no-latency']) return { what, kind, ...measured }
    return { what, kind, ...measured, latency: await race.latency(entry) }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { what: entry.what, kind: entry.kind, missing: reason }
  }
}

function spoken({ what, throughput, latency, missing }: Result): string {
  if (throughput === undefined) return `${what}: left out: ${missing}`
  const rate = Math.round(throughput.messagesPerSecond).toLocaleString('en')
  const late = latency === undefined ? '' : `, p50 ${latency.p50} ms, p99 ${latency.p99} ms`
  return `${what}: ${rate}/s${late}`
}

/** Those whose name holds one of the words; all without words. */
function choose(only: readonly string[] | undefined): readonly Entry[] {
  if (only === undefined) return entries
  const found = entries.filter(({ name }) => only.some((word) => name.includes(word)))
  if (found.length > 0) return found
  console.error(`bench: --only ${only}: there are ${entries.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}
