/**
 * What a run wrote, as Kafka's own console consumer reads it with read_committed, and whether that is
 * what a run without faults wrote.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { KafkaCluster } from '../../scripts/services/kafka.ts'

export interface Entry {
  readonly id: string
  readonly partition: number
  /** Key and value. */
  readonly text: string
}

/** By topic, without the name of the run. */
export type Outcome = ReadonlyMap<string, readonly Entry[]>

const topicNames = [
  ...['orders', 'truths', 'scored', 'matched'],
  ...['ingest-orders.dead-letters', 'score.dead-letters', 'match.dead-letters'],
]
const idHeader = 'millrace.id'
const separator = '\u0001'

/**
 * A topic is at its end when nothing comes for so long. Where machines are busy it takes the consumer
 * ten seconds and more to come from one partition to the next.
 */
const quietMs = [5_000, 20_000, 40_000]
/** What was too short once is not tried again. */
let usualTry = 0

/** Where something seems to be wrong it is read again, with patience. */
export async function checkOutcome(
  cluster: KafkaCluster,
  run: string,
  check: (found: Outcome) => void,
): Promise<void> {
  let wrong: unknown
  for (const [index, waitMs] of quietMs.entries()) {
    if (index < usualTry) continue
    const found = await outcomeOf(cluster, run, waitMs)
    try {
      check(found)
      usualTry = index
      return
    } catch (error) {
      wrong = error
    }
  }
  throw wrong
}

async function outcomeOf(cluster: KafkaCluster, run: string, waitMs: number): Promise<Outcome> {
  // Each is a process of its own, and most of its time is waiting.
  const read = await Promise.all(topicNames.map((name) => entriesOf(cluster, run, name, waitMs)))
  return new Map(topicNames.map((name, index) => [name, read[index]!]))
}

async function entriesOf(cluster: KafkaCluster, run: string, name: string, waitMs: number) {
  const shown = ['partition', 'headers', 'key', 'value']
  const properties = [
    ...shown.map((name) => `print.${name}=true`),
    ...[`headers.separator=${separator}`, `key.separator=\t`],
  ]
  const { code, stdout, stderr } = await cluster.tool(
    'org.apache.kafka.tools.consumer.ConsoleConsumer',
    [
      ...[
        '--bootstrap-server',
        cluster.bootstrapServers,
        '--topic',
        `${run}-${name}`,
        '--from-beginning',
      ],
      ...['--isolation-level', 'read_committed', '--timeout-ms', String(waitMs)],
      ...properties.flatMap((property) => ['--formatter-property', property]),
    ],
  )
  assert.equal(code, 0, stderr)
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => entryOf(line.replaceAll(`${run}-`, '')))
}

function entryOf(line: string): Entry {
  const [partition, headers = '', key = '', ...rest] = line.split('\t')
  const named = new Map(
    headers.split(separator).map((header) => {
      const colon = header.indexOf(':')
      return [header.slice(0, colon), header.slice(colon + 1)] as const
    }),
  )
  return {
    // Dead letters have their id and step as key.
    id: named.get(idHeader) ?? key,
    partition: Number(partition!.split(':')[1]),
    text: `${key} ${rest.join('\t')}`,
  }
}

/** Throws, in words, where an outcome is not that of the run without faults. */
export function assertSame(actual: Outcome, expected: Outcome): void {
  const wrong: string[] = []
  for (const [topic, entries] of expected) {
    wrong.push(...differences(topic, actual.get(topic) ?? [], entries))
  }
  const some = wrong.slice(0, 12).join('\n  ')
  assert.equal(wrong.length, 0, `${wrong.length} messages are wrong:\n  ${some}`)
}

export function differences(topic: string, actual: readonly Entry[], expected: readonly Entry[]) {
  const wanted = new Map(expected.map((entry) => [entry.id, entry]))
  const seen = new Set<string>()
  const wrong: string[] = []
  for (const { id, partition, text } of actual) {
    const want = wanted.get(id)
    if (seen.has(id)) wrong.push(`${topic}: twice: ${id}`)
    else if (want === undefined) wrong.push(`${topic}: not to be there: ${id} ${brief(text)}`)
    else if (want.text !== text) {
      wrong.push(`${topic}: ${id} is ${brief(text)}, should be ${brief(want.text)}`)
    } else if (want.partition !== partition) {
      wrong.push(`${topic}: ${id} is in partition ${partition}, should be in ${want.partition}`)
    }
    seen.add(id)
  }
  for (const id of wanted.keys()) if (!seen.has(id)) wrong.push(`${topic}: lost: ${id}`)
  return wrong
}

const brief = (text: string) => (text.length > 200 ? `${text.slice(0, 200)}...` : text)

/** Whether brokers said that they left out markers of a transaction, as KAFKA-20734 has it; '': no. */
export function skippedMarkers({ brokers }: KafkaCluster): string {
  const lines = brokers.flatMap(({ id, dataDirectory }) => {
    const file = path.join(path.dirname(dataDirectory), `node-${id}.log`)
    if (!existsSync(file)) return []
    const said = readFileSync(file, 'utf8').split('\n')
    return said.filter((line) => line.includes('these partitions are likely deleted already'))
  })
  if (lines.length === 0) return ''
  const first = lines[0]!.slice(0, 240)
  return `\nKafka left out markers of transactions (KAFKA-20734), ${lines.length} times so far: ${first}`
}
