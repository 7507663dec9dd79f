/**
 * Commits through one transactional producer. Those that come while a transaction is under way wait
 * and then go together, in their order; one that stands in the way of its neighbours is done alone.
 */
import { codeOf, fail, messageOf } from '../core/errors.ts'
import type { KafkaClient } from './kafka-client.ts'
import { faultOf } from './kafka-faults.ts'
import type { KafkaMembership } from './kafka-member.ts'
import { giveBackParts, type PreparedOutputs } from './kafka-prepare.ts'
import {
  isEndUnknown,
  type Transaction,
  type TransactionalProducer,
  type TransactionPart,
  type TransactionResult,
} from './kafka-transaction.ts'
import { unknownTopic } from './kafka-transaction-coordinator.ts'
import type { Checkpoint, Commit, CommitResult } from './log.ts'
import { nameOf } from './topic-partition.ts'

/** A transaction takes no more than this of what waits, so that it stays short. */
const mostBytes = 32 * 1024 * 1024
/** Callers wait for their commits; one that does not is stopped here. */
const mostWaiting = 16_384

export interface KafkaCommitsOptions {
  readonly client: KafkaClient
  readonly producer: TransactionalProducer
  /** Undefined: for commits without a member. */
  readonly member: KafkaMembership | undefined
  /** Encodes changes that are known only once the offsets are. */
  encodeChanges(changes: ReturnType<NonNullable<Commit['changesOf']>>): Promise<PreparedOutputs>
  /** Called after each transaction with what it wrote and where that begins; it keeps no bytes. */
  onCommitted(result: TransactionResult): void
  /** Called with what a commit was to write that failed, or of which nobody knows how it ended. */
  onFailed(parts: readonly TransactionPart[]): void
}

interface Waiting {
  readonly commit: Commit
  readonly outputs: PreparedOutputs
  readonly sizeBytes: number
  readonly resolve: (result: CommitResult) => void
  readonly reject: (error: unknown) => void
}

export class KafkaCommits {
  readonly #options: KafkaCommitsOptions
  /** Committed last by this member; sent again where a commit has none, for the group to check it. */
  #lastCheckpoint: Checkpoint | undefined
  #queue: Waiting[] = []
  #running: Promise<void> | undefined

  constructor(options: KafkaCommitsOptions) {
    this.#options = options
  }

  submit(commit: Commit, outputs: PreparedOutputs): Promise<CommitResult> {
    if (this.#queue.length >= mostWaiting) {
      const waiting = `${this.#queue.length} commits are waiting; await them before making more`
      return Promise.reject(fail('LOG_BUSY', `commit: ${waiting}`, { waitMs: 100 }))
    }
    return new Promise((resolve, reject) => {
      const sizeBytes = outputs.parts.reduce((sum, { bytes }) => sum + bytes.length, 0)
      this.#queue.push({ commit, outputs, sizeBytes, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  /** Resolves once nothing is on its way. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  async close(): Promise<void> {
    await this.idle()
    await this.#options.producer.close()
  }

  async #run(): Promise<void> {
    // A turn for those that are called in the same breath.
    await null
    while (this.#queue.length > 0) {
      const work = this.#take()
      try {
        await this.#process(work)
      } catch (error) {
        await this.#oneByOne(work, error)
      }
      // Whoever heard of its commit now has the next one ready: else two halves would take turns.
      await new Promise((resolve) => setImmediate(resolve))
    }
    this.#running = undefined
  }

  #take(): Waiting[] {
    let sizeBytes = 0
    let count = 0
    while (count < this.#queue.length) {
      sizeBytes += this.#queue[count]!.sizeBytes
      if (count > 0 && sizeBytes > mostBytes) break
      count++
    }
    return this.#queue.splice(0, count)
  }

  /** What one of several cannot do does not keep the others from it. */
  async #oneByOne(work: readonly Waiting[], error: unknown): Promise<void> {
    const alone = work.length === 1
    // It was looked for just now: who asks for it alone need not wait for it as long again.
    const triesUnknown = faultOf(error).id === unknownTopic ? 1 : undefined
    for (const one of work) {
      if (alone || isOfAll(error)) this.#reject(one, error)
      else await this.#process([one], triesUnknown).catch((own: unknown) => this.#reject(one, own))
    }
  }

  #reject({ outputs, reject }: Waiting, error: unknown): void {
    this.#options.onFailed(outputs.parts)
    reject(this.#errorOf(error))
  }

  async #process(work: readonly Waiting[], triesUnknown?: number): Promise<void> {
    const { member } = this.#options
    const run = async () => {
      // Whoever waited for a generation may own less in it.
      if (member !== undefined) checkOwned(work, member)
      return this.#options.producer.run(await this.#transactionOf(work), triesUnknown)
    }
    if (member !== undefined) checkOwned(work, member)
    const result = await (member === undefined ? run() : member.steadily(run))
    this.#options.onCommitted(result)
    let first = 0
    for (const { commit, outputs, resolve } of work) {
      this.#lastCheckpoint = commit.checkpoints?.at(-1) ?? this.#lastCheckpoint
      resolve(resultOf(outputs, result.baseOffsets, first))
      first += outputs.parts.length
    }
    giveBackParts(result.parts)
  }

  async #transactionOf(work: readonly Waiting[]): Promise<Transaction> {
    const { member } = this.#options
    const parts = work.flatMap(({ outputs }) => outputs.parts)
    const checkpoints = new Map<string, Checkpoint>()
    for (const { commit } of work) {
      for (const one of commit.checkpoints ?? []) checkpoints.set(nameOf(one), one)
    }
    if (member !== undefined && checkpoints.size === 0) {
      const last = this.#lastCheckpoint
      if (last !== undefined && member.owns(last.topic, last.partition)) {
        checkpoints.set(nameOf(last), last)
      } else await member.check()
    }
    const offsets =
      member === undefined
        ? undefined
        : {
            ...{ group: member.group, memberId: member.memberId },
            ...{ generation: member.kafkaGeneration, checkpoints: [...checkpoints.values()] },
          }
    const asks = work.some(({ commit }) => commit.changesOf !== undefined)
    return { parts, offsets, ...(asks ? { more: (base) => this.#more(work, base) } : {}) }
  }

  /** Changes of state that name the offsets of what was just written. */
  async #more(
    work: readonly Waiting[],
    baseOffsets: readonly number[],
  ): Promise<TransactionPart[]> {
    const parts: TransactionPart[] = []
    let first = 0
    for (const { commit, outputs } of work) {
      const changes = commit.changesOf?.(resultOf(outputs, baseOffsets, first)) ?? []
      first += outputs.parts.length
      if (changes.length > 0) parts.push(...(await this.#options.encodeChanges(changes)).parts)
    }
    return parts
  }

  /** A fault of the protocol as an order to whoever committed. */
  #errorOf(error: unknown): unknown {
    if (codeOf(error) !== undefined) return error
    const fault = faultOf(error)
    const where = `commit: ${messageOf(error)}`
    if (fencing.has(fault.id)) return fail('MEMBER_FENCED', where, { cause: error })
    if (fault.id === unknownTopic) {
      return fail('TOPIC_UNKNOWN', where, { cause: error })
    }
    if (fault.id.endsWith('AUTHORIZATION_FAILED')) {
      return fail('LOG_FORBIDDEN', where, { cause: error })
    }
    if (fault.canRetry) return fail('LOG_UNREACHABLE', where, { cause: error, waitMs: 500 })
    return error
  }
}

/** The group gave the member's partitions to others. */
const fencing = new Set(['ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'FENCED_INSTANCE_ID'])

/** It says something of the whole transaction, not of a commit in it. */
function isOfAll(error: unknown): boolean {
  if (isEndUnknown(error) || codeOf(error) === 'LOG_UNREACHABLE') return true
  const { id, canRetry } = faultOf(error)
  return fencing.has(id) || (canRetry && id !== unknownTopic)
}

function checkOwned(work: readonly Waiting[], member: KafkaMembership): void {
  for (const { commit } of work) {
    for (const { topic, partition } of commit.checkpoints ?? []) {
      if (member.owns(topic, partition)) continue
      const words = `group ${member.group}: member ${member.memberId} does not own ${topic}/${partition}`
      throw fail('MEMBER_FENCED', `${words}; drop what is in memory and join again`)
    }
  }
}

function resultOf(
  { firstParts }: PreparedOutputs,
  baseOffsets: readonly number[],
  first: number,
): CommitResult {
  return { baseOffsets: firstParts.map((part) => (part < 0 ? -1 : baseOffsets[first + part]!)) }
}
