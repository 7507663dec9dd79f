/**
 * What DuckDB answers, as values that JSON can carry: whole numbers and decimals as numbers where a
 * number holds them exactly, else as strings; dates and times as DuckDB writes them (UTC, unless the
 * type has a zone); lists, structs and maps as arrays and objects; JSON as what it says.
 */
import type {
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBType,
  DuckDBUnionValue,
  DuckDBValue,
} from '@duckdb/node-api'

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue }

/** Turns one value; `type` is that of its column. */
export function jsonValue(value: DuckDBValue, type: DuckDBType): JsonValue {
  if (type.alias === 'JSON' && typeof value === 'string') return parsed(value)
  return plain(value)
}

function parsed(json: string): JsonValue {
  try {
    return JSON.parse(json) as JsonValue
  } catch {
    return json
  }
}

function plain(value: DuckDBValue): JsonValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'bigint') return exact(String(value))
  return composite(value)
}

/** Told apart by name: the library is loaded by whoever opened the file, not here. */
function composite(value: DuckDBValue & object): JsonValue {
  switch (value.constructor.name) {
    case 'DuckDBListValue':
    case 'DuckDBArrayValue':
      return (value as DuckDBListValue).items.map(plain)
    case 'DuckDBStructValue':
      return record(Object.entries((value as DuckDBStructValue).entries))
    case 'DuckDBMapValue':
      return mapped((value as DuckDBMapValue).entries)
    case 'DuckDBUnionValue':
      return plain((value as DuckDBUnionValue).value)
    case 'DuckDBDecimalValue':
      return exact((value as DuckDBDecimalValue).toString())
    default:
      return String(value)
  }
}

/** A map whose keys are all strings is an object, any other a list of pairs. */
function mapped(entries: DuckDBMapValue['entries']): JsonValue {
  if (entries.every(({ key }) => typeof key === 'string')) {
    return record(entries.map(({ key, value }) => [key as string, value]))
  }
  return entries.map(({ key, value }) => [plain(key), plain(value)])
}

function record(entries: readonly (readonly [string, DuckDBValue])[]): JsonValue {
  return Object.fromEntries(entries.map(([name, value]) => [name, plain(value)]))
}

/** A number of at most 15 digits survives the way through a double; a longer one stays text. */
function exact(digits: string): JsonValue {
  const number = Number(digits)
  const significant = digits.replace(/^-?[0.]*|[-.]/g, '').length
  return significant <= 15 || (Number.isSafeInteger(number) && !digits.includes('.'))
    ? number
    : digits
}
