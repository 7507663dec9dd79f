/**
 * Fills a batch message by message: one growing buffer, columns that grow by doubling, nothing
 * allocated a message. Value and headers of a message lie side by side, so that a codec copies both
 * at once.
 */
import { Batch, type Columns, emptyColumns } from './batch.ts'
import { encodeHeaders, type Header, noHeaders } from './headers.ts'

const startBytes = 64 * 1024
const startCapacity = 256

export class BatchBuilder {
  readonly topic: string
  readonly partition: number
  #columns: Columns
  #bytes: Buffer
  #at = 0
  #capacity = startCapacity

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
    this.#columns = emptyColumns(topic, partition, startCapacity)
    this.#bytes = Buffer.allocUnsafeSlow(startBytes)
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
    const index = this.#grow()
    const columns = this.#columns
    columns.times[index] = time
    columns.keyStarts[index] = key === null ? -1 : this.#at
    if (key !== null) this.#write(key)
    columns.keyEnds[index] = key === null ? -1 : this.#at
    columns.valueStarts[index] = value === null ? -1 : this.#at
    if (value !== null) this.#write(value)
    columns.valueEnds[index] = value === null ? -1 : this.#at
    columns.headerStarts[index] = this.#at
    this.#write(headers instanceof Uint8Array ? headers : encodeHeaders(headers))
    columns.headerEnds[index] = this.#at
    columns.offsets[index] = index
    columns.count = index + 1
  }

  /** The batch filled so far; the builder is empty afterwards and can be used again. */
  build(): Batch {
    const columns = this.#columns
    columns.bytes = this.#bytes.subarray(0, this.#at)
    columns.nextOffset = columns.count
    this.#columns = emptyColumns(this.topic, this.partition, startCapacity)
    this.#capacity = startCapacity
    this.#bytes = Buffer.allocUnsafeSlow(startBytes)
    this.#at = 0
    return new Batch(columns)
  }

  /** Copies a range of another buffer as the value of a message. */
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
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2))
    this.#bytes.copy(larger, 0, 0, this.#at)
    this.#bytes = larger
  }

  #grow(): number {
    const index = this.#columns.count
    if (index < this.#capacity) return index
    this.#capacity *= 2
    const larger = emptyColumns(this.topic, this.partition, this.#capacity)
    const old = this.#columns
    larger.count = index
    larger.offsets.set(old.offsets)
    larger.times.set(old.times)
    larger.keyStarts.set(old.keyStarts)
    larger.keyEnds.set(old.keyEnds)
    larger.valueStarts.set(old.valueStarts)
    larger.valueEnds.set(old.valueEnds)
    larger.headerStarts.set(old.headerStarts)
    larger.headerEnds.set(old.headerEnds)
    this.#columns = larger
    return index
  }
}
