/** The t-digest beside sorted values: how far its answers are off by rank, one by one and merged. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Random, seededRandom } from '../core/random.ts'
import { quantile } from './quantile.ts'
import {
  addToDigest,
  compression,
  type Digest,
  emptyDigest,
  exactUpTo,
  mergeDigests,
  quantileOf,
} from './t-digest.ts'

const shares = [0, 0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1]

function digestOf(values: readonly number[]): Digest {
  const digest = emptyDigest()
  for (const value of values) addToDigest(digest, value)
  return digest
}

/** How far the value is from the rank `q`, as a share of all: 0 within the values equal to it. */
function rankError(sorted: readonly number[], value: number, q: number): number {
  const below = sorted.findIndex((other) => other >= value)
  const above = sorted.findLastIndex((other) => other <= value)
  const target = q * (sorted.length - 1)
  const low = below === -1 ? sorted.length : below
  return (
    Math.max(0, Math.min(low, above + 1) - 1 - target, target - Math.max(above, low)) /
    sorted.length
  )
}

const distributions: Record<string, (random: Random, index: number) => number> = {
  uniform: (random) => random(),
  normal: (random) =>
    Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()) + 1e6,
  'heavy tail': (random) => (1 - random()) ** -3,
  'few values': (random) => Math.floor(random() * 5),
  rising: (_, index) => index,
  falling: (_, index) => -index,
  'two hills': (random) => (random() < 0.5 ? random() : 1000 + random()),
}

describe('t-digest', () => {
  for (const [name, draw] of Object.entries(distributions)) {
    it(`answers within the stated rank: ${name}`, () => {
      const random = seededRandom(3)
      const values = Array.from({ length: 20_000 }, (_, index) => draw(random, index))
      const sorted = values.toSorted((a, b) => a - b)
      const whole = digestOf(values)
      const parts = [0, 1, 2, 3, 4].map((part) =>
        digestOf(values.slice(part * part * 800, part === 4 ? undefined : (part + 1) ** 2 * 800)),
      )
      const merged = parts.reduce(mergeDigests)
      for (const digest of [whole, merged]) {
        assert.equal(digest.count, values.length)
        for (const q of shares) {
          const bound = (Math.PI * Math.sqrt(q * (1 - q))) / compression + 1 / values.length
          const error = rankError(sorted, quantileOf(digest, q)!, q)
          assert.ok(error <= bound, `q ${q}: off by ${error}, allowed ${bound}`)
        }
      }
    })
  }

  it('stays small, and rises with q', () => {
    const random = seededRandom(4)
    const digest = emptyDigest()
    for (let index = 0; index < 100_000; index++) {
      addToDigest(digest, random() ** 4)
      assert.ok(digest.means.length <= compression && digest.pending <= exactUpTo)
    }
    let before = Number.NEGATIVE_INFINITY
    for (let q = 0; q <= 1; q += 1 / 1024) {
      const value = quantileOf(digest, q)!
      assert.ok(value >= before)
      before = value
    }
    assert.ok(JSON.stringify(quantile(0.5).save(digest)).length < 8000)
  })

  it(`is exact of ${exactUpTo} values, in any order and grouping`, () => {
    const values = fc.array(fc.integer({ min: -1000, max: 1000 }), {
      minLength: 1,
      maxLength: exactUpTo,
      size: 'max',
    })
    fc.assert(
      fc.property(values, fc.nat(exactUpTo), fc.integer({ min: 0, max: 64 }), (list, cut, part) => {
        const sorted = list.toSorted((a, b) => a - b)
        const q = part / 64
        const rank = q * (list.length - 1)
        const below = sorted[Math.floor(rank)]!
        const above = sorted[Math.ceil(rank)]!
        const expected = below + (above - below) * (rank - Math.floor(rank))
        assert.equal(quantileOf(digestOf(list), q), expected)
        const merged = mergeDigests(digestOf(list.slice(cut)), digestOf(list.slice(0, cut)))
        assert.equal(quantileOf(merged, q), expected)
      }),
      { numRuns: 50 },
    )
  })

  it('saved and loaded at any point, it goes on as one that never stopped', () => {
    const aggregator = quantile(0.9)
    const random = seededRandom(5)
    const values = Array.from({ length: 3000 }, () => random() * 100)
    const never = aggregator.start()
    let stopped = aggregator.start()
    values.forEach((value, index) => {
      aggregator.add(never, value, 0)
      aggregator.add(stopped, value, 0)
      if (index % 133 !== 0) return
      stopped = aggregator.load(JSON.parse(JSON.stringify(aggregator.save(stopped))))
      assert.equal(aggregator.result(stopped, 0), aggregator.result(never, 0))
    })
    assert.deepEqual(aggregator.save(stopped), aggregator.save(never))
  })
})
