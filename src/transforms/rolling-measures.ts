/** What rolling measures ask for, and what has to be kept for them. */
import { fail } from '../core/errors.ts'
import type { Needs } from './rolling-cells.ts'

/** Variance and standard deviation are those of a sample (n - 1). */
export const rollingKinds = [
  'count',
  'sum',
  'mean',
  'variance',
  'standardDeviation',
  'min',
  'max',
  'distinct',
  'last',
] as const
export type RollingKind = (typeof rollingKinds)[number]

export interface RollingMeasure {
  readonly kind: RollingKind
  /** How long the window is. */
  readonly overMs: number
  /** How long before the message it ends; 0 unless told otherwise, so that the message counts itself. */
  readonly delayMs?: number
}

export type RollingMeasures = { readonly [field: string]: RollingMeasure }

/** The measures of one state, worked out. */
export interface Layout {
  readonly name: string
  readonly fields: readonly { readonly field: string; readonly measure: RollingMeasure }[]
  /** What the cursor of each field follows; null where it needs none. */
  readonly cursors: readonly (Needs | null)[]
  /** All of them together: what a bucket has to know. */
  readonly needs: Needs
  readonly extremes: { readonly low: boolean; readonly high: boolean }
  readonly keepsLast: boolean
  readonly keepsValues: boolean
  readonly isNumeric: boolean
  readonly resolutionMs: number | null
  /** The multiple of the resolution at or before a time, and at or after it. */
  floor(timeMs: number): number
  ceiling(timeMs: number): number
  /** A window counts what lies after its begin, up to and with its end. */
  begin(measure: RollingMeasure, atMs: number): number
  end(measure: RollingMeasure, atMs: number): number
  /** What lies at this time or before counts in no window as of `atMs` or later. */
  neededAfter(atMs: number): number
}

export function layoutOf(measures: RollingMeasures, resolution?: number): Layout {
  const resolutionMs = resolution ?? null
  // By name, so that the order in which they are written is no part of the plan.
  const fields = Object.keys(measures)
    .sort()
    .map((field) => ({ field, measure: measures[field]! }))
  const name = nameOf(fields, resolutionMs)
  check(name, fields, resolutionMs)
  const kinds = new Set(fields.map(({ measure }) => measure.kind))
  const cursors = fields.map(({ measure }) => needsOf(measure.kind))
  const floor = (timeMs: number) =>
    resolutionMs === null ? timeMs : Math.floor(timeMs / resolutionMs) * resolutionMs
  const begin = ({ overMs, delayMs = 0 }: RollingMeasure, atMs: number) =>
    floor(atMs - delayMs - overMs)
  return {
    name,
    fields,
    cursors,
    needs: {
      sum: cursors.some((needs) => needs?.sum),
      squares: cursors.some((needs) => needs?.squares),
      values: cursors.some((needs) => needs?.values),
    },
    extremes: { low: kinds.has('min'), high: kinds.has('max') },
    keepsLast: kinds.has('last'),
    keepsValues: kinds.size > 1 || !kinds.has('count'),
    isNumeric: [...kinds].some((kind) => !['count', 'distinct', 'last'].includes(kind)),
    resolutionMs,
    floor,
    ceiling: (timeMs) =>
      resolutionMs === null ? timeMs : Math.ceil(timeMs / resolutionMs) * resolutionMs,
    begin,
    end: ({ delayMs = 0 }, atMs) => (delayMs === 0 ? atMs : floor(atMs - delayMs)),
    neededAfter: (atMs) => Math.min(...fields.map(({ measure }) => begin(measure, atMs))),
  }
}

function nameOf(
  fields: readonly { readonly field: string; readonly measure: RollingMeasure }[],
  resolutionMs: number | null,
): string {
  const words = fields.map(({ field, measure: { kind, overMs, delayMs = 0 } }) => {
    const delay = delayMs === 0 ? '' : ` delay ${delayMs} ms`
    return `${field}: ${kind} over ${overMs} ms${delay}`
  })
  const resolution = resolutionMs === null ? '' : ` by ${resolutionMs} ms`
  return `rolling { ${words.join(', ')} }${resolution}`
}

function check(
  name: string,
  fields: readonly { readonly field: string; readonly measure: RollingMeasure }[],
  resolutionMs: number | null,
): void {
  const wrong = (what: string) => fail('PIPELINE_INVALID', `${name}: ${what}`)
  if (fields.length === 0) throw wrong('there is no measure; name one')
  if (resolutionMs !== null && !(Number.isSafeInteger(resolutionMs) && resolutionMs > 0)) {
    throw wrong('resolutionMs is a whole number of milliseconds above 0')
  }
  for (const { field, measure } of fields) {
    const { kind, overMs, delayMs = 0 } = measure
    if (field === '__proto__') throw wrong('choose another name')
    if (!rollingKinds.includes(kind)) {
      throw wrong(`${field}: '${kind}' is none of ${rollingKinds.join(', ')}`)
    }
    if (!(Number.isFinite(overMs) && overMs > 0)) throw wrong(`${field}: overMs is a time above 0`)
    if (!(Number.isFinite(delayMs) && delayMs >= 0))
      throw wrong(`${field}: delayMs is a time, or 0`)
    if (resolutionMs !== null && overMs < resolutionMs) {
      throw wrong(`${field}: overMs is shorter than resolutionMs; leave the resolution out`)
    }
  }
}

function needsOf(kind: RollingKind): Needs | null {
  if (kind === 'min' || kind === 'max' || kind === 'last') return null
  return {
    sum: kind !== 'count' && kind !== 'distinct',
    squares: kind === 'variance' || kind === 'standardDeviation',
    values: kind === 'distinct',
  }
}
