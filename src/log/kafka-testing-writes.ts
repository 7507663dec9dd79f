/** What tests write to Kafka step by step: a transaction that is left open, aborted or committed. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  addOffsetsToTxnV3,
  addPartitionsToTxnV3,
  endTxnV3,
  initProducerIdV4,
  txnOffsetCommitV3,
} from '@platformatic/kafka'
import type { KafkaClient } from './kafka-client.ts'
import { faultError } from './kafka-faults.ts'
import { newName } from './kafka-testing.ts'
import type { KafkaTopics } from './kafka-topics.ts'
import { produce } from './kafka-wire.ts'
import { output, type Sent } from './log.contract.support.ts'
import type { Checkpoint, Output } from './log.ts'
import { encodeRecordBatch } from './record-batch.ts'
import { stampProducer } from './record-batch-stamp.ts'

const lane = 'test'
const timeoutMs = 10_000

export class OpenTransaction {
  readonly #client: KafkaClient
  readonly #id: string
  readonly #sequences = new Map<string, number>()
  #producerId = -1n
  #epoch = -1

  constructor(client: KafkaClient, transactionalId = newName('transaction')) {
    this.#client = client
    this.#id = transactionalId
  }

  async begin(): Promise<this> {
    const answer = await this.#atCoordinator((node) =>
      this.#client.call(node, lane, initProducerIdV4.api, this.#id, timeoutMs, -1n, -1),
    )
    this.#producerId = answer.producerId
    this.#epoch = answer.producerEpoch
    return this
  }

  write(topic: string, partition: number, messages: readonly (Sent | string)[]): Promise<number> {
    return this.writeOutput(output(topic, partition, messages))
  }

  /** Returns the offset of the first message. */
  async writeOutput({ topic, partition, batch }: Output): Promise<number> {
    const who = {
      ...{ transactionalId: this.#id, producerId: this.#producerId, producerEpoch: this.#epoch },
      ...{ verifyOnly: false, topics: [{ name: topic, partitions: [partition] }] },
    }
    await this.#atCoordinator((node) =>
      this.#client.call(node, lane, addPartitionsToTxnV3.api, [who]),
    )
    const bytes = encodeRecordBatch(batch, { compression: 'none' })
    const sequence = this.#sequences.get(`${topic}/${partition}`) ?? 0
    this.#sequences.set(`${topic}/${partition}`, sequence + batch.count)
    stampProducer(bytes, Number(this.#producerId), this.#epoch, sequence)
    return send(this.#client, topic, partition, bytes, this.#id)
  }

  /** As a group without members commits. */
  async commitOffsets(group: string, checkpoints: readonly Checkpoint[]): Promise<void> {
    await this.#atCoordinator((node) =>
      this.#client.call(
        ...([node, lane, addOffsetsToTxnV3.api] as const),
        ...([this.#id, this.#producerId, this.#epoch, group] as const),
      ),
    )
    const topics = checkpoints.map(({ topic, partition, offset, metadata }) => {
      const committed = { committedOffset: BigInt(offset), committedLeaderEpoch: -1 }
      const one = { partitionIndex: partition, ...committed, committedMetadata: metadata }
      return { name: topic, partitions: [one] }
    })
    await this.#client.patiently('offsets', async () => {
      await this.#client.call(
        ...([await this.#client.coordinator('group', group), lane, txnOffsetCommitV3.api] as const),
        ...([this.#id, group, this.#producerId, this.#epoch, -1, '', null, topics] as const),
      )
    })
  }

  /** Resolves when it is decided; its markers are written a moment later. */
  async end(isCommit: boolean): Promise<void> {
    await this.#atCoordinator((node) =>
      this.#client.call(
        ...([node, lane, endTxnV3.api] as const),
        ...([this.#id, this.#producerId, this.#epoch, isCommit] as const),
      ),
    )
  }

  #atCoordinator<Answer>(ask: (node: number) => Promise<Answer>): Promise<Answer> {
    return this.#client.patiently('transaction', async () => {
      return ask(await this.#client.coordinator('transaction', this.#id))
    })
  }
}

/** Resolves once the partition's messages are decided up to there. */
export async function untilDecided(
  topics: Pick<KafkaTopics, 'offsets'>,
  topic: string,
  end: number,
): Promise<void> {
  const untilMs = performance.now() + 20_000
  while ((await topics.offsets(topic, 0)).end < end) {
    assert.ok(performance.now() < untilMs, `${topic}/0 was never decided up to ${end}`)
    await sleep(5)
  }
}

/** Messages outside of any transaction, sent once. Returns the offset of the first. */
export async function write(
  client: KafkaClient,
  topic: string,
  partition: number,
  messages: readonly (Sent | string)[],
): Promise<number> {
  const { batch } = output(topic, partition, messages)
  return send(client, topic, partition, encodeRecordBatch(batch, { compression: 'none' }), null)
}

async function send(
  client: KafkaClient,
  topic: string,
  partition: number,
  bytes: Buffer,
  transactionalId: string | null,
): Promise<number> {
  const node = await client.leaderOf(topic, partition)
  const parts = [{ topic, partition, bytes }]
  const [answer] = await client.call(node, lane, produce, transactionalId, timeoutMs, parts)
  if (answer!.errorCode !== 0) throw faultError(answer!.errorCode, `${topic}/${partition}`)
  return answer!.baseOffset
}
