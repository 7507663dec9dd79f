/** Where a partition is decided: what waits for transactions that are open, and for how long. */
import type { Clock } from '../core/clock.ts'
import { fail } from '../core/errors.ts'
import type { KafkaTopics } from './kafka-topics.ts'
import type { Log, OffsetRange } from './log.ts'

/** Of a transaction that is open, or whose markers are being written. */
const firstWaitMs = 1
const longestWaitMs = 50
/** Its coordinator ends a transaction that nobody ends after 10 s. */
const patienceMs = 30_000

export interface DecidedOptions {
  readonly topics: Pick<KafkaTopics, 'writtenEnd'>
  /** `Log.offsets`. */
  readonly offsets: Log['offsets']
  readonly clock: Clock
}

/** Waits longer each time. Throws `LOG_BUSY` where it does not move on. */
export class DecidedWait {
  readonly #clock: Clock
  readonly #where: string
  #position = -1
  #untilMs = 0
  #waitMs = firstWaitMs

  constructor(clock: Clock, topic: string, partition: number) {
    this.#clock = clock
    this.#where = `${topic}/${partition}`
  }

  async wait(position: number): Promise<void> {
    if (position !== this.#position) {
      this.#position = position
      this.#untilMs = this.#clock.now() + patienceMs
      this.#waitMs = firstWaitMs
    }
    if (this.#clock.now() > this.#untilMs) {
      const words = `${this.#where}: a transaction does not end, at offset ${position}`
      throw fail('LOG_BUSY', `state: ${words}`, { waitMs: 1000 })
    }
    await this.#clock.sleep(this.#waitMs)
    this.#waitMs = Math.min(longestWaitMs, this.#waitMs * 2)
  }
}

/**
 * What is written of a transaction that is open may be committed a moment from now, or may be
 * already, with the marker still on its way: so all that is written now is waited for.
 */
export async function decidedRange(
  { topics, offsets, clock }: DecidedOptions,
  topic: string,
  partition: number,
): Promise<OffsetRange> {
  const waiting = new DecidedWait(clock, topic, partition)
  let [written, range] = await Promise.all([
    topics.writtenEnd(topic, partition),
    offsets(topic, partition),
  ])
  while (range.end < written) {
    await waiting.wait(range.end)
    range = await offsets(topic, partition)
  }
  return range
}
