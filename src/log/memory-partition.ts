/** One partition of the in-memory log: an array of messages, and how many were dropped before it. */
import { Batch } from '../core/batch.ts'
import { BatchBuilder } from '../core/batch-builder.ts'
import type { OffsetRange, TopicInfo } from './log.ts'

export interface StoredMessage {
  readonly offset: number
  readonly time: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Buffer
  readonly sizeBytes: number
  /** The group that committed it. */
  readonly by: string | undefined
}

export class MemoryPartition {
  readonly #topic: TopicInfo
  readonly #partition: number
  #messages: StoredMessage[] = []
  #start = 0
  #end = 0

  constructor(topic: TopicInfo, partition: number) {
    this.#topic = topic
    this.#partition = partition
  }

  get range(): OffsetRange {
    return { start: this.#start, end: this.#end }
  }

  get sizeBytes(): number {
    return this.#messages.reduce((sum, message) => sum + message.sizeBytes, 0)
  }

  append(batch: Batch, by: string | undefined): void {
    for (let index = 0; index < batch.count; index++) {
      const key = copy(batch, batch.keyStarts[index]!, batch.keyEnds[index]!)
      const value = copy(batch, batch.valueStarts[index]!, batch.valueEnds[index]!)
      const headers = copy(batch, batch.headerStarts[index]!, batch.headerEnds[index]!)!
      const sizeBytes = (key?.length ?? 0) + (value?.length ?? 0) + headers.length
      const time = Math.floor(batch.times[index]!)
      this.#messages.push({ offset: this.#end++, time, key, value, headers, sizeBytes, by })
    }
  }

  read(offset: number, maxBytes: number): Batch | undefined {
    if (offset >= this.#end) return undefined
    const builder = new BatchBuilder(this.#topic.name, this.#partition)
    const offsets: number[] = []
    let nextOffset = this.#end
    for (let at = this.#indexOf(offset); at < this.#messages.length; at++) {
      const message = this.#messages[at]!
      if (offsets.length > 0 && builder.sizeBytes >= maxBytes) {
        nextOffset = message.offset
        break
      }
      builder.append(message.key, message.value, message.time, message.headers)
      offsets.push(message.offset)
    }
    const batch = builder.build()
    batch.offsets.set(offsets)
    return new Batch({ ...batch, nextOffset, origin: `${this.#topic.identity}/${this.#partition}` })
  }

  offsetAtTime(timeMs: number): number {
    return this.#messages.find(({ time }) => time >= timeMs)?.offset ?? this.#end
  }

  count({ start, end }: OffsetRange, by: string | undefined): number {
    const within = this.#messages.filter(({ offset }) => offset >= start && offset < end)
    return by === undefined ? within.length : within.filter((message) => message.by === by).length
  }

  /** What the topic's cleanup and retention say, at once and to the letter. */
  maintain(now: number): void {
    const { cleanup, retentionMs, retentionBytes } = this.#topic
    if (cleanup === 'compact') this.#compact()
    let { sizeBytes } = this
    let dropped = 0
    for (const message of this.#messages) {
      const tooOld = retentionMs !== undefined && message.time < now - retentionMs
      const tooMuch = retentionBytes !== undefined && sizeBytes > retentionBytes
      if (!tooOld && !tooMuch) break
      sizeBytes -= message.sizeBytes
      dropped++
    }
    if (dropped === 0) return
    this.#messages.splice(0, dropped)
    this.#start = this.#messages[0]?.offset ?? this.#end
  }

  /** Keeps the newest message of each key; those without a key, and deletes, stay. */
  #compact(): void {
    const newest = new Map<string, number>()
    for (const { key, offset } of this.#messages) {
      if (key !== null) newest.set(key.toString('latin1'), offset)
    }
    this.#messages = this.#messages.filter(
      ({ key, offset }) => key === null || newest.get(key.toString('latin1')) === offset,
    )
  }

  /** Where the first message at or behind an offset stands. */
  #indexOf(offset: number): number {
    let low = 0
    let high = this.#messages.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#messages[middle]!.offset < offset) low = middle + 1
      else high = middle
    }
    return low
  }
}

function copy(batch: Batch, start: number, end: number): Buffer | null {
  return start < 0 ? null : Buffer.from(batch.bytes.subarray(start, end))
}
