/** Reading of what aggregates saved: every field is looked at, so that nothing damaged is reckoned with. */
import { fail } from '../core/errors.ts'
import type { Json } from './aggregator.ts'
import { seen } from './checked-values.ts'

/** The error of a state that cannot be read. */
export function unreadable(name: string, what: string) {
  return fail(
    'STATE_UNREADABLE',
    `${name}: saved state ${what}; it is damaged or belongs to something else`,
  )
}

export function readList(name: string, saved: Json | undefined): readonly Json[] {
  if (!Array.isArray(saved)) throw unreadable(name, `is no list but ${seen(saved)}`)
  return saved as readonly Json[]
}

export function readFields(
  name: string,
  saved: Json | undefined,
): { readonly [field: string]: Json } {
  if (typeof saved !== 'object' || saved === null || Array.isArray(saved)) {
    throw unreadable(name, `is no object but ${seen(saved)}`)
  }
  return saved as { readonly [field: string]: Json }
}

export function readNumber(name: string, saved: Json | undefined): number {
  if (typeof saved !== 'number' || !Number.isFinite(saved)) {
    throw unreadable(name, `has ${seen(saved)} for a number`)
  }
  return saved
}

/** A number of things: whole and not negative. */
export function readCount(name: string, saved: Json | undefined): number {
  const count = readNumber(name, saved)
  if (!Number.isSafeInteger(count) || count < 0)
    throw unreadable(name, `counts ${count} of something`)
  return count
}

export function readNumbers(name: string, saved: Json | undefined): number[] {
  return readList(name, saved).map((item) => readNumber(name, item))
}

/** Bytes as base64. */
export function savedBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

export function readBytes(name: string, saved: Json | undefined): Uint8Array {
  if (typeof saved !== 'string') throw unreadable(name, `has ${seen(saved)} for bytes`)
  const bytes = Buffer.from(saved, 'base64')
  if (bytes.toString('base64') !== saved) throw unreadable(name, 'has bytes that are no base64')
  return bytes
}

/** Doubles as base64, little-endian whatever the machine. */
export function savedDoubles(values: Float64Array): string {
  const bytes = Buffer.alloc(values.length * 8)
  for (let index = 0; index < values.length; index++) bytes.writeDoubleLE(values[index]!, index * 8)
  return bytes.toString('base64')
}

export function readDoubles(name: string, saved: Json | undefined): Float64Array {
  const bytes = readBytes(name, saved)
  if (bytes.length % 8 !== 0) throw unreadable(name, 'ends in the middle of a number')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const values = new Float64Array(bytes.length / 8)
  for (let index = 0; index < values.length; index++) {
    values[index] = view.getFloat64(index * 8, true)
    if (!Number.isFinite(values[index])) throw unreadable(name, 'has a number that is none')
  }
  return values
}
