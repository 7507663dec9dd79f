/** What aggregates take: checks that say what was seen, and what to do. */
import { fail } from '../core/errors.ts'

/**
 * Numbers beyond this are refused: a sum of their squares, and its square, stays finite however many
 * there are, so that no aggregate overflows long after the value that is to blame.
 */
export const greatestNumber = 1e120

/** Throws unless the value is missing or a number that can be reckoned with. */
export function checkNumber(name: string, value: unknown): void {
  // NaN fails every comparison.
  if (typeof value === 'number' && value <= greatestNumber && value >= -greatestNumber) return
  if (value === null || value === undefined) return
  if (typeof value === 'number' && Number.isFinite(value)) {
    throw refused(`${name}: ${value} is beyond ±${greatestNumber}; divide by a unit first`)
  }
  throw refused(`${name}: takes numbers, got ${seen(value)}; give null to leave a message out`)
}

/** Throws unless the value is missing, a text, a boolean or a number. */
export function checkScalar(name: string, value: unknown): void {
  if (typeof value === 'string' || typeof value === 'boolean') return
  if (typeof value === 'number' && Number.isFinite(value)) return
  if (value === null || value === undefined) return
  throw refused(`${name}: takes texts, numbers and booleans, got ${seen(value)}`)
}

/** Throws unless the value is missing, a text or a number. */
export function checkOrdered(name: string, value: unknown): void {
  if (typeof value === 'boolean') {
    throw refused(`${name}: takes numbers or texts, got a boolean`)
  }
  checkScalar(name, value)
}

const deepest = 64

/** Throws unless the value is missing or comes back from JSON as it was. */
export function checkJson(name: string, value: unknown, depth = 0): void {
  if (typeof value === 'string' || typeof value === 'boolean') return
  if (typeof value === 'number' && Number.isFinite(value)) return
  if (value === null || (value === undefined && depth === 0)) return
  if (depth > deepest) throw refused(`${name}: a value nested more than ${deepest} deep`)
  if (Array.isArray(value)) {
    for (const item of value) checkJson(name, item, depth + 1)
    return
  }
  if (!isPlain(value)) {
    throw refused(`${name}: takes what JSON can hold, got ${seen(value)}`)
  }
  for (const field of Object.keys(value)) {
    const inner = value[field]
    // JSON leaves such a field out: read again, it is undefined still.
    if (inner !== undefined) checkJson(name, inner, depth + 1)
  }
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return (
    (prototype === Object.prototype || prototype === null) &&
    typeof (value as { toJSON?: unknown }).toJSON !== 'function'
  )
}

function refused(message: string) {
  return fail('AGGREGATE_INPUT_INVALID', message)
}

/** A value in a message: short, with what helps to correct it. */
export function seen(value: unknown): string {
  if (typeof value === 'string') return `the text ${JSON.stringify(value.slice(0, 40))}`
  if (typeof value === 'number') return String(value)
  if (typeof value === 'bigint') return 'a bigint (convert it with Number)'
  if (value instanceof Date) return 'a Date (give its getTime() or toISOString())'
  if (value instanceof Promise) return 'a promise (aggregates are synchronous)'
  if (typeof value !== 'object' || value === null) return `a ${typeof value}`
  return Array.isArray(value) ? 'a list' : `an object (${value.constructor?.name ?? 'Object'})`
}
