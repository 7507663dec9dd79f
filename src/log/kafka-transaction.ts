/**
 * One transactional producer. A transaction holds record batches and the offsets of one member's
 * inputs; it is done whole or not at all, however often it has to be tried again.
 *
 * What goes wrong before the end is answered by InitProducerId: it ends what was begun and raises the
 * epoch, so that nothing that is still on its way can be taken for a part of the next transaction.
 */
import {
  addOffsetsToTxnV3,
  addPartitionsToTxnV3,
  endTxnV3,
  initProducerIdV4,
  txnOffsetCommitV3,
} from '@platformatic/kafka'
import type { Clock } from '../core/clock.ts'
import { fail } from '../core/errors.ts'
import type { KafkaClient } from './kafka-client.ts'
import { faultOf } from './kafka-faults.ts'
import { EpochBatches, type TransactionPart } from './kafka-transaction-batches.ts'
import type { Checkpoint, TopicPartition } from './log.ts'
import { nameOf } from './topic-partition.ts'

export type { TransactionPart } from './kafka-transaction-batches.ts'

/** What the transaction commits of a group's positions, by which it is fenced. */
export interface TransactionOffsets {
  readonly group: string
  readonly memberId: string
  readonly generation: number
  readonly checkpoints: readonly Checkpoint[]
}

export interface Transaction {
  /** Batches of one partition are kept in this order. */
  readonly parts: readonly TransactionPart[]
  readonly offsets: TransactionOffsets | undefined
  /** Parts of which more is known once the others have their offsets. */
  readonly more?: (baseOffsets: readonly number[]) => Promise<readonly TransactionPart[]>
}

export interface TransactionResult {
  /** The offset of each part's first message: those of `parts`, then those of `more`. */
  readonly baseOffsets: readonly number[]
  readonly parts: readonly TransactionPart[]
}

/** The steps of a transaction in their order, for tests that stop a process there. */
export const kafkaCommitSteps = ['begun', 'added', 'produced', 'ending', 'ended'] as const
export type KafkaCommitStep = (typeof kafkaCommitSteps)[number]

export interface TransactionalProducerOptions {
  readonly client: KafkaClient
  readonly clock: Clock
  readonly transactionalId: string
  /** A new producer id was given: who reads what it wrote may want to know whose it is. */
  onProducerId?(producerId: bigint): Promise<void>
  readonly onStep?: ((step: KafkaCommitStep) => void) | undefined
}

/** A producer as the broker knows it now; what belongs to one epoch is never sent with another. */
interface Epoch {
  readonly producerId: bigint
  readonly epoch: number
}

/** It bounds how long readers wait behind a process that was killed. */
const transactionTimeoutMs = 10_000
/** The markers of the transaction before are still being written: that takes milliseconds. */
const markerWaitMs = 1
const mostLoadingWaits = 30
const patienceMs = 60_000
/** Whole transactions that are begun anew after faults that may pass. */
const mostTries = 12

/** The coordinator ended the transaction, or somebody did with the same transactional id. */
const lostEpoch = new Set([
  'INVALID_PRODUCER_EPOCH',
  'PRODUCER_FENCED',
  'INVALID_PRODUCER_ID_MAPPING',
])
/** Nothing is wrong with what was asked: with a new epoch it may succeed. */
const beginAnew = new Set([
  ...lostEpoch,
  ...['OUT_OF_ORDER_SEQUENCE_NUMBER', 'UNKNOWN_PRODUCER_ID', 'DUPLICATE_SEQUENCE_NUMBER'],
  ...['INVALID_TXN_STATE', 'TRANSACTION_ABORTABLE', 'CONCURRENT_TRANSACTIONS', 'REQUEST_TIMED_OUT'],
])
/** Asked again from the beginning, where it is soon known for certain. */
const unknownTopic = 'UNKNOWN_TOPIC_OR_PARTITION'

export class TransactionalProducer {
  readonly #options: TransactionalProducerOptions
  readonly #lane: string
  #producerId = -1n
  #epoch = -1
  /** Of this epoch. */
  #batches: EpochBatches | undefined

  constructor(options: TransactionalProducerOptions) {
    this.#options = options
    this.#lane = `produce ${options.transactionalId}`
  }

  get producerId(): bigint {
    return this.#producerId
  }

  /** One at a time. Throws the fault that stands in its way; then nothing of it was done. */
  async run(transaction: Transaction): Promise<TransactionResult> {
    const { clock, client, transactionalId } = this.#options
    for (let tries = 1; ; tries++) {
      try {
        if (this.#epoch < 0) await this.#begin()
        return await this.#attempt(transaction)
      } catch (error) {
        this.#epoch = -1
        const { id, canRetry } = faultOf(error)
        if (tries >= mostTries || !(canRetry || beginAnew.has(id))) {
          await this.#abort()
          throw error
        }
        for (const { topic } of transaction.parts) client.forgetTopic(topic)
        client.forgetCoordinator('transaction', transactionalId)
        await clock.sleep(Math.min(1000, 10 * 2 ** tries) * (0.5 + Math.random() / 2))
      }
    }
  }

  /** Ends its connections; a transaction that is under way is ended by the coordinator. */
  async close(): Promise<void> {
    await this.#options.client.closeLane(this.#lane)
  }

  /** Ends what was begun, so that nobody waits for it; where that fails, its timeout does. */
  async #abort(): Promise<void> {
    await this.#begin().catch(() => {
      this.#epoch = -1
    })
  }

  /** A new epoch; whatever the ones before had begun is aborted. */
  async #begin(): Promise<void> {
    const { transactionalId, onProducerId } = this.#options
    const answer = await this.#atCoordinator('begin', (node) =>
      this.#options.client.call(
        ...([node, this.#lane, initProducerIdV4.api] as const),
        ...([transactionalId, transactionTimeoutMs, -1n, -1] as const),
      ),
    )
    if (answer.producerId !== this.#producerId) await onProducerId?.(answer.producerId)
    this.#producerId = answer.producerId
    this.#epoch = answer.producerEpoch
    this.#batches = new EpochBatches({
      ...{ client: this.#options.client, clock: this.#options.clock },
      ...{ lane: this.#lane, transactionalId },
      ...{ producerId: this.#producerId, epoch: this.#epoch },
    })
    this.#options.onStep?.('begun')
  }

  async #attempt({ parts, offsets, more }: Transaction): Promise<TransactionResult> {
    const { onStep } = this.#options
    const now: Epoch = { producerId: this.#producerId, epoch: this.#epoch }
    const hasOffsets = offsets !== undefined && offsets.checkpoints.length > 0
    await bothOf(
      this.#addPartitions(now, parts),
      hasOffsets ? this.#addOffsets(now, offsets) : undefined,
    )
    onStep?.('added')
    const baseOffsets = await bothOf(
      this.#batches!.send(parts),
      hasOffsets ? this.#commitOffsets(now, offsets) : undefined,
    )
    const later = (await more?.(baseOffsets)) ?? []
    if (later.length > 0) {
      await this.#addPartitions(now, later, parts)
      baseOffsets.push(...(await this.#batches!.send(later)))
    }
    onStep?.('produced')
    if (parts.length + later.length > 0 || hasOffsets) await this.#end(now, offsets)
    return { baseOffsets, parts: later.length === 0 ? parts : [...parts, ...later] }
  }

  async #addPartitions(
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
    const { transactionalId } = this.#options
    const who = { transactionalId, producerId, producerEpoch: epoch }
    const asked = [{ ...who, verifyOnly: false, topics }]
    await this.#atCoordinator('add partitions', (node) =>
      this.#options.client.call(node, this.#lane, addPartitionsToTxnV3.api, asked),
    )
  }

  async #addOffsets({ producerId, epoch }: Epoch, { group }: TransactionOffsets): Promise<void> {
    const { transactionalId } = this.#options
    await this.#atCoordinator('add offsets', (node) =>
      this.#options.client.call(
        ...([node, this.#lane, addOffsetsToTxnV3.api] as const),
        ...([transactionalId, producerId, epoch, group] as const),
      ),
    )
  }

  async #commitOffsets({ producerId, epoch }: Epoch, offsets: TransactionOffsets): Promise<void> {
    const { client, transactionalId } = this.#options
    const { group, generation, memberId, checkpoints } = offsets
    const topics = [...Map.groupBy(checkpoints, ({ topic }) => topic)].map(([name, ofTopic]) => ({
      name,
      partitions: ofTopic.map(({ partition, offset, metadata }) => ({
        ...{ partitionIndex: partition, committedOffset: BigInt(offset), committedLeaderEpoch: -1 },
        committedMetadata: metadata,
      })),
    }))
    const ask = async () => {
      const node = await client.coordinator('group', group)
      await client.call(
        ...([node, `offsets ${transactionalId}`, txnOffsetCommitV3.api] as const),
        ...([transactionalId, group, producerId, epoch] as const),
        ...([generation, memberId, null, topics] as const),
      )
    }
    const work = () => this.#soonAgain(ask)
    // The group's partitions may be about to be loaded elsewhere: asking again changes nothing.
    const canRetry = (id: string, mayPass: boolean) => mayPass && id !== unknownTopic
    const where = `group ${group}: commit offsets`
    await client.patiently(where, work, { canRetry, untilMs: this.#untilMs() })
  }

  /**
   * Asked again until it is known how it ended: a second EndTxn of the same epoch is answered like
   * the first. Where the epoch is lost the coordinator had aborted before. Where no answer comes at all
   * it may have been committed: to write it once more could write it twice, so whoever committed has
   * to look where the group stands.
   */
  async #end({ producerId, epoch }: Epoch, offsets: TransactionOffsets | undefined): Promise<void> {
    const { transactionalId, onStep } = this.#options
    onStep?.('ending')
    try {
      await this.#atCoordinator('end', (node) =>
        this.#options.client.call(
          ...([node, this.#lane, endTxnV3.api] as const),
          ...([transactionalId, producerId, epoch, true] as const),
        ),
      )
    } catch (error) {
      const { id, canRetry, message } = faultOf(error)
      if (!canRetry && id !== 'ORDER') throw error
      const words = `transaction ${transactionalId}: it is not known how it ended: ${message}`
      const code = offsets === undefined ? 'LOG_UNREACHABLE' : 'MEMBER_FENCED'
      throw Object.assign(fail(code, words, { cause: error, waitMs: 1000 }), { isEndUnknown: true })
    }
    onStep?.('ended')
  }

  /** At the coordinator of the transactional id; waits for the markers of the transaction before. */
  async #atCoordinator<Answer>(
    what: string,
    ask: (node: number) => Promise<Answer>,
  ): Promise<Answer> {
    const { client, clock, transactionalId } = this.#options
    const untilMs = this.#untilMs()
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

  /**
   * A coordinator says that it is loading also while it asks the other one about the transaction: that
   * takes milliseconds, and nothing that is known of the cluster is wrong because of it.
   */
  async #soonAgain(ask: () => Promise<void>): Promise<void> {
    for (let waits = 0; ; waits++) {
      try {
        return await ask()
      } catch (error) {
        const isLoading = faultOf(error).id === 'COORDINATOR_LOAD_IN_PROGRESS'
        if (!isLoading || waits === mostLoadingWaits) throw error
        await this.#options.clock.sleep(markerWaitMs)
      }
    }
  }

  #untilMs(): number {
    return this.#options.clock.now() + patienceMs
  }
}

/** True where a transaction may have been committed or not. */
export const isEndUnknown = (error: unknown): boolean =>
  (error as { isEndUnknown?: unknown } | null)?.isEndUnknown === true

/** Resolves once both have ended: what one does is not under way any more when the other failed. */
async function bothOf<Result>(
  first: Promise<Result>,
  second: Promise<void> | undefined,
): Promise<Result> {
  const [one, other] = await Promise.allSettled([first, second])
  if (one.status === 'rejected') throw one.reason
  if (other.status === 'rejected') throw other.reason
  return one.value
}
