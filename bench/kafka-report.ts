/** The report of bench/kafka.ts in Markdown. */
import { cpus, totalmem } from 'node:os'
import { kafkaVersion } from './kafka-java.ts'
import type { Latency, Throughput } from './kafka-watch.ts'

export interface Measured {
  readonly throughput: Throughput
  /** The share of looked-at answers that have the label of Millrace's model. */
  readonly agreement: number
}

export interface Result extends Partial<Measured> {
  readonly what: string
  readonly kind: 'bare' | 'millrace' | 'peer'
  readonly latency?: Latency
  /** Why it has no figures. */
  readonly missing?: string
}

const whole = (value: number) =>
  Number.isNaN(value) ? '-' : Math.round(value).toLocaleString('en')

export function reportOf(
  results: readonly Result[],
  run: { readonly messages: number; readonly seconds: number },
): string {
  const base = results.find(({ kind, throughput }) => kind === 'millrace' && throughput)
  const rows = results.filter(({ throughput }) => throughput !== undefined)
  const lines = [
    `${run.messages.toLocaleString('en')} tweets in 4 partitions; Kafka ${kafkaVersion()}, one broker on the same ${cpus().length} processors (${(totalmem() / 2 ** 30).toFixed(0)} GiB); ${(run.seconds / 60).toFixed(1)} minutes in all, ${new Date().toISOString().slice(0, 10)}.`,
    '',
    '| messages/s | of Millrace, 1 worker | p50, ms | p99, ms | CPU s a million | of the broker | memory, MB | what |',
    '| ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |',
    ...rows.map((row) => rowOf(row, base?.throughput?.messagesPerSecond)),
  ]
  const missing = results.filter((result) => result.missing !== undefined)
  if (missing.length > 0) lines.push('')
  for (const { what, missing: why } of missing) lines.push(`Left out: ${what}: ${why}`)
  const worst = rows.reduce((least, { agreement = 1 }) => Math.min(least, agreement), 1)
  const modelled = rows.some(({ kind }) => kind !== 'bare')
  const agree = `Of the first answers of each, at least ${(100 * worst).toFixed(2)} % have the same label. `
  lines.push(
    '',
    `p50 and p99: end to end at 10,000 messages/s. ${modelled ? agree : ''}Millrace has no at-least-once mode, so there is no row for it.`,
  )
  return lines.join('\n')
}

function rowOf(result: Result, base: number | undefined): string {
  const { what, latency } = result
  const throughput = result.throughput!
  const { messagesPerSecond, cpuSecondsPerMillion, brokerSecondsPerMillion } = throughput
  const ratio = base === undefined ? '-' : ratioOf(messagesPerSecond / base)
  const fields = [
    ...[whole(messagesPerSecond), ratio, latency?.p50 ?? '', latency?.p99 ?? ''],
    ...[cpuSecondsPerMillion.toFixed(1), brokerSecondsPerMillion.toFixed(1)],
    ...[whole(throughput.peakBytes / 1e6), what],
  ]
  return `| ${fields.join(' | ')} |`
}

/** Two digits that count, also of what is much slower. */
const ratioOf = (ratio: number) => (ratio >= 0.1 ? ratio.toFixed(2) : ratio.toPrecision(2))
