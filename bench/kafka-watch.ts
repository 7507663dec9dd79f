/** Looks at a contestant from outside: by what it has written, whoever it is. */
import type { KafkaClient } from '../src/log/kafka-client.ts'
import { KafkaOffsets } from '../src/log/kafka-offsets.ts'
import { KafkaReader } from '../src/log/kafka-reader.ts'
import { partitions } from './kafka-load.ts'
import type { Contestant } from './kafka-process.ts'
import { trainSentiment } from './tweets.ts'

const pollMs = 50
/** Nothing more came for so long after the last message: it is done. */
const quietMs = 600
const startMs = 90_000
/** The clock starts this long after the first output: programs that compile as they run get to it. */
const warmMs = 1000
const numbers = Array.from({ length: partitions }, (_, partition) => partition)

export interface Throughput {
  readonly messagesPerSecond: number
  readonly cpuSecondsPerMillion: number
  /** Of the broker meanwhile; NaN where it is not ours. */
  readonly brokerSecondsPerMillion: number
  readonly peakBytes: number
  /** All messages were worked off within the time. */
  readonly isWhole: boolean
}

interface Moment {
  readonly at: number
  readonly messages: number
  readonly cpu: number
  readonly broker: number
  readonly peakBytes: number
}

/**
 * By what can be read of its output, whose end in each partition `ends` tells: from a second after the
 * first output to the last, or until the time is over. What is done within that second is measured from
 * the first output on.
 */
export async function throughput(
  ends: () => Promise<readonly number[]>,
  contestant: Contestant,
  messages: number,
  limitMs: number,
  brokerCpu: () => number,
): Promise<Throughput> {
  const startedAt = performance.now()
  let first: Moment | undefined
  let isWarm = false
  let last: Moment | undefined
  for (;;) {
    const written = (await ends()).reduce((sum, end) => sum + end, 0)
    const found = Math.min(messages, written)
    const at = performance.now()
    if (found > (last?.messages ?? 0)) {
      const { cpuSeconds: cpu, peakBytes } = contestant
      last = { at, messages: found, cpu, broker: brokerCpu(), peakBytes }
      first ??= last
      if (!isWarm && at > first.at + warmMs && found < messages) {
        first = last
        isWarm = true
      }
    }
    const isOver = last !== undefined && (last.messages >= messages || at > first!.at + limitMs)
    if (isOver && (at > last!.at + quietMs || at > first!.at + limitMs)) break
    if (contestant.hasEnded && !isOver && at > (last?.at ?? startedAt) + 2000) {
      throw new Error(`it ended too early; it said:\n${contestant.lastWords}`)
    }
    if (first === undefined && at > startedAt + startMs) {
      throw new Error(`nothing came in ${startMs / 1000} s; it said:\n${contestant.lastWords}`)
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
  const done = last!.messages - first!.messages
  if (done === 0) throw new Error('all came at once: too few messages to measure')
  return {
    messagesPerSecond: (1000 * done) / (last!.at - first!.at),
    cpuSecondsPerMillion: ((last!.cpu - first!.cpu) / done) * 1e6,
    brokerSecondsPerMillion: ((last!.broker - first!.broker) / done) * 1e6,
    peakBytes: last!.peakBytes,
    isWhole: last!.messages >= messages,
  }
}

/** Behind the last message of each partition of a topic that read_committed can read. */
export function endsOf(client: KafkaClient, topic: string): () => Promise<readonly number[]> {
  const offsets = new KafkaOffsets(client)
  return () => Promise.all(numbers.map((number) => offsets.find(topic, number, 'end')))
}

/** How many committed messages the topic holds. */
export async function countMessages(client: KafkaClient, topic: string): Promise<number> {
  const reader = new KafkaReader(client, async () => 0)
  const counts = numbers.map(async (partition) => {
    let count = 0
    for (let offset = 0; ; ) {
      const batch = await reader.read(topic, partition, offset, 4 * 1024 * 1024)
      if (batch === undefined) return count
      count += batch.count
      offset = batch.nextOffset
    }
  })
  const total = (await Promise.all(counts)).reduce((sum, count) => sum + count, 0)
  await reader.close()
  return total
}

let judge: ReturnType<typeof trainSentiment> | undefined

/** Of the first messages of a topic: the share that the benchmark's own model answers with that label. */
export async function agreement(client: KafkaClient, topic: string): Promise<number> {
  judge ??= trainSentiment()
  const reader = new KafkaReader(client, async () => 0)
  let same = 0
  let all = 0
  for (const partition of numbers) {
    const batch = await reader.read(topic, partition, 0, 256 * 1024)
    for (let index = 0; index < (batch?.count ?? 0); index++) {
      const [start, end] = [batch!.valueStarts[index]!, batch!.valueEnds[index]!]
      const value = JSON.parse(batch!.bytes.toString('utf8', start, end)) as {
        text: string
        sentiment: { label: string }
      }
      all++
      if (judge.predict([value.text])[0]!.label === value.sentiment.label) same++
    }
  }
  await reader.close()
  return same / all
}

export interface Latency {
  readonly count: number
  readonly p50: number
  readonly p99: number
}

/**
 * From the moment a message was sent, which is its time, to its prediction being read. The load starts
 * with the first output, so that nobody has to catch up with what came while it started.
 */
export async function latency(
  client: KafkaClient,
  contestant: Contestant,
  output: string,
  warmUpMs: number,
  measureMs: number,
  startLoad: () => void,
): Promise<Latency> {
  const reader = new KafkaReader(client, async () => 0)
  const offsets = numbers.map(() => 0)
  const waited: number[] = []
  const startedAt = Date.now()
  let firstAt = Number.POSITIVE_INFINITY
  while (Date.now() < firstAt + warmUpMs + measureMs) {
    if (contestant.hasEnded) throw new Error(`it ended; it said:\n${contestant.lastWords}`)
    if (Date.now() > startedAt + startMs && firstAt > Date.now()) throw new Error('nothing came')
    const seen = reader.revision
    let hasNews = false
    for (const partition of numbers) {
      const batch = await reader.read(output, partition, offsets[partition]!)
      if (batch === undefined) continue
      hasNews = true
      offsets[partition] = batch.nextOffset
      const nowMs = Date.now()
      if (firstAt > nowMs) {
        firstAt = nowMs
        startLoad()
      }
      if (nowMs < firstAt + warmUpMs) continue
      for (let index = 0; index < batch.count; index++) waited.push(nowMs - batch.times[index]!)
    }
    if (!hasNews) await reader.changed(seen, 20)
  }
  await reader.close()
  if (waited.length === 0) throw new Error('nothing came at a steady rate')
  waited.sort((a, b) => a - b)
  const at = (share: number) => waited[Math.floor((waited.length - 1) * share)]!
  return { count: waited.length, p50: at(0.5), p99: at(0.99) }
}
