/**
 * Statistics of what lies in the time before a message, of one key: exactly, for messages in any order.
 * As of the event time t a measure counts the values with a time in (t - delay - over, t - delay]. The
 * values are kept, so that t may be any time since the horizon, not only the newest; and sums are
 * exact, so that a result is a function of the values in its window and of nothing else: computed from
 * history for training or live, before or after a restart, it is the same to the last bit.
 *
 * With `resolutionMs` r, what lies behind the horizon is kept as one bucket for every r of time,
 * and windows begin at a multiple of r at or before their own begin: they count the values in
 * (floor(t - over), t], and with a delay those in (floor(t - delay - over), floor(t - delay)]. That
 * holds for every value, in a bucket or not yet, so here too training and live agree.
 */
import type { Json, Maybe } from './aggregator.ts'
import { checkNumber, checkScalar } from './checked-values.ts'
import { addSum, rounded } from './exact-sum.ts'
import { meanOf, varianceOf } from './moments.ts'
import {
  type Bucket,
  bucketCells,
  emptyBucket,
  putInBucket,
  singleCells,
  type Tally,
} from './rolling-cells.ts'
import { RollingLine } from './rolling-line.ts'
import {
  type Layout,
  layoutOf,
  type RollingMeasure,
  type RollingMeasures,
} from './rolling-measures.ts'
import { loadRolling, saveRolling } from './rolling-saved.ts'
import type { Scalar } from './value-hash.ts'

export interface RollingOptions {
  /** Keeps buckets of so much time instead of single values: for long windows of many values. */
  readonly resolutionMs?: number
}

export interface RollingState {
  readonly singles: RollingLine<Scalar>
  /** null: there is no resolution. Its times are the ends of the buckets. */
  readonly buckets: RollingLine<Bucket> | null
  /** Results are asked as of this time or later. */
  horizonMs: number
  /** What lies at this time or before is not kept. */
  droppedMs: number
}

type KindsOf<Measures extends RollingMeasures> = Measures[keyof Measures]['kind']

/** What a measure counts: numbers where one of them reckons, else texts and booleans too. */
export type RollingValue<Measures extends RollingMeasures> =
  KindsOf<Measures> extends 'count' | 'distinct' | 'last' ? Scalar : number

export type RollingResults<Measures extends RollingMeasures> = {
  readonly [Field in keyof Measures]: Measures[Field]['kind'] extends 'count' | 'sum' | 'distinct'
    ? number
    : Measures[Field]['kind'] extends 'last'
      ? RollingValue<Measures> | null
      : number | null
}

export interface Rolling<Value, Results> {
  /** Of all measures: part of the plan, and of what stored state belongs to. */
  readonly name: string
  readonly version: number
  start(): RollingState
  /** Throws what is wrong with a value. `add` throws the same, before it has changed anything. */
  check(value: Maybe<Value>): void
  /**
   * Adds a value; null and undefined are none. A value that no result as of the horizon or later can
   * count is not kept.
   */
  add(state: RollingState, value: Maybe<Value>, timeMs: number): RollingState
  /**
   * As of a time, which is not before the horizon: what is added after that, with a time in the window,
   * is not counted here and is counted when the same is asked again. Of an empty window counts and sums
   * are 0, the others null.
   */
  result(state: RollingState, atMs: number): Results
  /** Promises that no result before this time is asked any more, and forgets what only those need. */
  prune(state: RollingState, horizonMs: number): void
  /** How many values and buckets are kept. */
  size(state: RollingState): number
  save(state: RollingState): Json
  load(saved: Json): RollingState
}

/**
 * Several measures of the same values of one key, which are kept once, for as long as the longest of
 * them needs.
 *
 * @example
 * rolling({ spent1h: { kind: 'sum', overMs: 3_600_000 }, most1d: { kind: 'max', overMs: 86_400_000 } })
 */
export function rolling<const Measures extends RollingMeasures>(
  measures: Measures,
  options: RollingOptions = {},
): Rolling<RollingValue<Measures>, RollingResults<Measures>> {
  const layout = layoutOf(measures, options.resolutionMs)
  const { name, fields } = layout
  const check = layout.isNumeric ? checkNumber : checkScalar
  return {
    name,
    version: 1,
    start: () => startOf(layout),
    check: (value) => check(name, value),
    add(state, value, timeMs) {
      check(name, value)
      if (value !== null && value !== undefined) put(layout, state, value as Scalar, timeMs)
      return state
    },
    result(state, atMs) {
      if (atMs < state.horizonMs) {
        throw new RangeError(`${name}: asked as of ${atMs}, before its horizon ${state.horizonMs}`)
      }
      const results: Record<string, Scalar | null> = {}
      for (let number = 0; number < fields.length; number++) {
        const { field, measure } = fields[number]!
        results[field] = resultOf(layout, state, measure, number, atMs)
      }
      return results as RollingResults<Measures>
    },
    prune: (state, horizonMs) => prune(layout, state, horizonMs),
    size: ({ singles, buckets }) => singles.size + (buckets?.size ?? 0),
    save: (state) => saveRolling(layout, state),
    load: (saved) => loadRolling(layout, saved, startOf(layout)),
  }
}

function startOf({ cursors, extremes, resolutionMs }: Layout): RollingState {
  return {
    singles: new RollingLine(singleCells, cursors, extremes),
    buckets: resolutionMs === null ? null : new RollingLine(bucketCells, cursors, extremes),
    horizonMs: Number.NEGATIVE_INFINITY,
    droppedMs: Number.NEGATIVE_INFINITY,
  }
}

function put(layout: Layout, state: RollingState, given: Scalar, timeMs: number): void {
  const { horizonMs, droppedMs, singles, buckets } = state
  if (timeMs <= droppedMs) return
  // Counts need no values; -0 is 0, as JSON has it.
  const value = !layout.keepsValues ? 1 : given === 0 ? 0 : given
  if (buckets !== null && timeMs <= layout.floor(horizonMs)) putBack(layout, buckets, value, timeMs)
  else singles.insert(timeMs, value)
}

/** Puts a value into its bucket, which may be there or not. */
function putBack(
  layout: Layout,
  buckets: RollingLine<Bucket>,
  value: Scalar,
  timeMs: number,
): void {
  const { needs } = layout
  const endMs = layout.ceiling(timeMs)
  const place = buckets.after(endMs) - 1
  if (place >= buckets.first && buckets.times[place] === endMs) {
    buckets.update(place, (bucket) => putInBucket(bucket, needs, value, timeMs))
  } else {
    const bucket = emptyBucket(needs)
    putInBucket(bucket, needs, value, timeMs)
    buckets.insert(endMs, bucket)
  }
}

function prune(layout: Layout, state: RollingState, horizonMs: number): void {
  if (!(horizonMs > state.horizonMs)) return
  const { singles, buckets } = state
  const neededAfter = layout.neededAfter(horizonMs)
  state.horizonMs = horizonMs
  state.droppedMs = neededAfter
  if (buckets !== null) {
    // Results from now on are as of the horizon or later, so they have these whole buckets or none.
    const wholeMs = layout.floor(horizonMs)
    const end = singles.after(wholeMs)
    for (let place = singles.after(neededAfter); place < end; place++) {
      putBack(layout, buckets, singles.cells[place]!, singles.times[place]!)
    }
    singles.dropUpTo(wholeMs)
    buckets.dropUpTo(neededAfter)
  }
  singles.dropUpTo(neededAfter)
}

function resultOf(
  layout: Layout,
  { singles, buckets }: RollingState,
  measure: RollingMeasure,
  number: number,
  atMs: number,
): Scalar | null {
  const { kind } = measure
  const beginMs = layout.begin(measure, atMs)
  const endMs = layout.end(measure, atMs)
  const from = singles.after(beginMs)
  const to = Math.max(from, singles.after(endMs))
  const bucketFrom = buckets?.after(beginMs) ?? 0
  const bucketTo = Math.max(bucketFrom, buckets?.after(endMs) ?? 0)
  const isEmpty = from === to && bucketFrom === bucketTo
  if (kind === 'min' || kind === 'max') {
    if (isEmpty) return null
    const own = singles[kind](from, to)
    return buckets === null ? own : Math[kind](own, buckets[kind](bucketFrom, bucketTo))
  }
  if (kind === 'last') {
    // What is single is newer than what is in buckets.
    if (from < to) return singles.cells[to - 1]!
    return isEmpty ? null : buckets!.cells[bucketTo - 1]!.last
  }
  const own = singles.tally(number, from, to)
  if (buckets === null || bucketFrom === bucketTo) return reckon(kind, own)
  const older = buckets.tally(number, bucketFrom, bucketTo)
  if (from === to) return reckon(kind, older)
  return kind === 'distinct' ? unionSize(own, older) : reckon(kind, together(own, older))
}

/** Both tallies as one, which are not changed. */
function together(own: Tally, older: Tally): Tally {
  const sum = older.sum.slice()
  const squares = older.squares.slice()
  addSum(sum, own.sum)
  addSum(squares, own.squares)
  return { count: own.count + older.count, sum, squares, values: null }
}

function unionSize({ values }: Tally, older: Tally): number {
  let size = older.values!.size
  for (const value of values!.keys()) if (!older.values!.has(value)) size++
  return size
}

function reckon(
  kind: RollingMeasure['kind'],
  { count, sum, squares, values }: Tally,
): number | null {
  if (kind === 'count') return count
  if (kind === 'sum') return rounded(sum)
  if (kind === 'mean') return meanOf(count, sum)
  if (kind === 'distinct') return values!.size
  const variance = varianceOf(count, sum, squares, 1)
  return kind === 'variance' || variance === null ? variance : Math.sqrt(variance)
}
