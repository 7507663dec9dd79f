/** Exact sums beside whole numbers of any length; variance where the usual ways lose everything. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { seededRandom } from '../core/random.ts'
import { mean, standardDeviation, sum, variance } from './aggregators.ts'
import { addExactly, addProduct, addSum, canonical, rounded } from './exact-sum.ts'

const view = new DataView(new ArrayBuffer(8))

/** A double as a whole number of the smallest ones, 2^-1074. */
function wholeOf(value: number): bigint {
  view.setFloat64(0, value)
  const bits = view.getBigUint64(0)
  const exponent = Number((bits >> 52n) & 0x7ffn)
  const fraction = bits & 0xf_ffff_ffff_ffffn
  const whole = exponent === 0 ? fraction : (fraction | (1n << 52n)) << BigInt(exponent - 1)
  return bits >> 63n === 1n ? -whole : whole
}

/** The double nearest to a whole number of 2^-1074, the even one of two. */
function nearest(whole: bigint): number {
  if (whole < 0n) return -nearest(-whole)
  const cut = BigInt(Math.max(0, whole.toString(2).length - 53))
  let kept = whole >> cut
  const rest = whole - (kept << cut)
  const half = cut === 0n ? 1n : 1n << (cut - 1n)
  if (rest > half || (rest === half && cut > 0n && kept % 2n === 1n)) kept++
  // In two steps, as 2^-1074 times a power of two may not be a double.
  const power = Number(cut) - 1074
  return Number(kept) * 2 ** Math.max(power, -1022) * 2 ** Math.min(0, power + 1022)
}

const doubles = fc.oneof(
  fc.double({ noNaN: true, min: -1e120, max: 1e120 }),
  fc.integer({ min: -1000, max: 1000 }).map((cents) => cents / 100),
  fc.integer({ min: -60, max: 60 }).map((power) => 2 ** power),
  fc.integer({ min: -60, max: 60 }).map((power) => -(2 ** power)),
)
const summed = (values: readonly number[]) => {
  const parts: number[] = []
  for (const value of values) addExactly(parts, value)
  return parts
}
const wholes = (values: readonly number[]) =>
  values.reduce((all, value) => all + wholeOf(value), 0n)

describe('exact sums', () => {
  it('hold the sum exactly, and round it correctly', () => {
    fc.assert(
      fc.property(fc.array(doubles, { maxLength: 50, size: 'max' }), (values) => {
        const parts = summed(values)
        assert.equal(wholes(parts), wholes(values))
        assert.equal(rounded(parts), nearest(wholes(values)))
      }),
    )
  })

  it('round what lies half way by what is far below', () => {
    const [one, half, tiny] = [1, 2 ** -53, 2 ** -200]
    assert.equal(rounded(summed([one, half])), 1)
    assert.equal(rounded(summed([one, half, tiny])), 1 + 2 ** -52)
    assert.equal(rounded(summed([one, half, -tiny])), 1)
    assert.equal(rounded(summed([1 + 2 ** -52, half, -tiny])), 1 + 2 ** -52)
  })

  it('forget what is taken out again', () => {
    fc.assert(
      fc.property(
        fc.array(doubles, { maxLength: 50, size: 'max' }),
        fc.array(doubles),
        (stay, go) => {
          const parts = summed([...stay, ...go])
          addSum(parts, summed(go), -1)
          assert.deepEqual(canonical(parts), canonical(summed(stay)))
          addSum(parts, summed(stay), -1)
          assert.deepEqual(parts, [])
        },
      ),
    )
  })

  it('add products exactly', () => {
    const factor = doubles.filter((value) => value === 0 || Math.abs(value) > 1e-130)
    fc.assert(
      fc.property(fc.array(fc.tuple(factor, factor)), (pairs) => {
        const parts: number[] = []
        for (const [a, b] of pairs) addProduct(parts, a, b)
        const expected = pairs.reduce((all, [a, b]) => all + wholeOf(a) * wholeOf(b), 0n)
        assert.equal(wholes(parts) << 1074n, expected)
      }),
    )
  })
})

describe('variance', () => {
  const of = (values: readonly number[], population = false) => {
    const aggregator = variance({ of: population ? 'population' : 'sample' })
    let state = aggregator.start()
    for (const value of values) state = aggregator.add(state, value, 0)
    return aggregator.result(state, 0)
  }

  it('loses nothing however far from 0 the values are', () => {
    for (const offset of [0, 1e9, 1e12, 2 ** 50, -1e12]) {
      const values = [4, 7, 13, 16].map((value) => value + offset)
      assert.equal(of(values), 30, `${offset}`)
      assert.equal(of(values, true), 22.5, `${offset}`)
    }
    // Neighbouring doubles: Welford's way gives twice as much, squares less the square of the sum 0.
    const step = 2 ** -2
    assert.equal(of([2 ** 50, 2 ** 50 + step]), (step * step) / 2)
    assert.equal(of([1e17, 1e17, 1e17]), 0)
    assert.equal(of([0.1, 0.1, 0.1]), 0)
  })

  it('is that of two passes over random values', () => {
    const random = seededRandom(7)
    for (const scale of [1e-9, 1, 1e6, 1e80]) {
      const values = Array.from({ length: 1000 }, () => (random() + random() - 0.3) * scale)
      const middle = values.reduce((all, value) => all + value, 0) / values.length
      const squares = values.reduce((all, value) => all + (value - middle) ** 2, 0)
      const expected = squares / (values.length - 1)
      assert.ok(Math.abs(of(values)! / expected - 1) < 1e-12)
    }
  })

  it('of one value is 0 of a population and unknown of a sample', () => {
    assert.equal(of([3], true), 0)
    assert.equal(of([3]), null)
    assert.equal(of([], true), null)
  })
})

describe('sums of many', () => {
  it('are the same in every order, where plain addition drifts', () => {
    const values = Array.from({ length: 30_000 }, (_, index) => 0.1 * (index % 7) - 0.3)
    const backwards = values.toReversed()
    for (const aggregator of [sum(), mean(), standardDeviation()]) {
      const [one, other] = [values, backwards].map((list) => {
        const state = list.reduce((held, value) => {
          aggregator.add(held as never, value, 0)
          return held
        }, aggregator.start() as unknown)
        return aggregator.result(state as never, 0)
      })
      assert.equal(one, other)
    }
    const tenths = summed(Array.from({ length: 10 }, () => 0.1))
    assert.equal(rounded(tenths), 1)
  })
})
