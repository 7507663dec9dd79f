/**
 * Avro's types with values that JSON can hold: bytes and fixed as base64, decimals as text with all
 * their digits, 64-bit numbers as numbers or as text. Other logical types are the number that they are.
 */
import type avsc from 'avsc'
import type { Schema, Type } from 'avsc'
import type { ImportedSchema } from './registry.ts'

export type Longs = 'number' | 'string'
export type AvroLibrary = typeof avsc

type HookOptions = NonNullable<Parameters<AvroLibrary['Type']['forSchema']>[1]> & {
  readonly namespace?: string
}

/** Reads schemas. Throws what is wrong with one, in words. */
export class AvroTypes {
  readonly #library: AvroLibrary
  readonly #longs: Longs
  readonly #long: Type
  readonly #base64: ReturnType<typeof base64Type>
  readonly #decimal: ReturnType<typeof decimalType>

  constructor(library: AvroLibrary, longs: Longs) {
    this.#library = library
    this.#longs = longs
    this.#long = longType(library.types.LongType, longs)
    this.#base64 = base64Type(library)
    this.#decimal = decimalType(library)
  }

  parse(text: string, imports: readonly ImportedSchema[]): Type {
    const { Type } = this.#library
    const registry: Record<string, Type> = {}
    const options: HookOptions = {
      registry,
      logicalTypes: { decimal: this.#decimal },
      typeHook: (schema, hook) => this.#hook(schema, hook),
    }
    for (const other of imports) Type.forSchema(schemaOf(other.text), { ...options })
    const type = Type.forSchema(schemaOf(text), { ...options })
    plainObjects(type, new Set())
    return type
  }

  /** What is read and written otherwise than the library does. */
  #hook(schema: Schema, options: HookOptions): Type | undefined {
    if (Array.isArray(schema)) return this.#union(schema, options)
    const declared = typeof schema === 'string' ? { type: schema } : { ...schema }
    const { type, logicalType } = declared as { type: unknown; logicalType?: string }
    if (type === 'long') return this.#long
    if (type !== 'bytes' && type !== 'fixed') return undefined
    if (logicalType === base64 || logicalType === 'decimal') return undefined
    return new this.#base64({ ...declared, logicalType: base64 } as unknown as Schema, options)
  }

  /**
   * A union with two branches of which a value in JSON does not tell which it is has its values in an
   * object with the branch's name, as Avro's own JSON has them: `{ "long": 5 }`.
   */
  #union(schema: Schema & readonly unknown[], options: HookOptions): Type | undefined {
    const branches = schema as readonly Schema[]
    const kinds = branches
      .map((branch) => this.#kindOf(branch, options))
      .filter((one) => one !== '')
    if (new Set(kinds).size === kinds.length) return undefined
    const { Type } = this.#library
    const typeHook = (one: Schema) => (one === schema ? undefined : Type.forSchema(one, options))
    return Type.forSchema(schema, { ...options, wrapUnions: true, typeHook })
  }

  /** What a branch is in JSON; empty where the library tells itself. */
  #kindOf(branch: Schema, { registry = {}, namespace }: HookOptions): string {
    const { type } = (typeof branch === 'string' ? { type: branch } : branch) as { type?: unknown }
    const name = String(type)
    const named = registry[name] ?? registry[`${namespace}.${name}`]
    const found = String((named as { typeName?: string } | undefined)?.typeName ?? name)
    if (found === 'long' || found === 'abstract:long') {
      return this.#longs === 'string' ? 'text' : 'number'
    }
    if (/^(int|float|double)$/.test(found)) return 'number'
    return /^(string|enum|bytes|fixed|logical:.*)$/.test(found) ? 'text' : ''
  }
}

/** The mark of bytes that were seen already; no logical type has that name. */
const base64 = 'millrace-base64'

function schemaOf(text: string): Schema {
  const trimmed = text.trim()
  // A registry gives `"string"` with its quotes; people also write the bare word.
  if (!/^[[{"]/.test(trimmed)) return trimmed as Schema
  return JSON.parse(trimmed) as Schema
}

function base64Type({ types }: AvroLibrary) {
  return class Base64Type extends types.LogicalType {
    protected override _fromValue(value: Buffer): string {
      return value.toString('base64')
    }

    protected override _toValue(value: unknown): Buffer | undefined {
      if (value instanceof Uint8Array) return Buffer.from(value)
      if (typeof value !== 'string' || !isBase64(value)) return undefined
      return Buffer.from(value, 'base64')
    }

    protected override _resolve(type: Type): ((value: unknown) => unknown) | undefined {
      const own = this.underlyingType as { typeName: string; size?: number; name?: string }
      const { typeName } = type as { typeName: string }
      if (type instanceof Base64Type) {
        const other = type.underlyingType as typeof own
        const isSame = own.typeName === other.typeName && own.size === other.size
        return isSame ? (value) => value : undefined
      }
      if (typeName === 'string' && own.typeName === 'bytes') {
        return (value) => Buffer.from(value as string).toString('base64')
      }
      return undefined
    }
  }
}

const isBase64 = (text: string) => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)

function decimalType({ types }: AvroLibrary) {
  return class DecimalType extends types.LogicalType {
    readonly scale: number
    readonly precision: number

    constructor(schema: Schema, options?: object) {
      super(schema, options)
      const { scale = 0, precision } = schema as { scale?: number; precision?: number }
      if (!(Number.isInteger(precision) && precision! > 0 && scale >= 0 && scale <= precision!)) {
        throw new Error('a decimal needs a precision, and a scale of at most that')
      }
      this.scale = scale
      this.precision = precision!
    }

    protected override _fromValue(value: Buffer): string {
      const hex = value.toString('hex')
      const unscaled = BigInt.asIntN(value.length * 8, BigInt(hex === '' ? 0 : `0x${hex}`))
      return withPoint(unscaled, this.scale)
    }

    protected override _toValue(value: unknown): Buffer | undefined {
      const text = typeof value === 'number' ? String(value) : value
      if (typeof text !== 'string') return undefined
      const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text) ?? []
      if (whole === '') return undefined
      const beyond = fraction.slice(this.scale)
      if (/[1-9]/.test(beyond)) return undefined
      const digits = whole + fraction.slice(0, this.scale).padEnd(this.scale, '0')
      if (digits.replace(/^0+/, '').length > this.precision) return undefined
      const { size } = this.underlyingType as { size?: number }
      return twosComplement(BigInt(`${sign}${digits}`), size)
    }

    /** So that schemas with other scales are not taken for the same. */
    protected override _export(schema: Schema): void {
      Object.assign(schema, { precision: this.precision, scale: this.scale })
    }

    protected override _resolve(type: Type): ((value: unknown) => unknown) | undefined {
      // By the specification precision and scale have to be the same.
      const { scale, precision } = type as Partial<DecimalType>
      const isSame = scale === this.scale && precision === this.precision
      return type instanceof DecimalType && isSame ? (value) => value : undefined
    }
  }
}

function withPoint(unscaled: bigint, scale: number): string {
  if (scale === 0) return unscaled.toString()
  const sign = unscaled < 0n ? '-' : ''
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

/** Highest byte first; as short as it can be, or of the size that a fixed has. */
function twosComplement(value: bigint, size: number | undefined): Buffer | undefined {
  let sizeBytes = 1
  while (BigInt.asIntN(sizeBytes * 8, value) !== value) sizeBytes++
  if (size !== undefined) {
    if (sizeBytes > size) return undefined
    sizeBytes = size
  }
  const hex = BigInt.asUintN(sizeBytes * 8, value).toString(16)
  return Buffer.from(hex.padStart(sizeBytes * 2, '0'), 'hex')
}

/** 64-bit numbers. The library's own lose digits from 2^52 on, without a word where they are negative. */
function longType(LongType: AvroLibrary['types']['LongType'], longs: Longs): Type {
  const isText = longs === 'string'
  const methods = {
    fromBuffer: isText ? textIn : numberIn,
    toBuffer: longBytes,
    fromJSON: isText ? String : Number,
    toJSON: Number,
    isValid: isText ? isLong : Number.isSafeInteger,
    compare: (one: string, other: string) => Number(BigInt(one) - BigInt(other)),
  }
  return LongType.__with(methods, true) as Type
}

/** Zigzag varints of up to 7 bytes are exact in numbers. */
function numberIn(bytes: Buffer): number {
  if (bytes.length > 7) {
    const number = Number(bigIn(bytes))
    if (Number.isSafeInteger(number)) return number
    throw new Error(`${bigIn(bytes)} ${tooLong}`)
  }
  let value = 0
  for (let index = bytes.length - 1; index >= 0; index--) {
    value = value * 128 + (bytes[index]! & 0x7f)
  }
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2
}

const tooLong = "is beyond 2^53, where numbers lose digits; declare avro({ longs: 'string' })"

const textIn = (bytes: Buffer) =>
  bytes.length > 7 ? bigIn(bytes).toString() : String(numberIn(bytes))

function bigIn(bytes: Buffer): bigint {
  let value = 0n
  for (let index = bytes.length - 1; index >= 0; index--) {
    value = (value << 7n) | BigInt(bytes[index]! & 0x7f)
  }
  return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n))
}

const exactZigzag = 2 ** 48

function longBytes(given: string | number | bigint): Buffer {
  const bytes: number[] = []
  if (typeof given === 'number' && Math.abs(given) < exactZigzag) {
    let rest = given < 0 ? -given * 2 - 1 : given * 2
    for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
    bytes.push(rest)
    return Buffer.from(bytes)
  }
  const value = BigInt(given)
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  bytes.push(Number(rest))
  return Buffer.from(bytes)
}

function isLong(value: unknown): boolean {
  if (typeof value === 'number') return Number.isSafeInteger(value)
  if (typeof value !== 'bigint' && !(typeof value === 'string' && /^-?\d{1,19}$/.test(value))) {
    return false
  }
  const long = BigInt(value)
  return BigInt.asIntN(64, long) === long
}

/** The library makes a class for each record; what is decoded shall be objects like all others. */
function plainObjects(type: Type, seen: Set<unknown>): void {
  if (seen.has(type)) return
  seen.add(type)
  const any = type as unknown as {
    recordConstructor?: { prototype: object }
    _branchConstructor?: { prototype: object }
    fields?: readonly { readonly type: Type }[]
    types?: readonly Type[]
    itemsType?: Type
    valuesType?: Type
    underlyingType?: Type
  }
  if (any.recordConstructor !== undefined) any.recordConstructor.prototype = Object.prototype
  if (any._branchConstructor != null) any._branchConstructor.prototype = Object.prototype
  const inner = [any.itemsType, any.valuesType, any.underlyingType, ...(any.types ?? [])]
  for (const field of any.fields ?? []) inner.push(field.type)
  for (const one of inner) if (one !== undefined) plainObjects(one, seen)
}
