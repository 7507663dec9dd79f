/** Protobuf in Confluent's wire format: which message of its schema a value is stands before it. */
import type { Type } from 'protobufjs'
import { z } from 'zod'
import { fail, messageOf } from '../core/errors.ts'
import { agree } from './agreement.ts'
import { defineFormat, type Format, useFormat } from './format.ts'
import { longsOption, referencesOption, registerOption, subjectOption } from './options.ts'
import { nameOf, type ProtobufSchema, type ProtobufTools, readSchema } from './protobuf-schema.ts'
import { ProtobufValues } from './protobuf-values.ts'
import type { FoundSchema, SchemaText } from './registry.ts'
import { headerBytes, type PayloadReader, type PayloadWriter, WireCodec } from './wire-codec.ts'

const options = z.strictObject({
  schema: z
    .string()
    .min(1)
    .optional()
    .describe(
      'The text of a .proto file. Values are written with it, and read as it says. Default: written with the newest in the registry, read as written.',
    ),
  message: z
    .string()
    .min(1)
    .optional()
    .describe(
      'The message of the schema that values are, with or without its package: `Order`, `Order.Line`. Default: the first.',
    ),
  subject: subjectOption,
  register: registerOption,
  longs: longsOption,
  references: referencesOption.describe(
    'Subjects with the files that the schema imports. Those of google/protobuf are there.',
  ),
})

export const protobufPart = defineFormat({
  name: 'protobuf',
  summary: 'Values in Protobuf, with schemas in a registry.',
  options,
  example: {
    schema: 'syntax = "proto3"; message Order { string id = 1; int64 cents = 2; }',
    register: true,
  },
  async open(given, context) {
    const { schema, subject, register, longs, references, message } = given
    const { registry, topic, now } = context
    const tools = await loadTools()
    const imports = await registry.imports(references)
    const declared: SchemaText | undefined =
      schema === undefined ? undefined : { type: 'PROTOBUF', text: schema, references }
    const own = declared && declaredSchema(tools, declared, imports, message, topic)
    const found = await agree(context, {
      ...{ format: 'protobuf', type: 'PROTOBUF', subject, register, declared },
    })
    const values = new ProtobufValues(tools, longs)
    const reader = (written: FoundSchema) =>
      readerOf(readSchema(tools, written.text, written.imports), values, own?.type, message)
    const target = found && (own ?? declaredSchema(tools, found, found.imports, message, topic))
    const writer = found && target && { id: found.id, write: writerOf(target, values) }
    return new WireCodec({ registry, type: 'PROTOBUF', reader, writer, now })
  },
})

/** Values in Protobuf. Throws `OPTIONS_INVALID`. */
export const protobuf = (given: z.input<typeof options> = {}): Format =>
  useFormat(protobufPart, given)

export async function loadTools(): Promise<ProtobufTools> {
  const [library, json, descriptor] = await Promise.all([
    import('protobufjs'),
    import('protobufjs/ext/protojson.js'),
    import('protobufjs/ext/descriptor.js'),
  ])
  return { library: library.default, json: json.default, descriptor: descriptor.default }
}

interface Target {
  readonly schema: ProtobufSchema
  readonly type: Type
}

function declaredSchema(
  tools: ProtobufTools,
  { text }: SchemaText,
  imports: FoundSchema['imports'],
  message: string | undefined,
  topic: string,
): Target {
  try {
    const schema = readSchema(tools, text, imports)
    return { schema, type: message === undefined ? schema.typeAt([0]) : schema.type(message) }
  } catch (error) {
    const where = `topic ${topic}, its protobuf schema`
    throw fail('SCHEMA_INVALID', `${where}: ${messageOf(error)}`, { cause: error })
  }
}

/** Reads the message that the value names, as the declared one where there is one. */
export function readerOf(
  written: ProtobufSchema,
  values: ProtobufValues,
  own: Type | undefined,
  message: string | undefined,
): PayloadReader {
  const types = new Map<string, Type>()
  const expected = own ?? (message === undefined ? undefined : written.type(message))
  const typeAt = (path: readonly number[]): Type => {
    const type = written.typeAt(path)
    if (expected !== undefined && nameOf(expected) !== nameOf(type)) {
      const what = `it is a ${nameOf(type)}, the topic is declared to hold ${nameOf(expected)}`
      throw new Error(what)
    }
    return expected ?? type
  }
  return (bytes, start, end) => {
    const { path, next } = pathIn(bytes, start, end)
    const key = path.join()
    let type = types.get(key)
    if (type === undefined) {
      type = typeAt(path)
      types.set(key, type)
    }
    return values.read(type, bytes.subarray(next, end))
  }
}

export function writerOf({ schema, type }: Target, values: ProtobufValues): PayloadWriter {
  const path = schema.pathOf(type)
  if (path === undefined) {
    throw fail('SCHEMA_INVALID', `message ${nameOf(type)} is imported, not of the schema itself`)
  }
  const before = pathBytes(path)
  return (value, into) => {
    const bytes = values.write(type, value)
    const start = headerBytes + before.length
    into.reserve(start + bytes.length)
    into.bytes.set(before, headerBytes)
    into.bytes.set(bytes, start)
    return start + bytes.length
  }
}

/** Deeper no message is nested. */
const longestPath = 32
const firstMessage: readonly number[] = [0]

/** How many numbers, then each, as zigzag varints; a single 0 stands for the first message. */
export function pathIn(bytes: Buffer, start: number, end: number) {
  if (bytes[start] === 0 && start < end) return { path: firstMessage, next: start + 1 }
  let at = start
  const next = (): number => {
    let value = 0
    for (let shift = 0; shift < 32; shift += 7) {
      if (at >= end) throw new Error('it is cut short: the path of its message ends early')
      const byte = bytes[at++]!
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1)
    }
    throw new Error('it is damaged: the path of its message is none')
  }
  const count = next()
  if (count < 1 || count > longestPath) {
    throw new Error(`it is damaged: the path of its message has ${count} numbers`)
  }
  const path = Array.from({ length: count }, next)
  return { path, next: at }
}

export function pathBytes(path: readonly number[]): Buffer {
  if (path.length === 1 && path[0] === 0) return Buffer.of(0)
  const bytes: number[] = []
  for (const number of [path.length, ...path]) {
    let rest = number * 2
    for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
    bytes.push(rest)
  }
  return Buffer.from(bytes)
}
