/** Calibration against scikit-learn's own answers, and where there is little to learn from. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { codeOf } from '../core/errors.ts'
import { type CalibrationMethod, calibrationMethods, fitCalibration } from './calibration.ts'
import { argmax } from './linear.ts'
import { type Link, scoresToProbabilities } from './link.ts'

interface Fixture {
  readonly binary: {
    readonly name: string
    readonly scores: number[]
    readonly truth: number[]
    readonly fresh: number[]
    readonly sigmoid: number[]
    readonly sigmoidConverged: number[]
    readonly isotonic: number[]
    readonly isotonicPoints: number
  }[]
  readonly temperature: {
    readonly scores: number[]
    readonly truth: number[]
    readonly count: number
    readonly beta: number
    readonly betaConverged: number
    readonly probabilities: number[]
  }[]
  readonly whole: (Record<CalibrationMethod, number[]> & {
    readonly count: number
    readonly truth: number[]
    readonly heldOut: number[]
    readonly fresh: number[]
  })[]
}

const file = new URL('./fixtures/calibration.json', import.meta.url)
const fixture = JSON.parse(readFileSync(file, 'utf8')) as Fixture

function probabilitiesOf(link: Link, scores: Iterable<number>, count: number): Float64Array {
  const probabilities = Float64Array.from(scores)
  for (let start = 0; start < probabilities.length; start += count) {
    scoresToProbabilities(link, probabilities, start, count)
  }
  return probabilities
}

function assertClose(actual: ArrayLike<number>, expected: readonly number[], tolerance: number) {
  assert.equal(actual.length, expected.length)
  for (const [index, value] of expected.entries()) {
    assert.ok(
      Math.abs(actual[index]! - value) <= tolerance,
      `${index}: ${actual[index]} is not ${value}`,
    )
  }
}

const twoColumns = (scores: readonly number[]) =>
  Float64Array.from(scores.flatMap((score) => [0, score]))
const seconds = (values: Float64Array) => values.filter((_, index) => index % 2 === 1)

describe('models: calibration parity with scikit-learn', () => {
  for (const { name, scores, truth, fresh, ...expected } of fixture.binary) {
    const fit = (method: CalibrationMethod) =>
      fitCalibration(method, twoColumns(scores), Int32Array.from(truth), 2)
    const answers = (method: CalibrationMethod) =>
      seconds(probabilitiesOf(fit(method), twoColumns(fresh), 2))

    it(`sigmoid finds the curve that scikit-learn looks for: ${name}`, () => {
      assertClose(answers('sigmoid'), expected.sigmoidConverged, 1e-9)
      assertClose(answers('sigmoid'), expected.sigmoid, 1e-5)
    })

    it(`isotonic draws the same line: ${name}`, () => {
      assertClose(answers('isotonic'), expected.isotonic, 1e-12)
      const link = fit('isotonic')
      assert.ok(link.kind === 'isotonic')
      assert.equal(link.lines[0]!.x.length, expected.isotonicPoints)
    })
  }

  for (const { scores, truth, count, ...expected } of fixture.temperature) {
    it(`temperature finds the same scale with ${count} labels`, () => {
      const link = fitCalibration(
        'temperature',
        Float64Array.from(scores),
        Int32Array.from(truth),
        count,
      )
      assert.ok(link.kind === 'softmax')
      assert.ok(Math.abs(link.scale / expected.betaConverged - 1) < 1e-10)
      // scikit-learn's search reads values only, and so sees half the digits.
      assert.ok(Math.abs(link.scale / expected.beta - 1) < 1e-6)
      const answers = probabilitiesOf(link, scores.slice(0, 6 * count), count)
      assertClose(answers, expected.probabilities, 1e-6)
    })
  }

  for (const { count, truth, heldOut, fresh, ...expected } of fixture.whole) {
    for (const method of calibrationMethods) {
      it(`CalibratedClassifierCV over LinearSVC: ${method}, ${count} labels`, () => {
        const scores = Float64Array.from(heldOut)
        const link = fitCalibration(method, scores, Int32Array.from(truth), count)
        const tolerance = method === 'temperature' ? 1e-6 : 1e-9
        assertClose(probabilitiesOf(link, fresh, count), expected[method], tolerance)
      })
    }
  }
})

describe('models: calibration where there is little to learn from', () => {
  const asked = Float64Array.of(0, 0, -1e9, 1e9, 1e9, -1e9, 3, 3.5)

  const rows: [string, number[], number[]][] = [
    ['all scores equal', [0, 2, 0, 2, 0, 2], [0, 1, 1]],
    ['separated perfectly', [0, -2, 0, -1, 0, 1, 0, 2], [0, 0, 1, 1]],
    ['separated the wrong way round', [0, -2, 0, -1, 0, 1, 0, 2], [1, 1, 0, 0]],
    ['a label is missing', [0, -2, 0, 1, 0, 2], [0, 0, 0]],
    ['one row', [0, 1], [1]],
    ['a difference of the last digit', [0, 1, 0, 1 + 2 ** -52], [0, 1]],
    ['very large scores', [0, 1e300, 0, -1e300, 0, 1e299], [1, 0, 0]],
    ['very small scores', [0, 1e-300, 0, -1e-300, 0, 5e-324], [1, 0, 0]],
  ]
  for (const [name, scores, truth] of rows) {
    for (const method of calibrationMethods) {
      it(`${method} stays finite: ${name}`, () => {
        const link = fitCalibration(method, Float64Array.from(scores), Int32Array.from(truth), 2)
        for (const values of [asked, Float64Array.from(scores)]) {
          for (const share of probabilitiesOf(link, values, 2)) {
            assert.ok(share >= 0 && share <= 1, String(share))
          }
        }
      })
    }
  }

  it('scores that are all equal leave the share of the rows, and the scale 1', () => {
    const scores = Float64Array.of(0, 2, 0, 2, 0, 2)
    const truth = Int32Array.of(0, 1, 1)
    const isotonic = fitCalibration('isotonic', scores, truth, 2)
    assertClose(probabilitiesOf(isotonic, [0, 2], 2), [1 / 3, 2 / 3], 1e-15)
    const sigmoid = fitCalibration('sigmoid', scores, truth, 2)
    assertClose(probabilitiesOf(sigmoid, [0, 2], 2), [1 - 11 / 18, 11 / 18], 1e-15)
    const temperature = fitCalibration('temperature', new Float64Array(6), truth, 2)
    assert.deepEqual(temperature, { kind: 'softmax', scale: 1 })
  })

  it('a label that no row has is unlikely', () => {
    const scores = Float64Array.of(1, 0, 3, 0, 2, -1, 2, 1, 0)
    const truth = Int32Array.of(0, 1, 1)
    for (const method of ['sigmoid', 'isotonic'] as const) {
      const link = fitCalibration(method, scores, truth, 3)
      const [first, , third] = probabilitiesOf(link, [1, 1, 3], 3)
      assert.ok(Number.isFinite(first) && third! < 0.3, `${method}: ${third}`)
    }
  })

  it('refuses what is not scores and labels', () => {
    const fits = (scores: number[], indexes: number[], count: number) => () =>
      fitCalibration('sigmoid', Float64Array.from(scores), Int32Array.from(indexes), count)
    for (const attempt of [
      fits([], [], 2),
      fits([1, 2, 3], [0], 2),
      fits([1], [0], 1),
      fits([1, 2], [2], 2),
      fits([1, 2], [-1], 2),
      fits([1, Number.NaN], [0], 2),
      fits([1, Number.NEGATIVE_INFINITY], [0], 2),
    ]) {
      assert.throws(attempt, (error) => codeOf(error) === 'TRAINING_INVALID')
    }
    assert.throws(
      () => fitCalibration('platt' as 'sigmoid', Float64Array.of(0, 1), Int32Array.of(0), 2),
      /unknown method 'platt'; known: sigmoid, isotonic, temperature/,
    )
  })
})

describe('models: calibration laws', () => {
  // Isotonic regression takes scores for one that are nearer than 1e-15.
  const score = fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((value) => {
    return Math.abs(value) < 1e-3 ? 0 : Number(value.toPrecision(6))
  })
  const rows = fc.integer({ min: 2, max: 5 }).chain((count) =>
    fc.record({
      count: fc.constant(count),
      rows: fc.array(
        fc.record({
          scores: fc.array(score, {
            minLength: count,
            maxLength: count,
          }),
          truth: fc.nat(count - 1),
        }),
        { minLength: 1, maxLength: 30 },
      ),
    }),
  )

  it('temperature changes no answer, and never does worse than leaving scores as they are', () => {
    fc.assert(
      fc.property(rows, ({ count, rows }) => {
        const scores = Float64Array.from(rows.flatMap((row) => row.scores))
        const truth = Int32Array.from(rows, (row) => row.truth)
        const link = fitCalibration('temperature', scores, truth, count)
        const after = probabilitiesOf(link, scores, count)
        for (let start = 0; start < scores.length; start += count) {
          const best = start + argmax(scores, start, count)
          assert.equal(after[best], Math.max(...after.subarray(start, start + count)))
        }
        const before = probabilitiesOf({ kind: 'softmax', scale: 1 }, scores, count)
        const loss = logLoss(after, truth, count)
        assert.ok(!(loss > logLoss(before, truth, count) * (1 + 1e-9) + 1e-9))
      }),
      { numRuns: 60 },
    )
  })

  it('sigmoid and isotonic on average say of each of two labels what its share is', () => {
    fc.assert(
      fc.property(rows, ({ rows }) => {
        const scores = Float64Array.from(rows.flatMap((row) => row.scores.slice(0, 2)))
        const truth = Int32Array.from(rows, (row) => row.truth % 2)
        const isYes = truth.reduce((sum, label) => sum + label, 0)
        const isotonic = fitCalibration('isotonic', scores, truth, 2)
        const said = seconds(probabilitiesOf(isotonic, scores, 2)).reduce((sum, p) => sum + p, 0)
        assert.ok(Math.abs(said - isYes) < 1e-9 * rows.length)
        const isNo = rows.length - isYes
        const sigmoid = fitCalibration('sigmoid', scores, truth, 2)
        const smooth = seconds(probabilitiesOf(sigmoid, scores, 2)).reduce((sum, p) => sum + p, 0)
        const target = (isYes * (isYes + 1)) / (isYes + 2) + isNo / (isNo + 2)
        assert.ok(Math.abs(smooth - target) < 1e-6 * rows.length, `${smooth} is not ${target}`)
      }),
      { numRuns: 100 },
    )
  })
})

function logLoss(probabilities: Float64Array, truth: Int32Array, count: number): number {
  return truth.reduce((sum, label, row) => sum - Math.log(probabilities[row * count + label]!), 0)
}
