/**
 * Confluent's wire format, which all formats share: a zero byte, the id of the schema that the value was
 * written with (4 bytes, the highest first), and the value as its format has it.
 */
import type { Batch } from '../core/batch.ts'
import { codeOf, type ErrorCode, fail, messageOf } from '../core/errors.ts'
import type { Codec } from './format.ts'
import type { FoundSchema, SchemaRegistry, SchemaType } from './registry.ts'

export const magicByte = 0
export const headerBytes = 5

/** The value between two positions. Throws what is wrong with the bytes, in words. */
export type PayloadReader = (bytes: Buffer, start: number, end: number) => unknown

/** Writes a value behind the header; gives the end. Throws what does not fit, in words. */
export type PayloadWriter = (value: unknown, into: WireBuffer) => number

/** Where a value is written: as large as the largest so far. */
export class WireBuffer {
  bytes = Buffer.allocUnsafeSlow(1024)

  constructor(id: number) {
    this.bytes[0] = magicByte
    this.bytes.writeUInt32BE(id, 1)
  }

  /** Makes it at least so large; what was written stays. */
  reserve(sizeBytes: number): void {
    if (sizeBytes <= this.bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(sizeBytes, this.bytes.length * 2))
    this.bytes.copy(larger)
    this.bytes = larger
  }
}

export interface WireCodecOptions {
  readonly registry: SchemaRegistry
  readonly type: SchemaType
  /** Compiles a schema that values were written with. Throws what is wrong with it, in words. */
  reader(schema: FoundSchema): PayloadReader
  /** Undefined: nothing is written. */
  readonly writer: { readonly id: number; readonly write: PayloadWriter } | undefined
  readonly now?: (() => number) | undefined
}

/** Why messages with a schema are refused; asked for again from `untilMs` on. */
interface Refusal {
  readonly message: string
  readonly untilMs: number
}

/** So long a schema that is not there is not asked for again. */
export const unknownForMs = 60_000
/** More are forgotten: ids out of damaged messages shall not fill the memory. */
const mostRefusals = 10_000

export class WireCodec implements Codec {
  readonly #options: WireCodecOptions
  readonly #buffer: WireBuffer | undefined
  readonly #readers = new Map<number, PayloadReader>()
  readonly #refusals = new Map<number, Refusal>()
  readonly #now: () => number

  constructor(options: WireCodecOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    const { writer } = options
    this.#buffer = writer === undefined ? undefined : new WireBuffer(writer.id)
  }

  prepare(batch: Batch): Promise<void> | undefined {
    const { bytes, valueStarts, valueEnds, count } = batch
    let missing: Set<number> | undefined
    let last = -1
    for (let index = 0; index < count; index++) {
      const start = valueStarts[index]!
      if (start < 0 || valueEnds[index]! - start < headerBytes) continue
      if (bytes[start] !== magicByte) continue
      const id = bytes.readUInt32BE(start + 1)
      if (id === last) continue
      last = id
      if (!this.#isKnown(id)) {
        missing ??= new Set()
        missing.add(id)
      }
    }
    return missing === undefined ? undefined : this.#load(missing)
  }

  decode(bytes: Buffer, start: number, end: number): unknown {
    const id = schemaIdIn(bytes, start, end)
    const read = this.#readers.get(id)
    if (read === undefined) {
      const { message = `schema ${id} was not fetched` } = this.#refusals.get(id) ?? {}
      throw fail('SCHEMA_UNKNOWN', message)
    }
    try {
      return read(bytes, start + headerBytes, end)
    } catch (error) {
      throw refused('VALUE_UNREADABLE', error, `schema ${id}: `)
    }
  }

  encode(value: unknown): Buffer {
    const { writer } = this.#options
    if (writer === undefined || this.#buffer === undefined) {
      throw new Error('the codec was opened for reading only')
    }
    try {
      const end = writer.write(value, this.#buffer)
      return this.#buffer.bytes.subarray(0, end)
    } catch (error) {
      throw refused('VALUE_UNWRITABLE', error)
    }
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #isKnown(id: number): boolean {
    if (this.#readers.has(id)) return true
    const refusal = this.#refusals.get(id)
    return refusal !== undefined && this.#now() < refusal.untilMs
  }

  async #load(ids: ReadonlySet<number>): Promise<void> {
    for (const id of ids) {
      // Another lane may have fetched it in the meantime.
      if (this.#isKnown(id)) continue
      const found = await this.#find(id)
      if (typeof found === 'function') this.#readers.set(id, found)
      else this.#refuse(id, found)
    }
  }

  /** The reader, or why there is none. */
  async #find(id: number): Promise<PayloadReader | string> {
    const { registry, type, reader } = this.#options
    try {
      const schema = await registry.byId(id)
      if (schema === undefined) return `${registry.place} has no schema ${id}`
      if (schema.type !== type) {
        return `schema ${id} is of type ${schema.type}, the topic is declared as ${type}`
      }
      return reader(schema)
    } catch (error) {
      const code = codeOf(error)
      // Of this schema something is wrong; everything else is wrong with all of them.
      const isItsFault =
        code === undefined || code === 'SCHEMA_INVALID' || code === 'SCHEMA_MISSING'
      if (!isItsFault) throw error
      return `schema ${id} cannot be used: ${messageOf(error)}`
    }
  }

  #refuse(id: number, message: string): void {
    if (this.#refusals.size >= mostRefusals) this.#refusals.clear()
    this.#refusals.set(id, { message, untilMs: this.#now() + unknownForMs })
  }
}

/** The id of the schema that a value names. Throws `VALUE_UNREADABLE`. */
export function schemaIdIn(bytes: Buffer, start: number, end: number): number {
  const sizeBytes = end - start
  if (sizeBytes > 0 && bytes[start] !== magicByte) {
    const first = `0x${bytes[start]!.toString(16).padStart(2, '0')}`
    const what = `its first byte is ${first}, in the wire format it is 0x00`
    const hint = first === '0x7b' ? '; it looks like plain JSON' : ''
    throw fail('VALUE_UNREADABLE', `the value is not in the wire format: ${what}${hint}`)
  }
  if (sizeBytes < headerBytes) {
    const what = `it has ${sizeBytes} bytes, of which 5 name the schema`
    throw fail('VALUE_UNREADABLE', `the value is cut short: ${what}`)
  }
  return bytes.readUInt32BE(start + 1)
}

function refused(code: ErrorCode, error: unknown, where = ''): Error {
  return fail(code, `${where}${messageOf(error)}`.slice(0, 1000), { cause: error })
}
