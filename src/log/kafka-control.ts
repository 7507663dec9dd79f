/**
 * What this log must remember beside what Kafka remembers by itself: which groups are paused, and
 * for which group a producer writes. Messages of the compacted topic `millrace.control`, followed.
 */
import { BatchBuilder } from '../core/batch-builder.ts'
import { codeOf } from '../core/errors.ts'
import { messagesOf } from '../core/message.ts'
import type { Log } from './log.ts'

export const controlTopic = 'millrace.control'

/** No older than this is what `isPaused` says without asking. */
const freshMs = 500

export type ControlLog = Pick<Log, 'topic' | 'createTopic' | 'offsets' | 'read' | 'commit'>

export class KafkaControl {
  readonly #log: ControlLog
  readonly #topic: string
  readonly #values = new Map<string, string>()
  #identity = ''
  #offset = 0
  #reading: Promise<void> | undefined
  #readAtMs = 0

  constructor(log: ControlLog, topic: string) {
    this.#log = log
    this.#topic = topic
  }

  /** As it was known a moment ago; what is newer is read meanwhile. */
  isPaused(group: string): boolean {
    if (Date.now() - this.#readAtMs > freshMs) void this.read().catch(() => undefined)
    return this.#values.has(`paused/${group}`)
  }

  async setPaused(group: string, paused: boolean): Promise<void> {
    await this.#write(`paused/${group}`, paused ? 'true' : null)
  }

  /** Whoever counts what a group wrote looks its producers up here. */
  async noteProducer(producerId: bigint, group: string): Promise<void> {
    await this.#write(`producer/${producerId}`, group)
  }

  /** The producers that wrote for a group. */
  producersOf(group: string): ReadonlySet<bigint> {
    const found = new Set<bigint>()
    for (const [key, value] of this.#values) {
      if (value === group && key.startsWith('producer/')) {
        found.add(BigInt(key.slice('producer/'.length)))
      }
    }
    return found
  }

  /** Reads what came since the last call. */
  read(): Promise<void> {
    this.#reading ??= this.#readOn().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #readOn(): Promise<void> {
    const topic = await this.#log.topic(this.#topic)
    this.#readAtMs = Date.now()
    if (topic === undefined) return
    if (topic.identity !== this.#identity) {
      this.#identity = topic.identity
      this.#values.clear()
      this.#offset = 0
    }
    const { end } = await this.#log.offsets(this.#topic, 0)
    while (this.#offset < end) {
      const batch = await this.#log.read(this.#topic, 0, this.#offset)
      if (batch === undefined) return
      this.#offset = batch.nextOffset
      for (const { key, value } of messagesOf(batch)) {
        if (key === null) continue
        if (value === null) this.#values.delete(key.toString())
        else this.#values.set(key.toString(), value.toString())
      }
    }
  }

  async #write(key: string, value: string | null): Promise<void> {
    if ((await this.#log.topic(this.#topic)) === undefined) {
      try {
        await this.#log.createTopic(this.#topic, { partitions: 1, cleanup: 'compact' })
      } catch (error) {
        // Another process was first.
        if (codeOf(error) !== 'TOPIC_EXISTS') throw error
      }
    }
    const builder = new BatchBuilder(this.#topic, 0)
    builder.append(key, value, Date.now())
    await this.#log.commit({
      outputs: [{ topic: this.#topic, partition: 0, batch: builder.build() }],
    })
    await this.read()
  }
}
