import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import {
  averagePrecision,
  averagePrecisionOneVsRest,
  binaryBrierScore,
  binaryLogLoss,
  brierScore,
  coverageCurve,
  evaluateClassifier,
  expectedCalibrationError,
  labelRankings,
  logLoss,
  mcnemar,
  reliabilityCurve,
  rocAuc,
  rocAucOneVsRest,
  topLabels,
} from './index.ts'

type Figure = number | null

const summaryFigures = [
  'accuracy',
  'macroF1',
  'weightedF1',
  'macroPrecision',
  'macroRecall',
  'weightedPrecision',
  'weightedRecall',
  'balancedAccuracy',
  'matthewsCorrelation',
] as const

interface Fixture {
  readonly binary: {
    readonly name: string
    readonly truths: number[]
    readonly scores: number[]
    readonly rocAuc: Figure
    readonly averagePrecision: Figure
    readonly logLoss: number
    readonly brier: number
  }[]
  readonly labels: ({
    readonly name: string
    readonly labelCount: number
    readonly truths: number[]
    readonly probabilities: number[]
    readonly rocAucs: Figure[]
    readonly rocAuc: Figure
    readonly weightedRocAuc: Figure
    readonly binaryRocAuc: Figure
    readonly averagePrecisions: Figure[]
    readonly averagePrecision: number
    readonly logLoss: number
    readonly brier: number
    readonly ece: number
    readonly bins: number[][]
  } & Record<(typeof summaryFigures)[number], number>)[]
  readonly mcnemar: [number, number, number][]
  readonly coverage: {
    readonly isRight: number[]
    readonly confidences: number[]
    readonly points: [number, number, number][]
  }
}

const file = new URL('./fixtures/evaluation.json', import.meta.url)
const fixture = JSON.parse(readFileSync(file, 'utf8')) as Fixture

/** To 1e-12, or relative to what is larger than 1; null is undefined. */
function assertClose(actual: number | null | undefined, expected: Figure, what: string) {
  if (expected === null) {
    assert.ok(actual === undefined || actual === null, `${what}: ${actual} should not be defined`)
    return
  }
  const bound = 1e-12 * Math.max(1, Math.abs(expected))
  assert.ok(Math.abs((actual ?? Number.NaN) - expected) <= bound, `${what}: ${actual}, ${expected}`)
}

describe('evaluation: what scikit-learn, scipy and numpy say', () => {
  for (const { name, truths, scores, ...expected } of fixture.binary) {
    it(`of two labels: ${name}`, () => {
      assertClose(rocAuc(truths, scores), expected.rocAuc, 'rocAuc')
      assertClose(averagePrecision(truths, scores), expected.averagePrecision, 'averagePrecision')
      assertClose(binaryLogLoss(truths, scores), expected.logLoss, 'logLoss')
      assertClose(binaryBrierScore(truths, scores), expected.brier, 'brier')
      const probabilities = scores.flatMap((score) => [1 - score, score])
      const rows = { truths, probabilities, labelCount: 2 }
      assertClose(logLoss(rows), expected.logLoss, 'logLoss of two columns')
      assertClose(brierScore(rows), expected.brier, 'brier of two columns')
    })
  }

  for (const expected of fixture.labels) {
    it(`of labels: ${expected.name}`, () => {
      const rankings = labelRankings(expected)
      for (const [label, { rocAuc: area, averagePrecision: precision }] of rankings.entries()) {
        assertClose(area, expected.rocAucs[label]!, `rocAuc ${label}`)
        assertClose(precision, expected.averagePrecisions[label]!, `averagePrecision ${label}`)
      }
      assertClose(rocAucOneVsRest(expected), expected.rocAuc, 'rocAuc')
      if (expected.labelCount > 2) {
        assertClose(rocAucOneVsRest(expected, 'weighted'), expected.weightedRocAuc, 'weighted')
      }
      assertClose(averagePrecisionOneVsRest(expected), expected.averagePrecision, 'precision')
      assertClose(logLoss(expected), expected.logLoss, 'logLoss')
      assertClose(brierScore(expected), expected.brier, 'brier')
    })

    it(`of calibration: ${expected.name}`, () => {
      const { isRight, confidences } = topLabels(expected)
      assertClose(expectedCalibrationError(isRight, confidences), expected.ece, 'ece')
      const bins = reliabilityCurve(isRight, confidences)
      assert.equal(bins.length, expected.bins.length)
      for (const [index, bin] of bins.entries()) {
        const [count, mean, accuracy, lowest, highest] = expected.bins[index]!
        assert.deepEqual(
          [bin.count, bin.lowestConfidence, bin.highestConfidence],
          [count, lowest, highest],
        )
        assertClose(bin.meanConfidence, mean!, 'mean confidence')
        assertClose(bin.accuracy, accuracy!, 'accuracy')
      }
    })

    it(`in one call: ${expected.name}`, () => {
      const labels = Array.from({ length: expected.labelCount }, (_, label) => `label ${label}`)
      const truths = expected.truths.map((truth) => labels[truth]!)
      const { probabilities } = expected
      const report = evaluateClassifier({ truths, labels, probabilities, resamples: 0 })
      for (const figure of summaryFigures) assertClose(report[figure], expected[figure], figure)
      assertClose(report.rocAuc, expected.binaryRocAuc ?? expected.rocAuc, 'rocAuc')
      assertClose(report.averagePrecision, expected.averagePrecision, 'averagePrecision')
      assertClose(report.logLoss, expected.logLoss, 'logLoss')
      assertClose(report.brier, expected.brier, 'brier')
      assertClose(report.ece, expected.ece, 'ece')
    })
  }

  it("of McNemar's test", () => {
    for (const [first, second, pValue] of fixture.mcnemar) {
      assertClose(mcnemar(first, second), pValue, `mcnemar ${first}, ${second}`)
      assert.equal(mcnemar(first, second), mcnemar(second, first))
      if (pValue > 1e-300) {
        const relative = Math.abs(mcnemar(first, second) / pValue - 1)
        assert.ok(relative < 1e-9, `${first}, ${second}: wrong by ${relative}`)
      }
    }
  })

  it('of the accuracy at each coverage', () => {
    const { isRight, confidences, points } = fixture.coverage
    const curve = coverageCurve(isRight, confidences)
    assert.deepEqual(
      curve.map(({ threshold, answeredCount }) => [threshold, answeredCount]),
      points.map(([threshold, count]) => [threshold, count]),
    )
    for (const [index, point] of curve.entries()) {
      assertClose(point.accuracy, points[index]![2], `accuracy from ${point.threshold}`)
      assertClose(point.coverage, points[index]![1] / isRight.length, 'coverage')
    }
  })
})
