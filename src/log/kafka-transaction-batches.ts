/** The record batches that a transactional producer sends in one epoch, in the order of their numbers. */
import type { Clock } from '../core/clock.ts'
import type { KafkaClient } from './kafka-client.ts'
import { codeIs, faultError } from './kafka-faults.ts'
import type { ProducedPart, ProducePart, produce } from './kafka-wire.ts'
import { stampProducer } from './record-batch-stamp.ts'
import { nameOf } from './topic-partition.ts'

/** An encoded record batch on its way to a partition. */
export interface TransactionPart extends ProducePart {
  readonly count: number
}

export interface EpochBatchesOptions {
  readonly client: KafkaClient
  readonly clock: Clock
  readonly lane: string
  readonly transactionalId: string
  readonly producerId: bigint
  readonly epoch: number
  /** By which batches are sent. */
  readonly request: typeof produce
}

const produceTimeoutMs = 10_000
/**
 * A batch that is turned away before it is written. Brokers say so too while they ask the coordinator
 * whether the partition belongs to the transaction, and ask about something else of it: that passes
 * in a moment, and to abort the transaction for it would take longer than all the rest.
 */
const turnedAway = 'NOT_ENOUGH_REPLICAS'
const mostSends = 6
const firstWaitMs = 2

export class EpochBatches {
  readonly #options: EpochBatchesOptions
  /** By `topic/partition`. */
  readonly #sequences = new Map<string, number>()

  constructor(options: EpochBatchesOptions) {
    this.#options = options
  }

  /**
   * The offsets of the parts, in their order. Requests of one broker are under way together, once it
   * has taken a first batch of each partition: it then knows that they belong to the transaction.
   */
  async send(parts: readonly TransactionPart[]): Promise<number[]> {
    const baseOffsets = new Array<number>(parts.length).fill(-1)
    const [first = [], ...others] = this.#rounds(parts)
    await this.#sendRounds([first], parts, baseOffsets)
    if (others.length > 0) await this.#sendRounds(others, parts, baseOffsets)
    return baseOffsets
  }

  /** Indexes of parts; a request has one batch a partition at most. */
  #rounds(parts: readonly TransactionPart[]): number[][] {
    const rounds: number[][] = []
    const seen = new Map<string, number>()
    for (const [index, part] of parts.entries()) {
      const round = seen.get(nameOf(part)) ?? 0
      seen.set(nameOf(part), round + 1)
      rounds[round] ??= []
      rounds[round].push(index)
      this.#stamp(part)
    }
    return rounds
  }

  #stamp(part: TransactionPart): void {
    const name = nameOf(part)
    const sequence = this.#sequences.get(name) ?? 0
    this.#sequences.set(name, (sequence + part.count) % 0x8000_0000)
    stampProducer(part.bytes, Number(this.#options.producerId), this.#options.epoch, sequence)
  }

  async #sendRounds(
    rounds: readonly (readonly number[])[],
    parts: readonly TransactionPart[],
    baseOffsets: number[],
  ): Promise<void> {
    const requests: Promise<void>[] = []
    for (const round of rounds) {
      for (const [node, indexes] of await this.#byLeader(parts, round)) {
        const request = this.#sendTo(node, parts, indexes, baseOffsets)
        // It may fail while the next ones are still being sorted: it is looked at below.
        request.catch(() => undefined)
        requests.push(request)
      }
    }
    const failed = (await Promise.allSettled(requests)).find((one) => one.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  async #byLeader(
    parts: readonly TransactionPart[],
    indexes: readonly number[],
  ): Promise<Map<number, number[]>> {
    const byLeader = new Map<number, number[]>()
    for (const index of indexes) {
      const { topic, partition } = parts[index]!
      const node = await this.#options.client.leaderOf(topic, partition)
      const known = byLeader.get(node)
      if (known === undefined) byLeader.set(node, [index])
      else known.push(index)
    }
    return byLeader
  }

  async #sendTo(
    node: number,
    parts: readonly TransactionPart[],
    indexes: readonly number[],
    baseOffsets: number[],
  ): Promise<void> {
    const { client, clock, lane, transactionalId, request } = this.#options
    let left = indexes
    for (let sends = 1, waitMs = firstWaitMs; left.length > 0; sends++, waitMs *= 2) {
      const sent = left.map((index) => parts[index]!)
      const answers = await client.call(
        ...([node, lane, request, transactionalId, produceTimeoutMs, sent] as const),
      )
      const byName = new Map(answers.map((answer) => [nameOf(answer), answer]))
      const again: number[] = []
      for (const index of left) {
        const answer: ProducedPart | undefined = byName.get(nameOf(parts[index]!))
        const code = answer?.errorCode ?? -1
        if (codeIs(code, 'NONE')) baseOffsets[index] = answer!.baseOffset
        else if (codeIs(code, turnedAway) && sends < mostSends) again.push(index)
        else throw faultError(code, `produce to ${nameOf(parts[index]!)}`)
      }
      left = again
      if (left.length > 0) await clock.sleep(waitMs)
    }
  }
}
