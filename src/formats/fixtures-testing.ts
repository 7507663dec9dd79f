/** The cases of fixtures/wire-formats.json, which scripts/fixtures/wire-formats.py makes, and their codecs. */
import { avro } from './avro.ts'
import type { Codec, Format } from './format.ts'
import { jsonSchema } from './json-schema.ts'
import { protobuf } from './protobuf.ts'
import { SchemaRegistry, type SchemaType } from './registry.ts'
import { TestRegistry } from './registry-testing.ts'

export interface WireCase {
  readonly type: SchemaType
  readonly id: number
  readonly schema: string
  /** Protobuf: the schema as Confluent's serialiser registers it. */
  readonly descriptor?: string
  readonly message?: string
  readonly path?: readonly number[]
  readonly value: unknown
  /** What Confluent's serialiser makes of the value, in hex. */
  readonly confluent: string
  /** What Millrace made of it, and Confluent's deserialiser read. */
  readonly millrace?: string
}

export const topic = 'orders'

export function formatOf({ type, schema, message }: WireCase): Format {
  if (type === 'AVRO') return avro({ schema })
  if (type === 'JSON') return jsonSchema({ schema })
  return protobuf({ schema, ...(message === undefined ? {} : { message }) })
}

/** With the schema of the case under its id; `text` may be another form of it. */
export async function withCase<Result>(
  one: WireCase,
  text: string,
  format: Format,
  work: (codec: Codec) => Promise<Result>,
): Promise<Result> {
  const server = await TestRegistry.start()
  try {
    server.add(`${topic}-value`, text, one.type, [], one.id)
    const registry = new SchemaRegistry({ urls: [server.url] })
    return await work(await format.open({ registry, topic, writes: true }))
  } finally {
    await server.stop()
  }
}

export function encodeCase(one: WireCase): Promise<Buffer> {
  return withCase(one, one.schema, formatOf(one), async (codec) =>
    Buffer.from(codec.encode(one.value)),
  )
}
