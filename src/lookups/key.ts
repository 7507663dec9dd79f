/** Keys of look-ups as texts that differ where the keys do, and what is no key. */
import type { KeyField, LookupKey } from './lookup.ts'

/** '5' and 5 are two keys. Throws a `TypeError` that says what it is instead of a key. */
export function keyText(key: unknown): string {
  if (!Array.isArray(key)) return fieldText(key)
  if (key.length === 0) throw new TypeError('the key is a list of nothing')
  return `[${key.map((field) => JSON.stringify(fieldText(field))).join()}]`
}

function fieldText(field: unknown): string {
  if (typeof field === 'string') return `s${field}`
  if (typeof field === 'number' && Number.isFinite(field)) return `n${field}`
  if (typeof field === 'bigint') return `i${field}`
  if (typeof field === 'boolean') return `b${field}`
  const seen = typeof field === 'number' ? String(field) : kindOf(field)
  throw new TypeError(`the key is ${seen}; give a text, a number or a boolean, or a list of them`)
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list in a list'
  return value instanceof Date ? 'a Date' : `a value of type ${typeof value}`
}

/** The fields of a key, one where it is no list. */
export const fieldsOf = (key: LookupKey): readonly KeyField[] =>
  Array.isArray(key) ? (key as readonly KeyField[]) : [key as KeyField]
