/**
 * Count, sum, mean, variance and standard deviation. Sums are exact (`exact-sum.ts`), so all of them
 * are the same in any order and grouping, to the last bit. Of nothing, count and sum are 0 (as in
 * pandas; SQL's SUM is NULL), the others null.
 */
import { fail } from '../core/errors.ts'
import type { Aggregator, Json, Maybe } from './aggregator.ts'
import { checkNumber } from './checked-values.ts'
import {
  addExactly,
  addProduct,
  addSum,
  canonical,
  rounded,
  scatterTimesCount,
} from './exact-sum.ts'
import { readCount, readList, readNumbers, unreadable } from './saved.ts'

export interface CountState {
  count: number
}

/** How many values there are. */
export function count(): Aggregator<unknown, number, CountState> {
  return {
    name: 'count',
    version: 1,
    order: 'any',
    start: () => ({ count: 0 }),
    check() {},
    add(state, value) {
      if (value !== null && value !== undefined) state.count++
      return state
    },
    merge(one, other) {
      one.count += other.count
      return one
    },
    result: (state) => state.count,
    save: (state) => state.count,
    load: (saved) => ({ count: readCount('count', saved) }),
  }
}

export interface SumState {
  count: number
  readonly sum: number[]
}

/** The sum, correctly rounded. */
export const sum = (): Aggregator<Maybe<number>, number, SumState> =>
  ofSum('sum', (state) => rounded(state.sum))

/** The arithmetic mean. */
export const mean = (): Aggregator<Maybe<number>, number | null, SumState> =>
  ofSum('mean', (state) => meanOf(state.count, state.sum))

export function meanOf(count: number, sum: number[]): number | null {
  return count === 0 ? null : rounded(sum) / count
}

function ofSum<Out>(
  name: string,
  result: (state: SumState) => Out,
): Aggregator<Maybe<number>, Out, SumState> {
  return {
    name,
    version: 1,
    order: 'any',
    start: () => ({ count: 0, sum: [] }),
    check: (value) => checkNumber(name, value),
    add(state, value) {
      checkNumber(name, value)
      if (value === null || value === undefined) return state
      state.count++
      addExactly(state.sum, value)
      return state
    },
    merge(one, other) {
      one.count += other.count
      addSum(one.sum, other.sum)
      return one
    },
    result,
    save: (state) => [state.count, ...canonical(state.sum)],
    load(saved) {
      const [count, ...parts] = readNumbers(name, saved)
      return { count: readCount(name, count), sum: summedUp(name, parts) }
    },
  }
}

/** Parts that were saved, as parts that surely do not overlap. */
export function summedUp(name: string, parts: readonly number[]): number[] {
  const sum: number[] = []
  for (const part of parts) {
    if (part === 0) throw unreadable(name, 'has a part of a sum that is 0')
    addExactly(sum, part)
  }
  return sum
}

export interface SpreadState {
  count: number
  readonly sum: number[]
  readonly squares: number[]
}

export interface SpreadOptions {
  /**
   * `sample` (default) divides by n - 1, as pandas and SQL's VARIANCE do, and is null of one value;
   * `population` divides by n, as numpy does.
   */
  readonly of?: 'sample' | 'population'
}

export const variance = (
  options?: SpreadOptions,
): Aggregator<Maybe<number>, number | null, SpreadState> =>
  ofSpread('variance', options, (spread) => spread)

export const standardDeviation = (
  options?: SpreadOptions,
): Aggregator<Maybe<number>, number | null, SpreadState> =>
  ofSpread('standardDeviation', options, (spread) => (spread === null ? null : Math.sqrt(spread)))

export function varianceOf(
  count: number,
  sum: number[],
  squares: number[],
  missing: 0 | 1,
): number | null {
  if (count <= missing) return null
  return scatterTimesCount(count, sum, squares) / count / (count - missing)
}

function ofSpread(
  kind: string,
  { of = 'sample' }: SpreadOptions = {},
  result: (variance: number | null) => number | null,
): Aggregator<Maybe<number>, number | null, SpreadState> {
  if (of !== 'sample' && of !== 'population') {
    throw fail('PIPELINE_INVALID', `${kind}: of: '${of}'; it is 'sample' or 'population'`)
  }
  const missing = of === 'sample' ? 1 : 0
  const name = `${kind}(${of})`
  return {
    name,
    version: 1,
    order: 'any',
    start: () => ({ count: 0, sum: [], squares: [] }),
    check: (value) => checkNumber(name, value),
    add(state, value) {
      checkNumber(name, value)
      if (value === null || value === undefined) return state
      state.count++
      addExactly(state.sum, value)
      addProduct(state.squares, value, value)
      return state
    },
    merge(one, other) {
      one.count += other.count
      addSum(one.sum, other.sum)
      addSum(one.squares, other.squares)
      return one
    },
    result: (state) => result(varianceOf(state.count, state.sum, state.squares, missing)),
    save: (state): Json => [state.count, canonical(state.sum), canonical(state.squares)],
    load(saved) {
      const [count, sum, squares, ...more] = readList(name, saved)
      if (more.length > 0) throw unreadable(name, 'is too long')
      return {
        count: readCount(name, count),
        sum: summedUp(name, readNumbers(name, sum)),
        squares: summedUp(name, readNumbers(name, squares)),
      }
    },
  }
}
