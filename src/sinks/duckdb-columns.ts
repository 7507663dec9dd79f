/**
 * Columns of a DuckDB table: which type a JSON value asks for, whether a value fits, how it is
 * appended. A column keeps the type it got first, from its declaration or its first value.
 */
import type { DuckDBAppender } from '@duckdb/node-api'
import type { DuckdbLibrary } from './duckdb-file.ts'

export const columnTypes = ['VARCHAR', 'DOUBLE', 'BIGINT', 'BOOLEAN', 'TIMESTAMP', 'JSON'] as const

export type ColumnType = (typeof columnTypes)[number]

export interface Column {
  readonly name: string
  readonly type: ColumnType
}

/** What every table of the sink has, beside the fields of the values. */
export const ownColumns = ['_id', '_version', '_time', '_key']

/** More than this, and the fields are rather keys of a map than columns. */
export const maxColumns = 1000

const smallestBigint = -(2n ** 63n)
const largestBigint = 2n ** 63n - 1n

/** Undefined for null, which fits every column and asks for none. */
export function inferType(value: unknown): ColumnType | undefined {
  if (value === null) return undefined
  if (typeof value === 'string') return 'VARCHAR'
  if (typeof value === 'number') return 'DOUBLE'
  return typeof value === 'boolean' ? 'BOOLEAN' : 'JSON'
}

/** True when the value can be kept in a column of that type without loss. */
export function fits(value: unknown, type: ColumnType): boolean {
  if (value === null || type === 'JSON') return true
  if (type === 'VARCHAR') return typeof value === 'string'
  if (type === 'DOUBLE') return typeof value === 'number'
  if (type === 'BOOLEAN') return typeof value === 'boolean'
  if (type === 'BIGINT') return integerOf(value) !== undefined
  return timeOf(value) !== undefined
}

/** Appends one value that fits. */
export function appendCell(
  appender: DuckDBAppender,
  type: ColumnType,
  value: unknown,
  library: DuckdbLibrary,
): void {
  if (value === null || value === undefined) appender.appendNull()
  else if (type === 'VARCHAR') appender.appendVarchar(value as string)
  else if (type === 'DOUBLE') appender.appendDouble(value as number)
  else if (type === 'BOOLEAN') appender.appendBoolean(value as boolean)
  else if (type === 'BIGINT') appender.appendBigInt(integerOf(value)!)
  else if (type === 'JSON') appender.appendVarchar(JSON.stringify(value))
  else appendTime(appender, timeOf(value)!, library)
}

/** Appends milliseconds since the epoch as a TIMESTAMP, which is UTC. */
export function appendTime(appender: DuckDBAppender, timeMs: number, library: DuckdbLibrary): void {
  appender.appendTimestamp(new library.DuckDBTimestampValue(BigInt(Math.round(timeMs)) * 1000n))
}

/** Whole numbers; as digits in a string too, because JSON's numbers end at 2^53. */
function integerOf(value: unknown): bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined
  if (typeof value !== 'string' || !/^-?\d{1,19}$/.test(value)) return undefined
  const integer = BigInt(value)
  return integer >= smallestBigint && integer <= largestBigint ? integer : undefined
}

/** Milliseconds since the epoch, or ISO 8601; without a zone it is UTC. */
function timeOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Math.abs(value) <= 8.64e15 ? value : undefined
  if (typeof value !== 'string') return undefined
  const iso = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/.exec(
    value,
  )
  if (iso === null) return undefined
  const withZone = value.length > 10 && iso[1] === undefined ? `${value}Z` : value
  const timeMs = Date.parse(withZone.replace(' ', 'T'))
  return Number.isNaN(timeMs) ? undefined : timeMs
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** DuckDB's names differ by more than the case of ASCII letters. */
export function foldedName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}
