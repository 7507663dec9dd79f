/**
 * Values of Protobuf as JSON has them, by Google's own mapping (ProtoJSON), with two differences that make
 * them fit for steps: fields that stand at their default are there, and 64-bit numbers are numbers.
 */
import type { Field, Type } from 'protobufjs'
import { messageOf } from '../core/errors.ts'
import type { ProtobufTools } from './protobuf-schema.ts'

export type Longs = 'number' | 'string'

type Complete = (value: unknown) => unknown

const longTypes: ReadonlySet<string> = new Set(['int64', 'uint64', 'sint64', 'fixed64', 'sfixed64'])
const floatTypes: ReadonlySet<string> = new Set(['float', 'double'])
/** Messages with a form of their own in JSON; those with a number are told by the type of it. */
const wrappers: ReadonlyMap<string, string> = new Map([
  ['.google.protobuf.Int64Value', 'int64'],
  ['.google.protobuf.UInt64Value', 'uint64'],
])
const ownForm =
  /^\.google\.protobuf\.(Any|Duration|Empty|FieldMask|ListValue|Struct|Timestamp|Value|\w+Value)$/

export class ProtobufValues {
  readonly #tools: ProtobufTools
  readonly #longs: Longs
  readonly #completes = new Map<Type, Complete>()

  constructor(tools: ProtobufTools, longs: Longs) {
    this.#tools = tools
    this.#longs = longs
  }

  /** The value in bytes that hold nothing else. Throws what is wrong with them. */
  read(type: Type, bytes: Buffer): unknown {
    const message = type.decode(bytes)
    return this.#complete(type)(this.#tools.json.toJson(type, message))
  }

  /** Throws what does not fit, with the name of the field. */
  write(type: Type, value: unknown): Uint8Array {
    return type.encode(this.#message(type, value)).finish()
  }

  #message(type: Type, value: unknown): object {
    const { json } = this.#tools
    try {
      return json.fromJson(type, value)
    } catch (error) {
      // A Date, or a field that is undefined: as JSON would have them.
      const plain: unknown = JSON.parse(JSON.stringify(value, wordOf) ?? 'null')
      try {
        return json.fromJson(type, plain)
      } catch {
        // The library's names begin with a dot.
        throw new Error(messageOf(error).replace(/^\./, ''))
      }
    }
  }

  #complete(type: Type): Complete {
    const known = this.#completes.get(type)
    if (known !== undefined) return known
    const made = this.#make(type)
    this.#completes.set(type, made)
    return made
  }

  #make(type: Type): Complete {
    const wrapped = wrappers.get(type.fullName)
    if (wrapped !== undefined) return this.#scalar(wrapped, type.fullName) ?? ((value) => value)
    if (ownForm.test(type.fullName)) return (value) => value
    const fields = type.fieldsArray.map((field) => this.#field(field))
    return (value) => {
      const object = value as Record<string, unknown>
      for (const { name, first, complete } of fields) {
        const held = object[name]
        if (held === undefined) {
          const missing = first?.()
          if (missing !== undefined) object[name] = missing
        } else if (complete !== undefined) {
          object[name] = complete(held)
        }
      }
      return object
    }
  }

  /** What a field is where it is not there, and what has to be done to it where it is. */
  #field(field: Field) {
    const resolved = field.resolve()
    const name = (resolved as Field & { readonly jsonName: string }).jsonName
    const each = this.#each(resolved)
    if (resolved.map) {
      const complete = each && ((held: unknown) => mapValues(held as Record<string, unknown>, each))
      return { name, first: () => ({}), complete }
    }
    if (resolved.repeated) {
      return { name, first: () => [], complete: each && ((held: unknown) => inPlace(held, each)) }
    }
    const { hasPresence } = resolved as Field & { readonly hasPresence: unknown }
    const first = hasPresence ? undefined : this.#first(resolved)
    return { name, first, complete: each }
  }

  /** What has to be done to one value of a field; undefined: nothing. */
  #each({ resolvedType, type, fullName }: Field): Complete | undefined {
    if (resolvedType === null) return this.#scalar(type, fullName)
    if (!('fieldsArray' in resolvedType)) return undefined
    const message = resolvedType as Type
    // Looked up when it is needed: a message may hold itself.
    return (value) => this.#complete(message)(value)
  }

  #scalar(type: string, where: string): Complete | undefined {
    if (longTypes.has(type)) {
      return this.#longs === 'string' ? undefined : (value) => exact(value as string, where)
    }
    // In JSON they are words.
    return floatTypes.has(type)
      ? (value) => (typeof value === 'string' ? Number(value) : value)
      : undefined
  }

  #first({ resolvedType, type }: Field): (() => unknown) | undefined {
    if (resolvedType !== null) {
      const { valuesById } = resolvedType as { valuesById?: Record<number, string> }
      return valuesById === undefined ? undefined : () => valuesById[0]
    }
    if (type === 'string' || type === 'bytes') return () => ''
    if (type === 'bool') return () => false
    return longTypes.has(type) && this.#longs === 'string' ? () => '0' : () => 0
  }
}

/** Numbers that are none are words in ProtoJSON, and would be null in JSON. */
const wordOf = (_: string, value: unknown) =>
  typeof value === 'number' && !Number.isFinite(value) ? String(value) : value

function exact(text: string, where: string): number {
  const number = Number(text)
  if (Number.isSafeInteger(number)) return number
  const fix = "declare protobuf({ longs: 'string' })"
  const what = `${text} is beyond 2^53, where numbers lose digits; ${fix}`
  throw new Error(`${where.replace(/^\./, '')}: ${what}`)
}

function mapValues(held: Record<string, unknown>, each: Complete): object {
  for (const [key, value] of Object.entries(held)) {
    const completed = each(value)
    if (completed !== value) held[key] = completed
  }
  return held
}

function inPlace(held: unknown, each: Complete): unknown {
  const list = held as unknown[]
  for (let index = 0; index < list.length; index++) list[index] = each(list[index])
  return list
}
