import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { codeOf } from '../core/errors.ts'
import {
  averagePrecision,
  averagePrecisionOneVsRest,
  brierScore,
  coverageAtPrecision,
  coverageCurve,
  expectedCalibrationError,
  logLoss,
  mcnemar,
  precisionAtCoverage,
  reliabilityCurve,
  rocAuc,
  rocAucOneVsRest,
  type ScoredRows,
  selective,
  topLabels,
} from './index.ts'

/** Few different scores, so that many are tied; -0 is 0. */
const score = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true, min: -1, max: 1 }))
const scoredTruths = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 1 }), score), { maxLength: 40 })
  .map((rows) => ({ truths: rows.map(([truth]) => truth), scores: rows.map(([, at]) => at) }))

const answers = fc
  .array(
    fc.tuple(
      fc.integer({ min: 0, max: 1 }),
      fc.oneof(
        fc.integer({ min: 0, max: 4 }).map((quarter) => quarter / 4),
        fc.double({ noNaN: true, min: 0, max: 1 }),
      ),
    ),
    { maxLength: 60 },
  )
  .map((rows) => ({ isRight: rows.map(([right]) => right), confidences: rows.map(([, at]) => at) }))

const scoredRows: fc.Arbitrary<ScoredRows & { weights: number[][]; truths: number[] }> = fc
  .integer({ min: 2, max: 5 })
  .chain((labelCount) =>
    fc
      .array(
        fc.tuple(
          fc.integer({ min: 0, max: labelCount - 1 }),
          fc.array(fc.integer({ min: 0, max: 4 }), {
            minLength: labelCount,
            maxLength: labelCount,
          }),
        ),
        { minLength: 1, maxLength: 30 },
      )
      .map((rows) => ({
        labelCount,
        truths: rows.map(([truth]) => truth),
        weights: rows.map(([, weights]) => weights),
        probabilities: rows.flatMap(([, weights]) => probabilitiesOf(weights)),
      })),
  )

function probabilitiesOf(weights: number[]): number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return weights.map((weight) => (sum === 0 ? 1 / weights.length : weight / sum))
}

function assertClose(actual: number | undefined, expected: number | undefined) {
  if (actual === undefined || expected === undefined) assert.equal(actual, expected)
  else
    assert.ok(Math.abs(actual - expected) <= 1e-12 * Math.max(1, expected), `${actual} ${expected}`)
}

describe('evaluation: what holds for all scores', () => {
  it('is an area that turns round with the scores', () => {
    fc.assert(
      fc.property(scoredTruths, ({ truths, scores }) => {
        const area = rocAuc(truths, scores)
        const isDefined = truths.includes(0) && truths.includes(1)
        assert.equal(area !== undefined, isDefined)
        if (area === undefined) return
        assert.ok(area >= 0 && area <= 1)
        const negated = scores.map((at) => -at)
        const turned = truths.map((truth) => 1 - truth)
        assertClose(rocAuc(truths, negated), 1 - area)
        assertClose(rocAuc(turned, scores), 1 - area)
        assert.equal(rocAuc(truths.toReversed(), scores.toReversed()), area)
        assert.equal(rocAuc(truths, truths), 1)
      }),
    )
  })

  it('is the share of pairs in order, and a precision between the share of the class and 1', () => {
    fc.assert(
      fc.property(scoredTruths, ({ truths, scores }) => {
        let pairs = 0
        let ordered = 0
        for (const [row, truth] of truths.entries()) {
          for (const [other, otherTruth] of truths.entries()) {
            if (truth !== 1 || otherTruth !== 0) continue
            pairs++
            if (scores[row]! > scores[other]!) ordered++
            if (scores[row]! === scores[other]!) ordered += 0.5
          }
        }
        assertClose(rocAuc(truths, scores), pairs === 0 ? undefined : ordered / pairs)
        const precision = averagePrecision(truths, scores)
        assert.equal(precision === undefined, !truths.includes(1))
        if (precision === undefined) return
        assert.ok(precision > 0 && precision <= 1)
        assertClose(averagePrecision(truths.toReversed(), scores.toReversed()), precision)
        assert.equal(averagePrecision(truths, truths), 1)
      }),
    )
  })

  it('is the best for probabilities that are the truth, and the same in any order of rows', () => {
    fc.assert(
      fc.property(scoredRows, (rows) => {
        const { truths, weights, labelCount } = rows
        const figures = [
          logLoss,
          brierScore,
          rocAucOneVsRest,
          averagePrecisionOneVsRest,
          ({ ...given }: ScoredRows) => {
            const { isRight, confidences } = topLabels(given)
            return expectedCalibrationError(isRight, confidences)
          },
        ]
        const reversed = {
          labelCount,
          truths: truths.toReversed(),
          probabilities: weights.toReversed().flatMap(probabilitiesOf),
        }
        for (const figure of figures) assertClose(figure(reversed), figure(rows))
        const perfect = {
          labelCount,
          truths,
          probabilities: truths.flatMap((truth) =>
            Array.from({ length: labelCount }, (_, label) => (label === truth ? 1 : 0)),
          ),
        }
        const best = figures.map((figure) => figure(perfect))
        assert.deepEqual(
          best.map((value) => (value === undefined ? undefined : Math.abs(value) < 1e-15)),
          [true, true, best[2] === undefined ? undefined : false, false, true],
        )
        assert.ok(best[2] === undefined || best[2] === 1)
        assert.equal(best[3], 1)
        const brier = brierScore(rows)!
        assert.ok(brier >= 0 && brier <= (labelCount === 2 ? 1 : 2))
        assert.ok(logLoss(rows)! >= 0 && logLoss(rows)! <= 36.05)
      }),
    )
  })
})

describe('evaluation: what holds for all confidences', () => {
  it('has bins of equal mass that hold all answers', () => {
    fc.assert(
      fc.property(answers, fc.integer({ min: 1, max: 20 }), ({ isRight, confidences }, count) => {
        const bins = reliabilityCurve(isRight, confidences, count)
        const sizes = bins.map((bin) => bin.count)
        assert.equal(bins.length, Math.min(count, isRight.length))
        assert.equal(
          sizes.reduce((sum, size) => sum + size, 0),
          isRight.length,
        )
        if (sizes.length > 0) assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1)
        for (const bin of bins) {
          assert.ok(bin.accuracy >= 0 && bin.accuracy <= 1 + 1e-12)
          assert.ok(bin.lowestConfidence <= bin.highestConfidence)
        }
        const error = expectedCalibrationError(isRight, confidences, count)
        assert.equal(error === undefined, isRight.length === 0)
        const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0)
        const gap = Math.abs(mean(isRight) - mean(confidences)) / isRight.length
        // Bins can only tell more apart.
        if (error !== undefined) assert.ok(error >= gap - 1e-12 && error <= 1 + 1e-12)
      }),
    )
  })

  it('covers more with every lower threshold, in the end everything', () => {
    fc.assert(
      fc.property(answers, ({ isRight, confidences }) => {
        const curve = coverageCurve(isRight, confidences)
        for (const [index, point] of curve.entries()) {
          const answered = confidences.flatMap((at, row) => (at >= point.threshold ? [row] : []))
          assert.equal(point.answeredCount, answered.length)
          const right = answered.filter((row) => isRight[row] === 1).length
          assertClose(point.accuracy, right / answered.length)
          assert.ok(point.coverage > (curve[index - 1]?.coverage ?? 0))
          assert.deepEqual(precisionAtCoverage(isRight, confidences, point.coverage), point)
        }
        assert.equal(curve.at(-1)?.coverage, isRight.length === 0 ? undefined : 1)
        const thin = coverageCurve(isRight, confidences, 3)
        assert.ok(thin.length <= 3)
        assert.deepEqual(thin.at(-1), curve.at(-1))
        const wanted = coverageAtPrecision(isRight, confidences, 0.75)
        assert.deepEqual(
          wanted,
          curve.findLast(({ accuracy }) => accuracy >= 0.75),
        )
      }),
    )
  })
})

describe('evaluation: answers that may be unknown', () => {
  it('counts them as wrong, but not as answered', () => {
    const truths = ['a', 'a', 'b', 'b', 'c']
    const predictions = ['a', 'unknown', 'b', 'a', 'unknown']
    assert.deepEqual(selective({ truths, predictions }), {
      count: 5,
      answeredCount: 3,
      coverage: 0.6,
      answeredAccuracy: 2 / 3,
      accuracy: 0.4,
    })
    const none = selective({ truths: ['a'], predictions: ['?'], unknown: '?' })
    assert.equal(none.answeredAccuracy, undefined)
    assert.equal(none.coverage, 0)
  })
})

describe('evaluation: what is refused', () => {
  const refused: [string, () => unknown, RegExp][] = [
    ['a score that is NaN', () => rocAuc([0, 1], [0, Number.NaN]), /score 1 is NaN/],
    ['another number of scores', () => averagePrecision([0, 1], [0]), /2 truths but 1 scores/],
    ['a truth that is no label', () => rocAuc([0, 2], [0, 1]), /truth 1 is 2/],
    [
      'a probability above 1',
      () => logLoss({ truths: [0, 1], probabilities: [1, 0, 0, 1.5], labelCount: 2 }),
      /row 1 is 1.5/,
    ],
    [
      'a truth that has no column',
      () => brierScore({ truths: [2], probabilities: [1, 0], labelCount: 2 }),
      /truth 0 is 2/,
    ],
    [
      'too few probabilities',
      () => logLoss({ truths: [0], probabilities: [1], labelCount: 2 }),
      /1 probabilities for 1 rows of 2 labels/,
    ],
    ['no bins', () => reliabilityCurve([1], [1], 0), /binCount is 0/],
    ['a half right answer', () => reliabilityCurve([0.5], [1]), /isRight 0 is 0.5/],
    ['half a row', () => mcnemar(1.5, 2), /a count is 1.5/],
    ['a coverage above 1', () => precisionAtCoverage([1], [1], 2), /coverage is 2/],
  ]
  for (const [what, call, message] of refused) {
    it(`refuses ${what}`, () => {
      assert.throws(call, (error: Error) => {
        assert.equal(codeOf(error), 'EVALUATION_INVALID')
        assert.match(error.message, message)
        return true
      })
    })
  }
})
