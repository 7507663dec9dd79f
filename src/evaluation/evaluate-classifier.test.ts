import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { codeOf } from '../core/errors.ts'
import { classificationReport, type EvaluationReport, evaluateClassifier } from './index.ts'

/** Rows of three labels: what is likeliest, how likely, and what is true. */
function rowsOf(...rows: [likeliest: number, confidence: number, truth: string][]) {
  return {
    labels: ['ham', 'news', 'spam'],
    truths: rows.map(([, , truth]) => truth),
    probabilities: rows.flatMap(([likeliest, confidence]) =>
      [0, 1, 2].map((label) => (label === likeliest ? confidence : (1 - confidence) / 2)),
    ),
  }
}

const mixed = rowsOf(
  [0, 0.9, 'ham'],
  [0, 0.8, 'ham'],
  [0, 0.5, 'spam'],
  [2, 0.7, 'spam'],
  [2, 0.4, 'ham'],
)

function assertPlain(report: EvaluationReport) {
  assert.deepEqual(JSON.parse(JSON.stringify(report)), report)
}

describe('evaluation: evaluateClassifier', () => {
  it('says everything in one call, as plain data', () => {
    const report = evaluateClassifier(mixed)
    assertPlain(report)
    assert.equal(report.count, 5)
    assert.equal(report.accuracy, 0.6)
    assert.equal(report.majorityShare, 0.6)
    assert.deepEqual(Object.keys(report.labels), ['ham', 'spam'])
    assert.deepEqual(report.absentLabels, ['news'])
    assert.deepEqual(report.confusion, {
      labels: ['ham', 'news', 'spam'],
      counts: [
        [2, 0, 1],
        [0, 0, 0],
        [1, 0, 1],
      ],
    })
    assert.deepEqual(report.largestConfusions, [
      { truth: 'ham', prediction: 'spam', count: 1 },
      { truth: 'spam', prediction: 'ham', count: 1 },
    ])
    assert.equal(report.coverage, null)
    const { intervals } = report
    assert.ok(intervals!.accuracy.low < 0.6 && intervals!.accuracy.high > 0.6)
    assert.deepEqual([intervals!.resamples, intervals!.confidence], [1000, 0.95])
    // The macro averages are over the labels that occur, as scikit-learn's.
    assert.equal(report.macroF1, (2 / 3 + 1 / 2) / 2)
  })

  it('counts labels that were never learnt as wrong, and their probabilities not at all', () => {
    const unseen = rowsOf([0, 0.9, 'ham'], [2, 0.6, 'spam'], [0, 0.7, 'fax'], [0, 0.8, 'fax'])
    const report = evaluateClassifier(unseen)
    assertPlain(report)
    assert.deepEqual([report.unseenLabels, report.unseenCount], [['fax'], 2])
    assert.equal(report.accuracy, 0.5)
    assert.deepEqual(
      [report.labels.fax!.support, report.labels.fax!.f1, report.labels.fax!.rocAuc],
      [2, 0, null],
    )
    const learnt = evaluateClassifier(rowsOf([0, 0.9, 'ham'], [2, 0.6, 'spam']))
    for (const figure of ['logLoss', 'brier', 'rocAuc', 'averagePrecision'] as const) {
      assert.equal(report[figure], learnt[figure], figure)
    }
    assert.equal(report.calibration!.accuracy, 0.5)
    const none = evaluateClassifier(rowsOf([0, 0.9, 'fax']))
    assertPlain(none)
    assert.deepEqual([none.logLoss, none.rocAuc, none.accuracy], [null, null, 0])
  })

  it("takes 'unknown' for an answer that is wrong, but no label to average over", () => {
    const report = evaluateClassifier({ ...mixed, minConfidence: 0.7 })
    assertPlain(report)
    assert.deepEqual(report.coverage, { answeredCount: 3, coverage: 0.6, answeredAccuracy: 1 })
    assert.equal(report.accuracy, 0.6)
    assert.deepEqual(Object.keys(report.labels), ['ham', 'spam'])
    assert.equal(report.macroF1, (4 / 5 + 2 / 3) / 2)
    assert.deepEqual(report.largestConfusions, [])
    assert.deepEqual(report.confusion!.counts[0], [2, 0, 0, 1])
    // Calibration looks at the likeliest label all the same.
    assert.equal(report.ece, evaluateClassifier(mixed).ece)
    const predictions = ['ham', 'ham', 'unknown', 'spam', 'unknown']
    assert.deepEqual(evaluateClassifier({ ...mixed, predictions }), report)
    const all = evaluateClassifier({ ...mixed, minConfidence: 1 })
    assert.deepEqual([all.coverage!.answeredAccuracy, all.accuracy], [null, 0])
  })

  it("takes a truth that is 'unknown' for answered rightly by it", () => {
    const open = rowsOf([0, 0.9, 'ham'], [2, 0.4, 'unknown'], [2, 0.8, 'unknown'])
    const report = evaluateClassifier({ ...open, minConfidence: 0.5 })
    assert.equal(report.accuracy, 2 / 3)
    assert.deepEqual([report.labels.unknown!.recall, report.unseenLabels], [0.5, []])
    assert.deepEqual(report.coverage, { answeredCount: 2, coverage: 2 / 3, answeredAccuracy: 0.5 })
    assert.deepEqual(evaluateClassifier(open).unseenLabels, ['unknown'])
  })

  it('has a threshold for each share of the rows', () => {
    const points = evaluateClassifier(mixed).accuracyByCoverage
    assert.deepEqual(
      points.map(({ threshold, coverage, accuracy }) => [threshold, coverage, accuracy]),
      [
        [0.9, 0.2, 1],
        [0.8, 0.4, 1],
        [0.7, 0.6, 1],
        [0.5, 0.8, 0.75],
        [0.4, 1, 0.6],
      ],
    )
  })

  it('says nothing of no rows', () => {
    const report = evaluateClassifier(rowsOf())
    assertPlain(report)
    const { accuracy, logLoss, ece, intervals, calibration } = report
    assert.deepEqual([accuracy, logLoss, ece, intervals, calibration], [0, null, null, null, null])
  })

  it('holds labels that look like numbers or parts of objects', () => {
    const labels = ['10', '2', '__proto__', 'constructor']
    const truths = ['2', '10', '__proto__', 'constructor', '__proto__']
    const probabilities = truths.flatMap((truth) => labels.map((label) => +(label === truth)))
    const report = evaluateClassifier({ labels, truths, probabilities })
    assert.equal(report.accuracy, 1)
    assert.equal(Object.getOwnPropertyDescriptor(report.labels, '__proto__')!.value.support, 2)
    assert.deepEqual(report.absentLabels, [])
  })

  it('agrees with the report of answers, and does not depend on the order of rows', () => {
    const row = fc.tuple(
      fc.integer({ min: 0, max: 2 }),
      fc.constantFrom(0.4, 0.5, 0.75, 1),
      fc.constantFrom('ham', 'news', 'spam', 'fax'),
    )
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 30 }), (rows) => {
        const given = rowsOf(...rows)
        const report = evaluateClassifier({ ...given, resamples: 20 })
        const predictions = rows.map(([likeliest]) => given.labels[likeliest]!)
        const expected = classificationReport(given.truths, predictions)
        for (const figure of ['accuracy', 'macroF1', 'weightedF1', 'balancedAccuracy'] as const) {
          assert.ok(Math.abs(report[figure] - expected[figure]) < 1e-12)
          const { low, high } = report.intervals![figure]
          assert.ok(low >= 0 && low <= high && high <= 1 + 1e-12)
        }
        const reversed = evaluateClassifier({ ...rowsOf(...rows.toReversed()), resamples: 20 })
        const sums = { logLoss: 0, brier: 0, ece: 0, calibration: null }
        assert.deepEqual({ ...reversed, ...sums }, { ...report, ...sums })
        for (const figure of ['logLoss', 'brier', 'ece'] as const) {
          assert.equal(reversed[figure] === null, report[figure] === null)
          assert.ok(Math.abs((reversed[figure] ?? 0) - (report[figure] ?? 0)) < 1e-12)
        }
        assert.equal(report.calibration!.bins.length, Math.min(15, rows.length))
      }),
    )
  })

  const refused: [string, object, string, RegExp][] = [
    ['too few truths', { truths: ['ham'] }, 'EVALUATION_INVALID', /15 probabilities for 1 rows/],
    ['a label twice', { labels: ['a', 'b', 'a'] }, 'EVALUATION_INVALID', /3 labels, some twice/],
    ['no labels', { labels: [] }, 'EVALUATION_INVALID', /0 labels/],
    [
      'scores that are no probabilities',
      { probabilities: mixed.probabilities.map((value) => value / 2) },
      'EVALUATION_INVALID',
      /row 0 add up to 0\.5/,
    ],
    [
      'a prediction of no label',
      { predictions: ['ham', 'ham', 'fax', 'ham', 'ham'] },
      'EVALUATION_INVALID',
      /prediction 2 is 'fax'/,
    ],
    ['too few predictions', { predictions: ['ham'] }, 'EVALUATION_INVALID', /5 truths but 1/],
    ['a confidence above 1', { minConfidence: 2 }, 'OPTIONS_INVALID', /minConfidence is 2/],
    [
      "minConfidence where 'unknown' is a label",
      { labels: ['ham', 'spam', 'unknown'], minConfidence: 0.5 },
      'OPTIONS_INVALID',
      /'unknown', which is a label/,
    ],
    ['half a resample', { resamples: 0.5 }, 'OPTIONS_INVALID', /resamples is 0.5/],
  ]
  for (const [what, options, code, message] of refused) {
    it(`refuses ${what}`, () => {
      assert.throws(
        () => evaluateClassifier({ ...mixed, ...options }),
        (error: Error) => codeOf(error) === code && message.test(error.message),
      )
    })
  }
})
