/**
 * The coordinator of one transactional id: what it is asked to begin, to add and to end. Questions
 * that may pass are asked again; that changes nothing, as each belongs to one epoch.
 */
import {
  addOffsetsToTxnV3,
  addPartitionsToTxnV3,
  endTxnV3,
  initProducerIdV4,
} from '@platformatic/kafka'
import type { Clock } from '../core/clock.ts'
import type { KafkaClient } from './kafka-client.ts'
import { faultOf } from './kafka-faults.ts'
import { endAndBump, type NextEpoch } from './kafka-wire-transactions.ts'
import type { TopicPartition } from './log.ts'
import { nameOf } from './topic-partition.ts'

/** A producer as the broker knows it now; what belongs to one epoch is never sent with another. */
export interface Epoch {
  readonly producerId: bigint
  readonly epoch: number
  /** Of the protocol: by the second, each transaction has an epoch of its own (KIP-890). */
  readonly isOfOne: boolean
}

export interface CoordinatorOptions {
  readonly client: KafkaClient
  readonly clock: Clock
  readonly lane: string
  readonly transactionalId: string
}

/** It bounds how long readers wait behind a process that was killed. */
const transactionTimeoutMs = 10_000
/** The markers of the transaction before are still being written: that takes milliseconds. */
const markerWaitMs = 1
const patienceMs = 60_000

/** The coordinator ended the transaction, or somebody did with the same transactional id. */
export const lostEpoch: ReadonlySet<string> = new Set([
  'INVALID_PRODUCER_EPOCH',
  'PRODUCER_FENCED',
  'INVALID_PRODUCER_ID_MAPPING',
])

export class TransactionCoordinator {
  readonly #options: CoordinatorOptions

  constructor(options: CoordinatorOptions) {
    this.#options = options
  }

  /** A new epoch; whatever the ones before had begun is aborted. */
  begin(): Promise<NextEpoch> {
    const { client, lane, transactionalId } = this.#options
    return this.#ask('begin', (node) =>
      client.call(
        ...([node, lane, initProducerIdV4.api] as const),
        ...([transactionalId, transactionTimeoutMs, -1n, -1] as const),
      ),
    )
  }

  async addPartitions(
    { producerId, epoch }: Epoch,
    parts: readonly TopicPartition[],
    added: readonly TopicPartition[] = [],
  ): Promise<void> {
    const known = new Set(added.map(nameOf))
    const fresh = parts.filter((part) => !known.has(nameOf(part)))
    if (fresh.length === 0) return
    const topics = [...Map.groupBy(fresh, ({ topic }) => topic)].map(([name, ofTopic]) => ({
      name,
      partitions: [...new Set(ofTopic.map(({ partition }) => partition))],
    }))
    const { client, lane, transactionalId } = this.#options
    const who = { transactionalId, producerId, producerEpoch: epoch }
    const asked = [{ ...who, verifyOnly: false, topics }]
    await this.#ask('add partitions', (node) =>
      client.call(node, lane, addPartitionsToTxnV3.api, asked),
    )
  }

  async addOffsets({ producerId, epoch }: Epoch, group: string): Promise<void> {
    const { client, lane, transactionalId } = this.#options
    await this.#ask('add offsets', (node) =>
      client.call(
        ...([node, lane, addOffsetsToTxnV3.api] as const),
        ...([transactionalId, producerId, epoch, group] as const),
      ),
    )
  }

  /** Commits it. Resolves with the next epoch where the protocol gives one to each transaction. */
  end({ producerId, epoch, isOfOne }: Epoch): Promise<NextEpoch | undefined> {
    const { client, lane, transactionalId } = this.#options
    const asked = [transactionalId, producerId, epoch, true] as const
    return this.#ask('end', async (node) => {
      if (isOfOne) return client.call(node, lane, endAndBump, ...asked)
      await client.call(node, lane, endTxnV3.api, ...asked)
      return undefined
    })
  }

  /** Waits for the markers of the transaction before. */
  async #ask<Answer>(what: string, ask: (node: number) => Promise<Answer>): Promise<Answer> {
    const { client, clock, transactionalId } = this.#options
    const untilMs = clock.now() + patienceMs
    const work = async () => {
      for (let waits = 0; ; waits++) {
        try {
          return await ask(await client.coordinator('transaction', transactionalId))
        } catch (error) {
          const isBusy = faultOf(error).id === 'CONCURRENT_TRANSACTIONS'
          if (!isBusy || clock.now() > untilMs) throw error
          await clock.sleep(markerWaitMs * (1 + Math.min(20, waits >> 2)))
        }
      }
    }
    const canRetry = (id: string, mayPass: boolean) =>
      mayPass && !lostEpoch.has(id) && id !== unknownTopic
    return client.patiently(`transaction ${transactionalId}: ${what}`, work, { canRetry, untilMs })
  }
}

/** Asked again from the beginning, where it is soon known for certain. */
export const unknownTopic = 'UNKNOWN_TOPIC_OR_PARTITION'
export const unknownTopicCode = 3
