/** Tweets on their way to a Kafka topic: all at once before a clock starts, or at a steady rate. */
import type { Batch } from '../src/core/batch.ts'
import { BatchBuilder } from '../src/core/batch-builder.ts'
import { KafkaClient } from '../src/log/kafka-client.ts'
import { KafkaTopics } from '../src/log/kafka-topics.ts'
import { produce } from '../src/log/kafka-wire.ts'
import { encodeRecordBatch } from '../src/log/record-batch.ts'

export const partitions = 4
/** As a producer that lingers sends them. */
const batchMessages = 1000
const mostInFlight = 8
const timeoutMs = 30_000

export const clientOf = (bootstrapServers: string) =>
  new KafkaClient({ brokers: bootstrapServers.split(','), clientId: 'millrace-bench' })

export const makeTopic = (client: KafkaClient, name: string) =>
  new KafkaTopics(client).createTopic(name, { partitions })

/** Tweets for one partition, whose time is `timeMs`. */
function batchOf(
  topic: string,
  partition: number,
  tweets: readonly string[],
  timeMs: number,
): Batch {
  const builder = new BatchBuilder(topic, partition)
  for (const tweet of tweets) builder.append(null, tweet, timeMs)
  return builder.build()
}

/** One request with batches of one topic, without a transaction; there is one broker. */
export async function sendBatches(client: KafkaClient, batches: readonly Batch[]): Promise<void> {
  const [first] = batches
  if (first === undefined) return
  const node = await client.leaderOf(first.topic, first.partition)
  const parts = batches.map((batch) => {
    const bytes = encodeRecordBatch(batch, { compression: 'none' })
    return { topic: batch.topic, partition: batch.partition, bytes }
  })
  for (const answer of await client.call(node, 'load', produce, null, timeoutMs, parts)) {
    if (answer.errorCode !== 0) throw new Error(`bench: a produce was answered ${answer.errorCode}`)
  }
}

/** So many tweets, the given ones over and over. */
export async function fill(
  client: KafkaClient,
  topic: string,
  tweets: readonly string[],
  messages: number,
): Promise<void> {
  const sending = new Set<Promise<void>>()
  for (let from = 0, batch = 0; from < messages; from += batchMessages, batch++) {
    const count = Math.min(batchMessages, messages - from)
    const some = Array.from(
      { length: count },
      (_, index) => tweets[(from + index) % tweets.length]!,
    )
    const sent = sendBatches(client, [batchOf(topic, batch % partitions, some, Date.now())])
    sending.add(sent)
    void sent.then(() => sending.delete(sent))
    if (sending.size >= mostInFlight) await Promise.race(sending)
  }
  await Promise.all(sending)
}

/**
 * Sends for ever what is due, every 5 ms, all partitions in one request, as a producer with
 * `linger.ms=5` does; the time of each tweet is the moment of the call.
 */
export async function sendAtRate(
  client: KafkaClient,
  topic: string,
  tweets: readonly string[],
  ratePerSecond: number,
): Promise<never> {
  const startedAt = performance.now()
  for (let sent = 0; ; ) {
    const due = Math.floor(((performance.now() - startedAt) / 1000) * ratePerSecond)
    const byPartition = Array.from({ length: partitions }, (): string[] => [])
    for (; sent < due; sent++) byPartition[sent % partitions]!.push(tweets[sent % tweets.length]!)
    const nowMs = Date.now()
    const batches = byPartition.map((some, partition) => batchOf(topic, partition, some, nowMs))
    void sendBatches(
      client,
      batches.filter(({ count }) => count > 0),
    )
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
