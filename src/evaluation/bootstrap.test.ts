import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { codeOf } from '../core/errors.ts'
import { seededRandom } from '../core/random.ts'
import { drawBinomial, drawMultinomial } from './binomial.ts'
import { bootstrapCounts, bootstrapInterval, comparePredictions } from './index.ts'

/** The chances of 0, 1, 2 ... successes, by ratios from the first. */
function binomialChances(trials: number, p: number): number[] {
  const chances = [(1 - p) ** trials]
  for (let k = 1; k <= trials; k++) {
    chances.push((chances[k - 1]! * (trials - k + 1) * p) / (k * (1 - p)))
  }
  return chances
}

describe('evaluation: random counts', () => {
  for (const [trials, p] of [
    [5, 0.3],
    [40, 0.2],
    [100, 0.9],
    [60, 0.5],
    [40, 0.25],
  ] as const) {
    it(`draws as the binomial distribution says: ${trials} trials of ${p}`, () => {
      const random = seededRandom(trials)
      const draws = 300_000
      const seen = new Float64Array(trials + 1)
      for (let draw = 0; draw < draws; draw++) seen[drawBinomial(trials, p, random)]!++
      let squares = 0
      let cells = 0
      for (const [k, chance] of binomialChances(trials, p).entries()) {
        const expected = draws * chance
        if (expected < 5) continue
        squares += (seen[k]! - expected) ** 2 / expected
        cells++
      }
      // Chi-squared, 5 standard deviations: the seed is fixed, so that it is passed always or never.
      const bound = cells + 5 * Math.sqrt(2 * cells)
      assert.ok(squares < bound, `${squares} of ${cells} cells, at most ${bound}`)
    })
  }

  it('shares all draws out, and none to cells without weight', () => {
    const weights = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(weights, fc.integer(), (given, seed) => {
        const total = given.reduce((sum, weight) => sum + weight, 0)
        const drawn = new Float64Array(given.length).fill(-1)
        drawMultinomial(Float64Array.from(given), total, total, seededRandom(seed), drawn)
        assert.equal(
          drawn.reduce((sum, count) => sum + count, 0),
          total,
        )
        for (const [cell, count] of drawn.entries()) {
          assert.ok(Number.isInteger(count) && count >= 0)
          if (given[cell] === 0) assert.equal(count, 0)
        }
      }),
    )
  })
})

describe('evaluation: bootstrap', () => {
  const isRight = Array.from({ length: 500 }, (_, row) => (row % 5 === 0 ? 0 : 1))
  const accuracyOf = (rows: Int32Array) =>
    rows.reduce((sum, row) => sum + isRight[row]!, 0) / rows.length

  it('says the same by rows, by cells and by theory', () => {
    const byRows = bootstrapInterval(500, accuracyOf, { seed: 1 })!
    const [byCells] = bootstrapCounts(Float64Array.of(400, 100), (drawn) => [drawn[0]! / 500], {
      seed: 2,
    })
    const halfWidth = 1.96 * Math.sqrt((0.8 * 0.2) / 500)
    for (const { low, high } of [byRows, byCells!]) {
      assert.ok(Math.abs(low - (0.8 - halfWidth)) < 0.006, `${low}`)
      assert.ok(Math.abs(high - (0.8 + halfWidth)) < 0.006, `${high}`)
    }
  })

  it('is replayed by its seed, and narrower for less confidence', () => {
    const wide = bootstrapInterval(500, accuracyOf, { seed: 3, resamples: 200 })!
    assert.deepEqual(bootstrapInterval(500, accuracyOf, { seed: 3, resamples: 200 }), wide)
    assert.notDeepEqual(bootstrapInterval(500, accuracyOf, { seed: 4, resamples: 200 }), wide)
    const narrow = bootstrapInterval(500, accuracyOf, { seed: 3, resamples: 200, confidence: 0.5 })!
    assert.ok(narrow.low > wide.low && narrow.high < wide.high)
  })

  it('leaves out samples of which the metric says nothing', () => {
    assert.equal(
      bootstrapInterval(3, () => undefined),
      undefined,
    )
    assert.equal(bootstrapInterval(0, accuracyOf), undefined)
    let calls = 0
    const every = bootstrapInterval(3, () => (calls++ % 2 === 0 ? 1 : Number.NaN))
    assert.deepEqual(every, { low: 1, high: 1 })
    assert.deepEqual(
      bootstrapCounts(Float64Array.of(0), () => [1]),
      [undefined],
    )
  })

  it('refuses options that are none', () => {
    for (const options of [
      { resamples: 0 },
      { confidence: 1 },
      { seed: 0.5 },
      { resamples: 1e9 },
    ]) {
      assert.throws(
        () => bootstrapInterval(1, () => 1, options),
        (error) => codeOf(error) === 'OPTIONS_INVALID',
      )
    }
  })
})

describe('evaluation: two classifiers on the same rows', () => {
  it('says which is better and whether it is chance', () => {
    const truths = Array.from({ length: 100 }, () => 'a')
    const baseline = truths.map((truth, row) => (row < 70 ? truth : 'b'))
    const candidate = truths.map((truth, row) => (row >= 2 && row < 90 ? truth : 'b'))
    const { interval, pValue, ...rest } = comparePredictions({ truths, baseline, candidate })
    assert.deepEqual(rest, {
      count: 100,
      baselineAccuracy: 0.7,
      candidateAccuracy: 0.88,
      difference: 0.18,
      onlyBaselineRight: 2,
      onlyCandidateRight: 20,
    })
    // Twice (1 + 22 + 231) / 2^22.
    assert.ok(Math.abs(pValue - 508 / 2 ** 22) < 1e-15)
    assert.ok(interval!.low > 0.05 && interval!.high < 0.3)
    const same = comparePredictions({ truths, baseline, candidate: baseline })
    assert.deepEqual([same.pValue, same.interval], [1, { low: 0, high: 0 }])
    const none = comparePredictions({ truths: [], baseline: [], candidate: [] })
    assert.deepEqual([none.pValue, none.interval, none.difference], [1, null, 0])
  })
})
