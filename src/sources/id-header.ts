/**
 * Writes the header `millrace.id` as Kafka's record v2 would, into one scratch buffer, so that a
 * source makes no object a message for it. What it returns is valid until the next call.
 */
import { idHeader } from '../core/identity.ts'
import { varintSize, writeVarint } from '../core/varint.ts'

const key = Buffer.from(idHeader)

export class IdHeader {
  readonly #prefix: Buffer
  #scratch: Buffer
  /** The scratch buffer's first n bytes, by n: a view costs more than what is written into it. */
  #views: (Buffer | undefined)[] = []

  /** `prefix` is what all ids of this source start with, such as `files:tweets.ndjson:`. */
  constructor(prefix: string) {
    this.#prefix = Buffer.from(prefix)
    this.#scratch = Buffer.alloc(key.length + this.#prefix.length + 64)
  }

  /** The headers of the message whose id is the prefix and a whole number from 0 on. */
  ofNumber(number: number): Buffer {
    let digits = 1
    for (let rest = number; rest >= 10; rest = Math.floor(rest / 10)) digits++
    const end = this.#start(digits) + digits
    let rest = number
    for (let at = end - 1; at >= end - digits; at--) {
      const tens = Math.floor(rest / 10)
      this.#scratch[at] = 48 + (rest - tens * 10)
      rest = tens
    }
    return this.#view(end)
  }

  /** The headers of the message whose id is the prefix and this text. */
  ofText(text: string): Buffer {
    const sizeBytes = Buffer.byteLength(text)
    const at = this.#start(sizeBytes)
    this.#scratch.write(text, at)
    return this.#view(at + sizeBytes)
  }

  /** Writes everything before the last `sizeBytes` of the id; returns where those belong. */
  #start(sizeBytes: number): number {
    const idSizeBytes = this.#prefix.length + sizeBytes
    const needed = 1 + varintSize(key.length) + key.length + varintSize(idSizeBytes) + idSizeBytes
    if (needed > this.#scratch.length) {
      this.#scratch = Buffer.alloc(needed * 2)
      this.#views = []
    }
    let at = writeVarint(this.#scratch, 0, 1)
    at = writeVarint(this.#scratch, at, key.length)
    at += key.copy(this.#scratch, at)
    at = writeVarint(this.#scratch, at, idSizeBytes)
    return at + this.#prefix.copy(this.#scratch, at)
  }

  #view(end: number): Buffer {
    const known = this.#views[end]
    if (known !== undefined) return known
    const view = this.#scratch.subarray(0, end)
    this.#views[end] = view
    return view
  }
}
