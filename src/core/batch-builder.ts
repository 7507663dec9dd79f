/**
 * Fills a batch message by message: one growing buffer, columns that grow by doubling, nothing
 * allocated a message. Value and headers of a message lie side by side, so that a codec copies both
 * at once.
 */
import { Batch, type Columns, columnBytes, emptyColumns } from './batch.ts'
import type { BufferPool } from './buffer-pool.ts'
import { encodeHeaders, type Header, noHeaders } from './headers.ts'
import { passedHeaderBytes, writePassedHeaders } from './identity.ts'

const startBytes = 16 * 1024
const startCapacity = 64
const nothing = Buffer.alloc(0)

export class BatchBuilder {
  readonly topic: string
  readonly partition: number
  readonly #pool: BufferPool | undefined
  #columns: Columns
  /** Taken with the first message. */
  #bytes: Buffer = nothing
  #at = 0
  #capacity = 0
  /** Of the batch before: the next one is likely to be as large, and growing copies everything. */
  #lastBytes = 0
  #lastCount = 0

  /** With a pool a batch is the caller's until it gives it back by `giveBack`. */
  constructor(topic: string, partition: number, pool?: BufferPool) {
    this.topic = topic
    this.partition = partition
    this.#pool = pool
    this.#columns = emptyColumns(topic, partition, 0, nothing)
  }

  get count(): number {
    return this.#columns.count
  }

  get sizeBytes(): number {
    return this.#at
  }

  /** Appends one message. Headers are decoded ones, or bytes as Kafka's record v2 writes them. */
  append(
    key: string | Uint8Array | null,
    value: string | Uint8Array | null,
    time: number,
    headers: readonly Header[] | Uint8Array = noHeaders,
  ): void {
    const index = this.#begin(time)
    const columns = this.#columns
    columns.keyStarts[index] = key === null ? -1 : this.#at
    if (key !== null) this.#write(key)
    columns.keyEnds[index] = key === null ? -1 : this.#at
    columns.valueStarts[index] = value === null ? -1 : this.#at
    if (value !== null) this.#write(value)
    columns.valueEnds[index] = value === null ? -1 : this.#at
    columns.headerStarts[index] = this.#at
    this.#write(headers instanceof Uint8Array ? headers : encodeHeaders(headers))
    columns.headerEnds[index] = this.#at
    columns.count = index + 1
  }

  /**
   * Appends what became of message `from` of another batch: its id, version and headers go with it.
   * The key is a range of a buffer (`keyStart` -1: none), so that nothing is allocated for it. With
   * `spliceAt` the value starts with the message's own up to that position of its buffer.
   */
  appendDerived(
    keyBytes: Buffer,
    keyStart: number,
    keyEnd: number,
    value: string | Uint8Array | null,
    time: number,
    origin: Batch,
    from: number,
    spliceAt = -1,
  ): void {
    const index = this.#begin(time)
    const columns = this.#columns
    if (keyStart < 0) {
      columns.keyStarts[index] = -1
      columns.keyEnds[index] = -1
    } else {
      columns.keyStarts[index] = this.#at
      this.#copy(keyBytes, keyStart, keyEnd)
      columns.keyEnds[index] = this.#at
    }
    columns.valueStarts[index] = value === null ? -1 : this.#at
    if (spliceAt >= 0) this.#copy(origin.bytes, origin.valueStarts[from]!, spliceAt)
    if (value !== null) this.#write(value)
    columns.valueEnds[index] = value === null ? -1 : this.#at
    columns.headerStarts[index] = this.#at
    this.#passHeaders(origin, from)
    columns.headerEnds[index] = this.#at
    columns.count = index + 1
  }

  /** The batch filled so far; the builder is empty afterwards and can be used again. */
  build(): Batch {
    const columns = this.#columns
    columns.bytes = this.#bytes.subarray(0, this.#at)
    columns.nextOffset = columns.count
    this.#lastBytes = this.#at
    this.#lastCount = columns.count
    this.#columns = emptyColumns(this.topic, this.partition, 0, nothing)
    this.#bytes = nothing
    this.#capacity = 0
    this.#at = 0
    return new Batch(columns)
  }

  #passHeaders(origin: Batch, from: number): void {
    const carriedBytes = origin.headerEnds[from]! - origin.headerStarts[from]!
    this.#reserve(passedHeaderBytes + origin.origin.length + carriedBytes)
    this.#at = writePassedHeaders(this.#bytes, this.#at, origin, from)
  }

  #copy(source: Buffer, start: number, end: number): void {
    this.#reserve(end - start)
    source.copy(this.#bytes, this.#at, start, end)
    this.#at += end - start
  }

  #write(data: string | Uint8Array): void {
    if (typeof data === 'string') {
      this.#reserve(data.length * 3)
      this.#at += this.#bytes.write(data, this.#at)
    } else {
      this.#reserve(data.length)
      this.#bytes.set(data, this.#at)
      this.#at += data.length
    }
  }

  #reserve(sizeBytes: number): void {
    const needed = this.#at + sizeBytes
    if (needed <= this.#bytes.length) return
    const old = this.#bytes
    const least = old.length === 0 ? this.#lastBytes + 1024 : old.length * 2
    this.#bytes = this.#memory(Math.max(needed, startBytes, least))
    old.copy(this.#bytes, 0, 0, this.#at)
    this.#pool?.give(old)
  }

  #begin(time: number): number {
    const index = this.#columns.count
    if (index === this.#capacity) this.#grow()
    this.#columns.offsets[index] = index
    this.#columns.times[index] = time
    return index
  }

  #grow(): void {
    const old = this.#columns
    const least = this.#capacity === 0 ? this.#lastCount : this.#capacity * 2
    const memory = this.#memory(Math.max(startCapacity, least) * columnBytes)
    this.#capacity = Math.floor(memory.length / columnBytes)
    const larger = emptyColumns(this.topic, this.partition, this.#capacity, memory)
    larger.count = old.count
    larger.offsets.set(old.offsets)
    larger.times.set(old.times)
    larger.keyStarts.set(old.keyStarts)
    larger.keyEnds.set(old.keyEnds)
    larger.valueStarts.set(old.valueStarts)
    larger.valueEnds.set(old.valueEnds)
    larger.headerStarts.set(old.headerStarts)
    larger.headerEnds.set(old.headerEnds)
    this.#columns = larger
    this.#pool?.give(old.offsets)
  }

  #memory(sizeBytes: number): Buffer {
    return this.#pool?.take(sizeBytes) ?? Buffer.allocUnsafeSlow(sizeBytes)
  }
}

/** Nobody reads the batch any more, nor anything that points into it; see `BufferPool`. */
export function giveBack(batch: Batch, pool: BufferPool): void {
  pool.give(batch.bytes)
  pool.give(batch.offsets)
}
