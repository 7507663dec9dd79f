/** Shows values in the wire format to people, whatever their format: for commands, which know no declaration. */
import { BatchBuilder } from '../core/batch-builder.ts'
import { codeOf, messageOf } from '../core/errors.ts'
import { avro } from './avro.ts'
import type { Codec, Format } from './format.ts'
import { jsonSchema } from './json-schema.ts'
import { protobuf } from './protobuf.ts'
import type { SchemaRegistry, SchemaType } from './registry.ts'
import { headerBytes, magicByte, schemaIdIn } from './wire-codec.ts'

/** What bytes in the wire format say: the value, or why it cannot be shown. */
export type WireView = { readonly schemaId: number } & (
  | { readonly format: string; readonly value: unknown }
  | { readonly problem: string }
)

/** True for bytes that look like it: JSON and most texts do not begin with a zero. */
export const isWire = (bytes: Buffer | null): bytes is Buffer =>
  bytes !== null && bytes.length >= headerBytes && bytes[0] === magicByte

const formats: Readonly<Record<SchemaType, readonly Format[]>> = {
  // 64-bit numbers as numbers, and all as text where one is too long for that.
  AVRO: [avro(), avro({ longs: 'string' })],
  PROTOBUF: [protobuf(), protobuf({ longs: 'string' })],
  JSON: [jsonSchema()],
}

export class WireViewer {
  readonly #registry: SchemaRegistry | undefined
  readonly #codecs = new Map<SchemaType, readonly Codec[]>()
  readonly #types = new Map<number, SchemaType | undefined>()
  /** Why nothing is asked of the registry any more: a command shall not wait for each message. */
  #problem: string | undefined

  constructor(registry: SchemaRegistry | undefined) {
    this.#registry = registry
    if (registry === undefined) {
      this.#problem = 'no schema registry is named; set SCHEMA_REGISTRY_URL to read it'
    }
  }

  /** Undefined: the bytes are something else. */
  async view(bytes: Buffer | null): Promise<WireView | undefined> {
    if (!isWire(bytes)) return undefined
    const schemaId = schemaIdIn(bytes, 0, bytes.length)
    try {
      return { schemaId, ...(await this.#read(schemaId, bytes)) }
    } catch (error) {
      const problem = messageOf(error)
      if (codeOf(error)?.startsWith('SCHEMA_REGISTRY_')) this.#problem = problem
      return { schemaId, problem }
    }
  }

  async #read(id: number, bytes: Buffer) {
    const registry = this.#registry
    if (registry === undefined || this.#problem !== undefined) throw new Error(this.#problem)
    if (!this.#types.has(id)) this.#types.set(id, (await registry.byId(id))?.type)
    const type = this.#types.get(id)
    if (type === undefined) throw new Error(`${registry.place} has no schema ${id}`)
    const builder = new BatchBuilder('', 0)
    builder.append(null, bytes, 0)
    const batch = builder.build()
    let failure: unknown
    for (const codec of await this.#codecsOf(type, registry)) {
      await codec.prepare(batch)
      try {
        const value = codec.decode(batch.bytes, batch.valueStarts[0]!, batch.valueEnds[0]!)
        return { format: formats[type][0]!.part, value }
      } catch (error) {
        failure = error
      }
    }
    throw failure
  }

  async #codecsOf(type: SchemaType, registry: SchemaRegistry): Promise<readonly Codec[]> {
    const known = this.#codecs.get(type)
    if (known !== undefined) return known
    const context = { registry, topic: '', writes: false }
    const opened = await Promise.all((formats[type] ?? []).map((one) => one.open(context)))
    this.#codecs.set(type, opened)
    return opened
  }
}
