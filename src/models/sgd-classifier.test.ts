import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { codeOf } from '../core/errors.ts'
import type { SparseMatrix } from '../features/index.ts'
import { predictLabels } from './linear.ts'
import { textEstimatorContract } from './model.contract.ts'
import { type SGDClassifierOptions, sgdClassifier } from './sgd-classifier.ts'
import { sgdLosses, sgdLossNames } from './sgd-losses.ts'
import { textClassifier } from './text-classifier.ts'

textEstimatorContract({
  name: 'sgd-classifier',
  estimator: () => textClassifier({ estimator: sgdClassifier() }),
})

textEstimatorContract({
  name: 'sgd-classifier with log_loss',
  estimator: () => textClassifier({ estimator: sgdClassifier({ loss: 'log_loss' }) }),
})

interface Fixture {
  readonly data: Record<
    string,
    { columns: number; indptr: number[]; indices: number[]; data: number[]; labels: string[] }
  >
  readonly cases: {
    readonly data: string
    readonly options: SGDClassifierOptions
    readonly coefficients: number[][]
    readonly intercepts: number[]
    readonly iterations: number
  }[]
}

const fixture: Fixture = JSON.parse(
  readFileSync(new URL('./fixtures/sgd-classifier.json', import.meta.url), 'utf8'),
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

/** The largest difference, as a share of the wanted number where that is above 1. */
function difference(given: ArrayLike<number>, wanted: readonly number[]): number {
  assert.equal(given.length, wanted.length)
  return Math.max(
    ...wanted.map((value, index) => Math.abs(given[index]! - value) / Math.max(1, Math.abs(value))),
  )
}

describe('models: sgdClassifier', () => {
  for (const { data, options, coefficients, intercepts, iterations } of fixture.cases) {
    it(`learns scikit-learn's weights: ${data} labels, ${JSON.stringify(options)}`, () => {
      const { matrix, labels } = rowsOf(data)
      const weights = sgdClassifier({ ...options, shuffle: false }).fitWeights(matrix, labels, {
        seed: 0,
      })
      const isSingle = coefficients.length === 1
      const expected = isSingle ? [coefficients[0]!.map(() => 0), coefficients[0]!] : coefficients
      assert.ok(difference(weights.coefficients, expected.flat()) < 1e-9)
      assert.ok(difference(weights.intercepts, isSingle ? [0, intercepts[0]!] : intercepts) < 1e-9)
      const ranOut = options.tol !== null && iterations === (options.maxIter ?? 1000)
      assert.equal(weights.warnings?.length, ranOut ? 1 : 0)
      assert.equal(weights.scoreKind, options.loss === 'log_loss' ? 'one-vs-rest' : 'margin')
    })
  }

  it('shuffles by the seed alone', () => {
    const { matrix, labels } = rowsOf('three')
    const fit = (seed: number) => sgdClassifier().fitWeights(matrix, labels, { seed }).coefficients
    assert.deepEqual(fit(3), fit(3))
    assert.notDeepEqual(fit(3), fit(4))
  })

  it('learns in shuffled order too, whatever the loss and the penalty', () => {
    const { matrix, labels } = rowsOf('two')
    for (const loss of sgdLossNames) {
      for (const penalty of ['l2', 'l1', 'elasticnet', null] as const) {
        const estimator = sgdClassifier({ loss, penalty, alpha: 0.01 })
        const answers = predictLabels(estimator.fitWeights(matrix, labels, { seed: 5 }), matrix)
        const right = answers.filter((label, row) => label === labels[row]).length
        assert.ok(right / labels.length > 0.75, `${loss}, ${penalty}: ${right} of ${labels.length}`)
      }
    }
  })

  it('has a slope however sure it is, as long as there is a number so small', () => {
    // What scikit-learn 1.9.1 says; the stopping rule sees whether a row takes a step.
    const { slope } = sgdLosses.log_loss
    assert.equal(slope(720, 1), -Math.exp(-720))
    assert.equal(slope(-720, -1), Math.exp(-720))
    assert.equal(slope(-720, 1), -1)
    assert.equal(slope(720, -1), 1)
    assert.deepEqual(
      [slope(800, 1), slope(-800, -1), slope(0, 1), slope(0, -1)],
      [-0, 0, -0.5, 0.5],
    )
  })

  it('sets weights to zero by the l1 penalty', () => {
    const { matrix, labels } = rowsOf('two')
    const zeros = (alpha: number) =>
      sgdClassifier({ penalty: 'l1', alpha })
        .fitWeights(matrix, labels, { seed: 0 })
        .coefficients.filter((weight) => weight === 0).length
    assert.equal(zeros(1e-6), matrix.columns)
    assert.ok(zeros(0.05) > matrix.columns)
  })

  it('says that weights left the finite numbers', () => {
    const { matrix, labels } = rowsOf('two')
    const huge = { ...matrix, data: matrix.data.map((value) => value * 1e160) }
    const estimator = sgdClassifier({ loss: 'squared_hinge', penalty: null })
    assert.throws(
      () => estimator.fitWeights(huge, labels, { seed: 0 }),
      (error) =>
        codeOf(error) === 'TRAINING_INVALID' && /finite numbers in epoch 1/.test(`${error}`),
    )
  })

  it('refuses options in words', () => {
    const refused: [Record<string, unknown>, RegExp][] = [
      [{ apha: 1 }, /unknown option 'apha'; known: loss, penalty, alpha, /],
      [{ earlyStopping: true }, /earlyStopping.*training rows/],
      [{ randomState: 1 }, /seed/],
      [{ loss: 'huber' }, /loss is "huber"; give one of 'hinge', /],
      [{ penalty: 'none' }, /'elasticnet', null/],
      [{ alpha: -1 }, /alpha is -1/],
      [{ alpha: 0 }, /optimal/],
      [{ l1Ratio: 1.5 }, /l1Ratio is 1.5/],
      [{ learningRate: 'fast' }, /learningRate/],
      [{ learningRate: 'pa1', loss: 'log_loss' }, /'hinge' only/],
      [{ eta0: 0 }, /eta0 is 0/],
      [{ powerT: -1 }, /powerT/],
      [{ maxIter: 0 }, /maxIter is 0/],
      [{ tol: Number.NaN }, /tol is NaN/],
      [{ nIterNoChange: 0.5 }, /nIterNoChange/],
      [{ shuffle: 'no' }, /shuffle is no; give true or false/],
      [{ average: -1 }, /average is -1/],
      [{ classWeight: { a: -1 } }, /classWeight/],
    ]
    for (const [options, words] of refused) {
      assert.throws(
        () => sgdClassifier(options as SGDClassifierOptions),
        (error) => codeOf(error) === 'OPTIONS_INVALID' && words.test(`${error}`),
        JSON.stringify(options),
      )
    }
    assert.doesNotThrow(() => sgdClassifier({ alpha: 0, learningRate: 'constant', tol: 0 }))
  })
})
