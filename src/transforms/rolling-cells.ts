/**
 * What rolling statistics are made of: a tally, to which values can be added and taken away again
 * without a trace, and cells, which are single values or buckets of them.
 */
import { addExactly, addProduct, addSum } from './exact-sum.ts'
import type { Scalar } from './value-hash.ts'

/** What has to be known of values for the statistics that are asked for. */
export interface Needs {
  readonly sum: boolean
  readonly squares: boolean
  readonly values: boolean
}

export interface Tally {
  count: number
  readonly sum: number[]
  readonly squares: number[]
  /** How often each value is there. */
  readonly values: Map<Scalar, number> | null
}

/** Values of one stretch of time, from after its end less the resolution up to its end. */
export interface Bucket {
  count: number
  readonly sum: number[]
  readonly squares: number[]
  readonly values: Set<Scalar> | null
  low: number
  high: number
  /** By event time; of several with the same, what came last. */
  last: Scalar
  lastMs: number
}

/** Of what no measure asks for; it stays empty. There is a tally for each key. */
const unused: number[] = []

export function emptyTally({ sum, squares, values }: Needs): Tally {
  return {
    count: 0,
    sum: sum ? [] : unused,
    squares: squares ? [] : unused,
    values: values ? new Map() : null,
  }
}

export function clearTally(tally: Tally): void {
  tally.count = 0
  tally.sum.length = 0
  tally.squares.length = 0
  tally.values?.clear()
}

export function emptyBucket(needs: Needs): Bucket {
  return {
    count: 0,
    sum: [],
    squares: [],
    values: needs.values ? new Set() : null,
    low: Number.POSITIVE_INFINITY,
    high: Number.NEGATIVE_INFINITY,
    last: 0,
    lastMs: Number.NEGATIVE_INFINITY,
  }
}

export function putInBucket(bucket: Bucket, needs: Needs, value: Scalar, timeMs: number): void {
  bucket.count++
  if (typeof value === 'number') {
    if (needs.sum) addExactly(bucket.sum, value)
    if (needs.squares) addProduct(bucket.squares, value, value)
    if (value < bucket.low) bucket.low = value
    if (value > bucket.high) bucket.high = value
  }
  bucket.values?.add(value)
  if (timeMs >= bucket.lastMs) {
    bucket.last = value
    bucket.lastMs = timeMs
  }
}

/** How a line reckons with its cells. */
export interface CellKind<Cell> {
  /** Adds a cell to a tally, or with -1 takes it away. */
  tell(tally: Tally, needs: Needs, cell: Cell, sign: 1 | -1): void
  low(cell: Cell): number
  high(cell: Cell): number
  last(cell: Cell): Scalar
}

export const singleCells: CellKind<Scalar> = {
  tell(tally, needs, value, sign) {
    tally.count += sign
    if (needs.sum) addExactly(tally.sum, sign * (value as number))
    if (needs.squares) addProduct(tally.squares, sign * (value as number), value as number)
    if (tally.values !== null) tellValue(tally.values, value, sign)
  },
  low: (value) => value as number,
  high: (value) => value as number,
  last: (value) => value,
}

export const bucketCells: CellKind<Bucket> = {
  tell(tally, needs, bucket, sign) {
    tally.count += sign * bucket.count
    if (needs.sum) addSum(tally.sum, bucket.sum, sign)
    if (needs.squares) addSum(tally.squares, bucket.squares, sign)
    if (tally.values !== null && bucket.values !== null) {
      for (const value of bucket.values) tellValue(tally.values, value, sign)
    }
  },
  low: ({ low }) => low,
  high: ({ high }) => high,
  last: ({ last }) => last,
}

function tellValue(values: Map<Scalar, number>, value: Scalar, sign: 1 | -1): void {
  const times = (values.get(value) ?? 0) + sign
  if (times === 0) values.delete(value)
  else values.set(value, times)
}
