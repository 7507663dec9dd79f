/** Every aggregator under the law, beside a plain and slow way to what it gives. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { codeOf } from '../core/errors.ts'
import { aggregatorContract, type Timed } from './aggregator.contract.ts'
import type { Maybe } from './aggregator.ts'
import {
  aggregateOf,
  count,
  decayedCount,
  decayedMean,
  decayedSum,
  distinct,
  first,
  last,
  max,
  mean,
  min,
  type Over,
  quantile,
  quantiles,
  standardDeviation,
  sum,
  timeSince,
  variance,
} from './aggregators.ts'

type Amount = Maybe<number>
const wide = fc.double({ noNaN: true, min: -1e120, max: 1e120 })
/** Amounts as people have them, and numbers of every size. */
const numbers: fc.Arbitrary<Amount> = fc.oneof(
  fc.integer({ min: -5, max: 5 }),
  fc.integer({ min: -100_000, max: 100_000 }).map((cents) => cents / 100),
  wide,
  fc.constant(-0),
)
const amounts: fc.Arbitrary<Amount> = fc
  .integer({ min: -100_000, max: 100_000 })
  .map((cents) => cents / 100)
const noNumbers = [Number.NaN, Number.POSITIVE_INFINITY, 1e121, '1', true, new Date(0), 1n, [], {}]
const plain = (list: readonly Timed<Amount>[]) => list.map(({ value }) => value as number)

/** As near as rounding of the greatest number that takes part lets it be; doubles end at `least`. */
function assertNear(
  result: number | null,
  expected: number | null,
  scale: number,
  { error = 1e-12, least = 1e-300 } = {},
) {
  if (result === null || expected === null) return assert.equal(result, expected)
  const bound = error * scale + least
  assert.ok(Math.abs(result - expected) <= bound, `${result} instead of ${expected}`)
}
const greatest = (list: readonly Timed<Amount>[]) =>
  Math.max(0, ...plain(list).map((value) => Math.abs(value)))

aggregatorContract({
  name: 'count',
  aggregator: count(),
  values: fc.oneof(fc.integer(), fc.string(), fc.constant({})) as fc.Arbitrary<unknown>,
  expected: (list) => list.length,
  refused: [],
})

aggregatorContract({
  name: 'sum',
  aggregator: sum(),
  values: numbers,
  expected: (list) => plain(list).reduce((total, value) => total + value, 0),
  assertClose: (result, expected, list) => assertNear(result, expected, greatest(list) * 40),
  refused: noNumbers,
})

aggregatorContract({
  name: 'mean',
  aggregator: mean(),
  values: numbers,
  expected: (list) => meanOf(plain(list)),
  assertClose: (result, expected, list) => assertNear(result, expected, greatest(list) * 40),
  refused: noNumbers,
})

function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((all, value) => all + value, 0) / values.length
}

/** Two passes: the mean, then the differences to it. */
function twoPasses(values: readonly number[], missing: 0 | 1): number | null {
  const middle = meanOf(values)
  if (middle === null || values.length <= missing) return null
  const squares = values.map((value) => (value - middle) ** 2)
  return squares.reduce((all, square) => all + square, 0) / (values.length - missing)
}

for (const kind of ['sample', 'population'] as const) {
  const missing = kind === 'sample' ? 1 : 0
  const spread = {
    values: numbers,
    refused: noNumbers,
  }
  aggregatorContract({
    ...spread,
    name: `variance ${kind}`,
    aggregator: variance({ of: kind }),
    expected: (list) => twoPasses(plain(list), missing),
    assertClose: (result, expected, list) =>
      assertNear(result, expected, greatest(list) ** 2 * 40, { least: 1e-280 }),
  })
  aggregatorContract({
    ...spread,
    name: `standard deviation ${kind}`,
    aggregator: standardDeviation({ of: kind }),
    expected: (list) => {
      const squared = twoPasses(plain(list), missing)
      return squared === null ? null : Math.sqrt(squared)
    },
    assertClose: (result, expected, list) =>
      assertNear(result, expected, greatest(list) * 40, { error: 1e-6, least: 1e-140 }),
  })
}

aggregatorContract({
  name: 'min',
  aggregator: min(),
  values: numbers,
  expected: (list) => (list.length === 0 ? null : Math.min(...plain(list)) + 0),
  refused: [Number.NaN, true, new Date(0), {}],
})

aggregatorContract({
  name: 'max of texts',
  aggregator: max<string>(),
  values: fc.string() as fc.Arbitrary<Maybe<string>>,
  expected: (list) =>
    list
      .map(({ value }) => value as string)
      .sort()
      .at(-1) ?? null,
  refused: [Number.NaN, false, [], 1n],
})

const objects = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.boolean(),
  fc.dictionary(fc.string(), fc.integer(), { noNullPrototype: true }),
  fc.array(fc.string()),
)
const noJson = [Number.NaN, new Date(0), 1n, () => 1, Symbol('s'), [undefined], { a: new Map() }]

aggregatorContract({
  name: 'first',
  aggregator: first<unknown>(),
  values: objects as fc.Arbitrary<unknown>,
  expected: (list) => list.toSorted((a, b) => a.timeMs - b.timeMs)[0]?.value ?? null,
  refused: noJson,
})

aggregatorContract({
  name: 'last',
  aggregator: last<unknown>(),
  values: objects as fc.Arbitrary<unknown>,
  expected: (list) => list.toSorted((a, b) => a.timeMs - b.timeMs).at(-1)?.value ?? null,
  refused: noJson,
})

aggregatorContract({
  name: 'distinct',
  aggregator: distinct(),
  values: fc.oneof(
    fc.integer({ min: 0, max: 9 }),
    fc.nat(9).map(String),
    fc.boolean(),
  ) as fc.Arbitrary<Maybe<string | number | boolean>>,
  expected: (list) => new Set(list.map(({ value }) => value)).size,
  refused: [Number.NaN, new Date(0), {}, []],
})

/** numpy's `linear`. */
function quantileOf(values: readonly number[], q: number): number | null {
  const sorted = values.toSorted((a, b) => a - b)
  const rank = q * (sorted.length - 1)
  const below = sorted[Math.floor(rank)]
  const above = sorted[Math.ceil(rank)]
  if (below === undefined || above === undefined) return null
  return below + (above - below) * (rank - Math.floor(rank))
}

aggregatorContract({
  name: 'quantile',
  aggregator: quantile(0.9),
  values: amounts,
  expected: (list) => quantileOf(plain(list), 0.9),
  assertClose: (result, expected, list) => assertNear(result, expected, greatest(list)),
  refused: noNumbers,
})

aggregatorContract({
  name: 'quantiles',
  aggregator: quantiles([0, 0.5, 1]),
  values: amounts,
  expected: (list) => [0, 0.5, 1].map((q) => quantileOf(plain(list), q)),
  assertClose: (result, expected, list) =>
    result.forEach((value, index) => {
      assertNear(value, expected[index]!, greatest(list))
    }),
  refused: noNumbers,
})

const halfLifeMs = 7
/** The weight of each value at a time, which is never before the newest of them. */
function weights(list: readonly Timed<Amount>[], atMs: number): number[] {
  const at = Math.max(atMs, ...list.map(({ timeMs }) => timeMs))
  return list.map(({ timeMs }) => 0.5 ** ((at - timeMs) / halfLifeMs))
}
const total = (values: readonly number[]) => values.reduce((all, value) => all + value, 0)
const weighted = (list: readonly Timed<Amount>[], atMs: number) =>
  weights(list, atMs).map((weight, index) => weight * plain(list)[index]!)

aggregatorContract({
  name: 'decayed sum',
  aggregator: decayedSum(halfLifeMs),
  values: amounts,
  expected: (list, atMs) => total(weighted(list, atMs)),
  assertClose: (result, expected, list) => assertNear(result, expected, greatest(list) * 40),
  refused: noNumbers,
})

aggregatorContract({
  name: 'decayed count',
  aggregator: decayedCount(halfLifeMs),
  values: amounts,
  expected: (list, atMs) => total(weights(list, atMs)),
  assertClose: (result, expected) => assertNear(result, expected, 40),
  refused: noNumbers,
})

aggregatorContract({
  name: 'decayed mean',
  aggregator: decayedMean(halfLifeMs),
  values: amounts,
  expected: (list, atMs) =>
    list.length === 0 ? null : total(weighted(list, atMs)) / total(weights(list, atMs)),
  assertClose: (result, expected, list) => assertNear(result, expected, greatest(list) * 40),
  refused: noNumbers,
})

aggregatorContract({
  name: 'time since',
  aggregator: timeSince(),
  values: fc.constant(1) as fc.Arbitrary<unknown>,
  expected(list, atMs) {
    const times = list.map(({ timeMs }) => timeMs).sort((a, b) => a - b)
    const newest = times.at(-1)
    if (newest === undefined || newest > atMs) return null
    const before = newest === atMs ? times.at(-2) : newest
    return before === undefined ? null : atMs - before
  },
  refused: [],
})

interface Payment {
  readonly amount: number | null
  readonly place: string
}
const compiled = aggregateOf((over: Over<Payment | null | undefined>) => ({
  spent: over.sum((p) => p?.amount),
  places: over.distinct((p) => p?.place),
  abroad: over.where((p) => p?.place === 'abroad').count(),
  latest: over.last((p) => p?.place),
}))

aggregatorContract({
  name: 'several in one',
  aggregator: compiled,
  values: fc.record(
    {
      amount: fc.option(fc.integer({ min: -99, max: 99 })),
      place: fc.constantFrom('home', 'abroad', 'web'),
    },
    { noNullPrototype: true },
  ) as fc.Arbitrary<Maybe<Payment>>,
  expected(list) {
    const all = list.map(({ value }) => value as Payment)
    return {
      abroad: all.filter(({ place }) => place === 'abroad').length,
      latest: list.toSorted((a, b) => a.timeMs - b.timeMs).at(-1)?.value?.place ?? null,
      places: new Set(all.map(({ place }) => place)).size,
      spent: all.reduce((spent, { amount }) => spent + (amount ?? 0), 0),
    }
  },
  refused: [
    { amount: Number.NaN, place: 'x' },
    { amount: 1, place: {} },
  ],
})

describe('the parameters of aggregators', () => {
  it('are part of their names', () => {
    const all = [quantile(0.5), quantile(0.9), decayedSum(5), decayedSum(6), variance(), mean()]
    const names = [...all.map(({ name }) => name), variance({ of: 'population' }).name]
    assert.equal(new Set(names).size, names.length)
  })

  it('are refused where they make no sense', () => {
    const wrong = [
      () => quantile(50),
      () => quantile(Number.NaN),
      () => quantiles([0.5, -1]),
      () => decayedSum(0),
      () => decayedMean(Number.POSITIVE_INFINITY),
      () => variance({ of: 'all' as 'sample' }),
    ]
    for (const make of wrong) {
      assert.throws(make, (error) => codeOf(error) === 'PIPELINE_INVALID')
    }
  })
})
