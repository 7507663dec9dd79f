import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { codeOf } from '../core/errors.ts'
import type { SparseMatrix } from '../features/index.ts'
import { predictProbabilities } from './link.ts'
import { type LogisticRegressionOptions, logisticRegression } from './logistic-regression.ts'
import { textEstimatorContract } from './model.contract.ts'
import { textClassifier } from './text-classifier.ts'

textEstimatorContract({
  name: 'logistic-regression',
  estimator: () => textClassifier({ estimator: logisticRegression() }),
})

interface Fixture {
  readonly data: Record<
    string,
    { columns: number; indptr: number[]; indices: number[]; data: number[]; labels: string[] }
  >
  readonly cases: {
    readonly data: string
    readonly options: LogisticRegressionOptions
    readonly coefficients: number[][]
    readonly intercepts: number[]
    readonly probabilities: number[][]
    readonly plainProbabilities: number[][]
  }[]
}

const fixture: Fixture = JSON.parse(
  readFileSync(new URL('./fixtures/logistic-regression.json', import.meta.url), 'utf8'),
)

function rowsOf(name: string): { matrix: SparseMatrix; labels: string[] } {
  const { columns, indptr, indices, data, labels } = fixture.data[name]!
  const matrix = {
    rows: labels.length,
    columns,
    indptr: Int32Array.from(indptr),
    indices: Int32Array.from(indices),
    data: Float64Array.from(data),
  }
  return { matrix, labels }
}

function difference(given: ArrayLike<number>, wanted: readonly number[]): number {
  assert.equal(given.length, wanted.length)
  return Math.max(...wanted.map((value, index) => Math.abs(given[index]! - value)))
}

/** With three labels or more only the differences of intercepts mean something. */
function centred(intercepts: readonly number[]): number[] {
  const mean = intercepts.reduce((sum, value) => sum + value, 0) / intercepts.length
  return intercepts.map((value) => value - mean)
}

const fit = (data: string, options: LogisticRegressionOptions) => {
  const { matrix, labels } = rowsOf(data)
  const weights = logisticRegression(options).fitWeights(matrix, labels, { seed: 0 })
  return { ...weights, probabilities: predictProbabilities(weights, matrix) }
}

describe('models: logisticRegression', () => {
  for (const { data, options, ...expected } of fixture.cases) {
    it(`finds scikit-learn's optimum: ${data} labels, ${JSON.stringify(options)}`, () => {
      const found = fit(data, { ...options, tol: 1e-12, maxIter: 10_000 })
      assert.deepEqual(found.warnings, [])
      assert.equal(found.scoreKind, 'softmax')
      const { coefficients, intercepts } = expected
      const isSingle = coefficients.length === 1
      const wanted = isSingle ? [coefficients[0]!.map(() => 0), coefficients[0]!] : coefficients
      assert.ok(difference(found.coefficients, wanted.flat()) < 1e-7)
      const interceptDifference = isSingle
        ? difference(found.intercepts, [0, intercepts[0]!])
        : difference(centred([...found.intercepts]), centred(intercepts))
      assert.ok(interceptDifference < 1e-9)
      assert.ok(difference(found.probabilities, expected.probabilities.flat()) < 1e-9)
    })

    it(`at its defaults comes as near as scikit-learn: ${data}, ${JSON.stringify(options)}`, () => {
      const { probabilities } = fit(data, { ...options, maxIter: 1000 })
      // The same steps, so nearer than either is to the optimum, unless rounding has grown on the way.
      const near = (options.C ?? 1) >= 100 ? 1e-2 : 1e-4
      assert.ok(difference(probabilities, expected.plainProbabilities.flat()) < near)
    })
  }

  it('centres the intercepts of three labels and more', () => {
    const { intercepts } = fit('three', { C: 10 })
    assert.ok(Math.abs(intercepts.reduce((sum, value) => sum + value, 0)) < 1e-12)
  })

  it('says that it did not converge', () => {
    const { warnings } = fit('three', { maxIter: 2 })
    assert.deepEqual(warnings, [
      'did not converge in 2 iterations; raise maxIter or scale the features',
    ])
    assert.deepEqual(fit('three', {}).warnings, [])
  })

  it('takes weights of zero for some labels, not for all', () => {
    const some = fit('three', { classWeight: { a: 0 } })
    assert.ok(some.coefficients.every(Number.isFinite))
    assert.throws(
      () => fit('two', { classWeight: { a: 0, b: 0 } }),
      (error) => codeOf(error) === 'TRAINING_INVALID' && /no row counts/.test(`${error}`),
    )
  })

  it('refuses options in words', () => {
    const refused: [Record<string, unknown>, RegExp][] = [
      [{ c: 1 }, /unknown option 'c'; known: C, tol, fitIntercept, classWeight, maxIter/],
      [{ penalty: 'l1' }, /always l2/],
      [{ l1Ratio: 0.5 }, /always l2/],
      [{ solver: 'saga' }, /L-BFGS/],
      [{ C: 0 }, /C is 0; give a number above 0/],
      [{ C: '1' }, /C is 1/],
      [{ tol: Number.NaN }, /tol is NaN/],
      [{ fitIntercept: 1 }, /fitIntercept is 1; give true or false/],
      [{ maxIter: 1.5 }, /maxIter is 1.5/],
      [{ classWeight: 'even' }, /classWeight/],
    ]
    for (const [options, words] of refused) {
      assert.throws(
        () => logisticRegression(options as LogisticRegressionOptions),
        (error) => codeOf(error) === 'OPTIONS_INVALID' && words.test(`${error}`),
        JSON.stringify(options),
      )
    }
    assert.throws(
      () => fit('two', { classWeight: { z: 1 } }),
      (error) => codeOf(error) === 'OPTIONS_INVALID',
    )
  })
})
