/** Where a contestant of bench/windows.ts works: topics on the embedded log or on a Kafka, seen alike. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { KafkaCluster } from '../scripts/services/kafka.ts'
import type { Batch } from '../src/core/batch.ts'
import { openEmbeddedLog } from '../src/log/embedded.ts'
import type { KafkaClient } from '../src/log/kafka-client.ts'
import { KafkaOffsets } from '../src/log/kafka-offsets.ts'
import { KafkaReader } from '../src/log/kafka-reader.ts'
import { KafkaTopics } from '../src/log/kafka-topics.ts'
import { clientOf, sendBatches } from './kafka-load.ts'
import { cpuSecondsOf } from './kafka-process.ts'
import { partitions } from './windows-load.ts'

export interface Place {
  readonly bootstrapServers: string | undefined
  make(topic: string): Promise<void>
  append(batches: readonly Batch[]): Promise<void>
  /** Behind the last message of each partition that can be read. */
  ends(topic: string): Promise<readonly number[]>
  read(topic: string, partition: number, offset: number): Promise<Batch | undefined>
  /** NaN where there is no broker of ours. */
  brokerCpu(): number
  /** What a contestant that had this directory for itself keeps there. */
  stateBytes(directory: string): number
  /** Removes the topics that begin so. */
  remove(prefix: string): Promise<void>
  close(): Promise<void>
}

const numbers = Array.from({ length: partitions }, (_, partition) => partition)
const mostInFlight = 8

/** Millrace's own log in this directory; it holds messages too, so only its database counts as state. */
export async function embeddedPlace(directory: string): Promise<Place> {
  const log = await openEmbeddedLog({ directory })
  return {
    bootstrapServers: undefined,
    make: async (topic) => void (await log.createTopic(topic, { partitions })),
    append: async (batches) => {
      for (let from = 0; from < batches.length; from += mostInFlight) {
        const outputs = batches.slice(from, from + mostInFlight).map((batch) => {
          return { topic: batch.topic, partition: batch.partition, batch }
        })
        await log.commit({ outputs })
      }
    },
    ends: async (topic) => {
      if ((await log.topic(topic)) === undefined) return []
      return Promise.all(numbers.map(async (one) => (await log.offsets(topic, one)).end))
    },
    read: (topic, partition, offset) => log.read(topic, partition, offset),
    brokerCpu: () => Number.NaN,
    stateBytes: () => bytesOf(directory, (name) => name.startsWith('millrace.db')),
    remove: async () => undefined,
    close: () => log.close(),
  }
}

export async function kafkaPlace(cluster: KafkaCluster): Promise<Place> {
  const client: KafkaClient = clientOf(cluster.bootstrapServers)
  await client.patiently('bench', () => client.controller())
  const topics = new KafkaTopics(client)
  const offsets = new KafkaOffsets(client)
  const reader = new KafkaReader(client, async () => 0)
  return {
    bootstrapServers: cluster.bootstrapServers,
    make: async (topic) => void (await topics.createTopic(topic, { partitions })),
    append: async (batches) => {
      const sending = new Set<Promise<void>>()
      for (const batch of batches) {
        const sent = sendBatches(client, [batch])
        sending.add(sent)
        void sent.then(() => sending.delete(sent))
        if (sending.size >= mostInFlight) await Promise.race(sending)
      }
      await Promise.all(sending)
    },
    ends: (topic) => Promise.all(numbers.map((one) => offsets.find(topic, one, 'end'))),
    read: (topic, partition, offset) => reader.read(topic, partition, offset, 4 * 1024 * 1024),
    brokerCpu: () => cpuSecondsOf(cluster.remains?.processes[0]?.pid),
    stateBytes: (directory) => bytesOf(directory, () => true),
    remove: async (prefix) => {
      for (const { name } of await topics.topics()) {
        if (name.startsWith(prefix)) await topics.deleteTopic(name)
      }
    },
    close: async () => {
      await reader.close()
      await client.close()
    },
  }
}

function bytesOf(directory: string, counts: (name: string) => boolean): number {
  let bytes = 0
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !counts(entry.name)) continue
    // As much as is really taken: databases reserve more than they have written.
    bytes += statSync(join(entry.parentPath, entry.name)).blocks * 512
  }
  return bytes
}
