/**
 * One transactional producer. A transaction holds record batches and the offsets of one member's
 * inputs; it is done whole or not at all, however often it has to be tried again.
 *
 * What goes wrong before the end is answered by InitProducerId: it ends what was begun and raises the
 * epoch, so that nothing that is still on its way can be taken for a part of the next transaction.
 */
import { txnOffsetCommitV3 } from '@platformatic/kafka'
import type { Clock } from '../core/clock.ts'
import { fail } from '../core/errors.ts'
import type { KafkaClient } from './kafka-client.ts'
import { faultError, faultOf } from './kafka-faults.ts'
import { EpochBatches, type TransactionPart } from './kafka-transaction-batches.ts'
import {
  type Epoch,
  lostEpoch,
  TransactionCoordinator,
  unknownTopic,
  unknownTopicCode,
} from './kafka-transaction-coordinator.ts'
import { produce, produceAndAdd } from './kafka-wire.ts'
import { commitOffsetsAndAdd, type NextEpoch } from './kafka-wire-transactions.ts'
import type { Checkpoint } from './log.ts'

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

const loadingWaitMs = 1
const mostLoadingWaits = 30
/** After so long all markers of a transaction are written, as a rule. */
const markersMs = 50
const patienceMs = 60_000
/** Whole transactions that are begun anew after faults that may pass. */
const mostTries = 12
/** After so many, about a second, a topic that the cluster does not know is no new one any more. */
const mostTriesUnknown = 7

/** Nothing is wrong with what was asked: with a new epoch it may succeed. */
const beginAnew = new Set([
  ...lostEpoch,
  ...['OUT_OF_ORDER_SEQUENCE_NUMBER', 'UNKNOWN_PRODUCER_ID', 'DUPLICATE_SEQUENCE_NUMBER'],
  ...['INVALID_TXN_STATE', 'TRANSACTION_ABORTABLE', 'CONCURRENT_TRANSACTIONS', 'REQUEST_TIMED_OUT'],
])

export class TransactionalProducer {
  readonly #options: TransactionalProducerOptions
  readonly #lane: string
  readonly #coordinator: TransactionCoordinator
  #producerId = -1n
  /** Undefined: to begin with. */
  #now: Epoch | undefined
  /** Of this epoch. */
  #batches: EpochBatches | undefined
  /** When the transaction before was committed. */
  #endedAtMs = Number.NEGATIVE_INFINITY

  constructor(options: TransactionalProducerOptions) {
    this.#options = options
    const { client, clock, transactionalId } = options
    this.#lane = `produce ${transactionalId}`
    this.#coordinator = new TransactionCoordinator({
      ...{ client, clock, transactionalId, lane: this.#lane },
    })
  }

  get producerId(): bigint {
    return this.#producerId
  }

  /**
   * One at a time. Throws the fault that stands in its way; then nothing of it was done. A topic that
   * is not there is looked for `triesUnknown` times.
   */
  async run(transaction: Transaction, triesUnknown = mostTriesUnknown): Promise<TransactionResult> {
    const { clock, client, transactionalId } = this.#options
    for (let tries = 1; ; tries++) {
      try {
        return await this.#attempt(this.#now ?? (await this.#begin()), transaction)
      } catch (error) {
        this.#now = undefined
        const { id, canRetry } = faultOf(error)
        for (const topic of topicsOf(transaction)) client.forgetTopic(topic)
        const isLooked = id === unknownTopic && tries >= triesUnknown
        const gone = isLooked ? await this.#missingOf(transaction) : undefined
        if (gone !== undefined || tries >= mostTries || !(canRetry || beginAnew.has(id))) {
          await this.#abort()
          throw gone === undefined ? error : faultError(unknownTopicCode, `topic ${gone}`)
        }
        client.forgetCoordinator('transaction', transactionalId)
        await clock.sleep(Math.min(1000, 10 * 2 ** tries) * (0.5 + Math.random() / 2))
      }
    }
  }

  /** A topic that is not there: brokers may only not have heard yet of one that is. */
  async #missingOf(transaction: Transaction): Promise<string | undefined> {
    const { client } = this.#options
    const names = topicsOf(transaction)
    try {
      const found = await Promise.all(names.map((name) => client.topic(name)))
      return names.find((_, index) => found[index] === undefined)
    } catch {
      return undefined
    }
  }

  /** Ends its connections; a transaction that is under way is ended by the coordinator. */
  async close(): Promise<void> {
    await this.#options.client.closeLane(this.#lane)
  }

  /** Ends what was begun, so that nobody waits for it; where that fails, its timeout does. */
  async #abort(): Promise<void> {
    await this.#begin().catch(() => {
      this.#now = undefined
    })
  }

  /** A new epoch; whatever the ones before had begun is aborted. */
  async #begin(): Promise<Epoch> {
    const { client, onStep } = this.#options
    const answer = await this.#coordinator.begin()
    const isOfOne = (await client.transactionVersion()) >= 2
    const epoch = await this.#adopt(answer, isOfOne)
    onStep?.('begun')
    return epoch
  }

  async #adopt(next: NextEpoch, isOfOne: boolean): Promise<Epoch> {
    const { client, clock, transactionalId, onProducerId } = this.#options
    const { producerId, producerEpoch: epoch } = next
    if (producerId !== this.#producerId) await onProducerId?.(producerId)
    this.#producerId = producerId
    this.#now = { producerId, epoch, isOfOne }
    this.#batches = new EpochBatches({
      ...{ client, clock, lane: this.#lane, transactionalId },
      ...{ producerId, epoch, request: isOfOne ? produceAndAdd : produce },
    })
    return this.#now
  }

  async #attempt(now: Epoch, { parts, offsets, more }: Transaction): Promise<TransactionResult> {
    const { onStep } = this.#options
    const hasOffsets = offsets !== undefined && offsets.checkpoints.length > 0
    if (!this.#isAddedByWriting(now)) {
      await bothOf(
        this.#coordinator.addPartitions(now, parts),
        hasOffsets ? this.#coordinator.addOffsets(now, offsets.group) : undefined,
      )
    }
    onStep?.('added')
    const baseOffsets = await bothOf(
      this.#batches!.send(parts),
      hasOffsets ? this.#commitOffsets(now, offsets) : undefined,
    )
    const later = (await more?.(baseOffsets)) ?? []
    if (later.length > 0) {
      if (!now.isOfOne) await this.#coordinator.addPartitions(now, later, parts)
      baseOffsets.push(...(await this.#batches!.send(later)))
    }
    onStep?.('produced')
    if (parts.length + later.length > 0 || hasOffsets) await this.#end(now, offsets)
    return { baseOffsets, parts: later.length === 0 ? parts : [...parts, ...later] }
  }

  /**
   * By the second protocol that can be left to the brokers. But where the markers of the transaction
   * before are still being written they wait 20 ms (add.partitions.to.txn.retry.backoff.ms); whoever
   * asks the coordinator itself hears within a millisecond that they are done.
   */
  #isAddedByWriting({ isOfOne }: Epoch): boolean {
    return isOfOne && this.#options.clock.now() - this.#endedAtMs > markersMs
  }

  async #commitOffsets(now: Epoch, offsets: TransactionOffsets): Promise<void> {
    const { producerId, epoch, isOfOne } = now
    const { client, transactionalId } = this.#options
    const { group, generation, memberId, checkpoints } = offsets
    const topics = [...Map.groupBy(checkpoints, ({ topic }) => topic)].map(([name, ofTopic]) => ({
      name,
      partitions: ofTopic.map(({ partition, offset, metadata }) => ({
        ...{ partitionIndex: partition, committedOffset: BigInt(offset), committedLeaderEpoch: -1 },
        committedMetadata: metadata,
      })),
    }))
    const request = isOfOne ? commitOffsetsAndAdd : txnOffsetCommitV3.api
    const ask = async () => {
      const node = await client.coordinator('group', group)
      await client.call(
        ...([node, `offsets ${transactionalId}`, request] as const),
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
  async #end(now: Epoch, offsets: TransactionOffsets | undefined): Promise<void> {
    const { transactionalId, onStep } = this.#options
    let next: NextEpoch | undefined
    onStep?.('ending')
    try {
      next = await this.#coordinator.end(now)
    } catch (error) {
      const { id, canRetry, message } = faultOf(error)
      if (!canRetry && id !== 'ORDER') throw error
      const words = `transaction ${transactionalId}: it is not known how it ended: ${message}`
      const code = offsets === undefined ? 'LOG_UNREACHABLE' : 'MEMBER_FENCED'
      throw Object.assign(fail(code, words, { cause: error, waitMs: 1000 }), { isEndUnknown: true })
    }
    this.#endedAtMs = this.#options.clock.now()
    onStep?.('ended')
    if (next !== undefined) await this.#goOn(next)
  }

  /** What was committed stays so: where this fails the next transaction begins anew. */
  async #goOn(next: NextEpoch): Promise<void> {
    try {
      await this.#adopt(next, true)
    } catch {
      this.#now = undefined
    }
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
        await this.#options.clock.sleep(loadingWaitMs)
      }
    }
  }

  #untilMs(): number {
    return this.#options.clock.now() + patienceMs
  }
}

const topicsOf = ({ parts, offsets }: Transaction): string[] => [
  ...new Set([...parts, ...(offsets?.checkpoints ?? [])].map(({ topic }) => topic)),
]

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
