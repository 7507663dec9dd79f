/** The report of bench/windows.ts in Markdown. */
import { cpus, totalmem } from 'node:os'
import { kafkaVersion } from './kafka-java.ts'
import type { WindowsEntry } from './windows-contestants.ts'
import type { WindowsMeasured } from './windows-race.ts'

export interface WindowsResult {
  readonly entry: WindowsEntry
  /** A measurement a round. */
  readonly rounds: readonly WindowsMeasured[]
  /** Why it has no figures. */
  readonly missing?: string
}

const whole = (value: number) => (Number.isNaN(value) ? '' : Math.round(value).toLocaleString('en'))
const tenths = (value: number) => (Number.isNaN(value) ? '' : value.toFixed(1))

/** Of several rounds the one in the middle by processor time, which a busy machine changes least. */
export function middle(rounds: readonly WindowsMeasured[]): WindowsMeasured {
  const cpu = ({ throughput }: WindowsMeasured) => throughput.cpuSecondsPerMillion
  return rounds.toSorted((one, other) => cpu(one) - cpu(other))[(rounds.length - 1) >> 1]!
}

export function windowsReport(
  results: readonly WindowsResult[],
  run: { readonly messages: number; readonly keys: number; readonly rounds: number },
): string {
  const measured = results.filter(({ rounds }) => rounds.length > 0)
  const base = measured.find(({ entry }) => entry.name === 'millrace-1')
  const cpu = base && middle(base.rounds).throughput.cpuSecondsPerMillion
  const many = run.rounds === 1 ? '' : `; of ${run.rounds} rounds in turns the middle one`
  const lines = [
    `${run.messages.toLocaleString('en')} payments of ${run.keys.toLocaleString('en')} cards, one of which has 5 %, in 4 partitions; event time goes on by 1 ms a message with up to 2 s of disorder. Kafka ${kafkaVersion()}, one broker on the same ${cpus().length} processors (${(totalmem() / 2 ** 30).toFixed(0)} GiB)${many}; ${new Date().toISOString().slice(0, 10)}.`,
    '',
    '| messages/s | CPU s a million | of Millrace, 1 worker | of the broker | memory, MB | on disk, MB | what |',
    '| ---: | ---: | ---: | ---: | ---: | ---: | --- |',
    ...measured.map((result) => rowOf(result, cpu)),
  ]
  const missing = results.filter((result) => result.missing !== undefined)
  if (missing.length > 0) lines.push('')
  for (const { entry, missing: why } of missing) lines.push(`Left out: ${entry.what}: ${why}`)
  return lines.join('\n')
}

function rowOf({ entry, rounds }: WindowsResult, base: number | undefined): string {
  const { throughput, stateBytes } = middle(rounds)
  const { messagesPerSecond, cpuSecondsPerMillion, brokerSecondsPerMillion } = throughput
  const ratio = base === undefined ? '' : (cpuSecondsPerMillion / base).toFixed(2)
  const fields = [
    ...[whole(messagesPerSecond), tenths(cpuSecondsPerMillion), ratio],
    ...[tenths(brokerSecondsPerMillion), whole(throughput.peakBytes / 1e6)],
    ...[whole(stateBytes / 1e6), entry.what],
  ]
  return `| ${fields.join(' | ')} |`
}
