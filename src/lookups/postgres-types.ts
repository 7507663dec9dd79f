/** Values of Postgres as what JSON can hold, without a loss and whatever the time zone of this machine is. */
import type { CustomTypesConfig } from 'pg'

const types = {
  ...{ date: 1082, dates: 1182, timestamp: 1114, timestamps: 1115, timestamptz: 1184 },
  ...{ timestamptzs: 1185, interval: 1186, intervals: 1187, point: 600, circle: 718, bytea: 17 },
  ...{ numerics: 1231, bigints: 1016, texts: 1009 },
} as const

type Parse = (text: string) => unknown

interface Standard {
  getTypeParser(oid: number, format?: 'text'): unknown
}

/** The parsers that `pg` has, but for these types. bigint, numeric and what is not known are texts. */
export function valueTypes(standard: Standard): CustomTypesConfig {
  const textsOf = (each: (text: string) => string): Parse => {
    // Lists of texts are taken apart as those of any other type.
    const list = standard.getTypeParser(types.texts) as (text: string) => unknown
    return (text) => mapped(list(text), each)
  }
  const instant = instantOf(standard)
  const parsers = new Map<number, Parse>([
    [types.date, String],
    [types.timestamp, isoOf],
    [types.timestamptz, instant],
    [types.interval, String],
    [types.point, String],
    [types.circle, String],
    [types.bytea, String],
    [types.dates, textsOf(String)],
    [types.timestamps, textsOf(isoOf)],
    [types.timestamptzs, textsOf(instant)],
    [types.intervals, textsOf(String)],
    [types.numerics, textsOf(String)],
    [types.bigints, textsOf(String)],
  ])
  const getTypeParser = (oid: number, format?: 'text' | 'binary') =>
    parsers.get(oid) ?? standard.getTypeParser(oid, format as 'text')
  return { getTypeParser } as CustomTypesConfig
}

/** A time without a zone stays one without. */
const isoOf = (text: string): string => text.replace(/^(\d{4,}-\d\d-\d\d) /, '$1T')

/** In UTC, to the millisecond; infinity and years before Christ stay as they are written. */
const instantOf = (standard: Standard) => (text: string) => {
  const parse = standard.getTypeParser(types.timestamptz) as (text: string) => unknown
  const date = parse(text)
  return date instanceof Date && !Number.isNaN(date.getTime()) ? date.toISOString() : text
}

function mapped(value: unknown, each: (text: string) => string): unknown {
  if (Array.isArray(value)) return value.map((one) => mapped(one, each))
  return value === null ? null : each(String(value))
}
