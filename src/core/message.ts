import type { Batch } from './batch.ts'
import { decodeHeaders, type Header } from './headers.ts'
import { idOf, versionOf } from './identity.ts'

/**
 * One message as a view on its batch: nothing is copied or decoded before it is asked for. Made for
 * functions that a user wrote; the hot path reads the columns.
 */
export class Message {
  readonly #batch: Batch
  readonly #index: number

  constructor(batch: Batch, index: number) {
    this.#batch = batch
    this.#index = index
  }

  get topic(): string {
    return this.#batch.topic
  }

  get partition(): number {
    return this.#batch.partition
  }

  get offset(): number {
    return this.#batch.offsets[this.#index]!
  }

  /** Event time, milliseconds since the epoch. */
  get time(): number {
    return this.#batch.times[this.#index]!
  }

  get id(): string {
    return idOf(this.#batch, this.#index)
  }

  get version(): number {
    return versionOf(this.#batch, this.#index)
  }

  get key(): Buffer | null {
    const start = this.#batch.keyStarts[this.#index]!
    return start < 0 ? null : this.#batch.bytes.subarray(start, this.#batch.keyEnds[this.#index]!)
  }

  /** Null is a delete. */
  get value(): Buffer | null {
    const start = this.#batch.valueStarts[this.#index]!
    return start < 0 ? null : this.#batch.bytes.subarray(start, this.#batch.valueEnds[this.#index]!)
  }

  get headers(): readonly Header[] {
    return decodeHeaders(
      this.#batch.bytes,
      this.#batch.headerStarts[this.#index]!,
      this.#batch.headerEnds[this.#index]!,
    )
  }
}

/** All messages of a batch as views, for tests and for code that is not hot. */
export function messagesOf(batch: Batch): Message[] {
  return Array.from({ length: batch.count }, (_, index) => new Message(batch, index))
}
