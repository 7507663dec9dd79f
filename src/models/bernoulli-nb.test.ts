import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { codeOf } from '../core/errors.ts'
import type { SparseMatrix } from '../features/sparse.ts'
import { type BernoulliNBOptions, bernoulliNB } from './bernoulli-nb.ts'
import { predictLabels } from './linear.ts'
import { textEstimatorContract } from './model.contract.ts'
import { textClassifier } from './text-classifier.ts'

textEstimatorContract({
  name: 'bernoulli-nb',
  estimator: () => textClassifier({ estimator: bernoulliNB({ alpha: 0.5 }) }),
})

const column = (...values: number[]): SparseMatrix => ({
  rows: values.length,
  columns: 1,
  indptr: Int32Array.from({ length: values.length + 1 }, (_, row) => row),
  indices: new Int32Array(values.length),
  data: Float64Array.from(values),
})

describe('models: BernoulliNB', () => {
  it('counts what is not there', () => {
    const rows = column(1, 1, 0, 0)
    const weights = bernoulliNB().fitWeights(rows, ['with', 'with', 'bare', 'bare'], { seed: 0 })
    const empty = { ...column(0), indptr: new Int32Array(2), indices: new Int32Array(0) }
    assert.deepEqual(predictLabels(weights, column(0, 1)), ['bare', 'with'])
    assert.deepEqual(predictLabels(weights, empty), ['bare'])
  })

  it('keeps the threshold for scoring: what is not above it is not there', () => {
    const labels = ['bare', 'bare', 'with', 'with']
    const weights = bernoulliNB({ binarize: 2 }).fitWeights(column(0, 2, 3, 9), labels, { seed: 0 })
    assert.equal(weights.binarize, 2)
    assert.deepEqual(predictLabels(weights, column(2, 2.5)), ['bare', 'with'])
  })

  it('takes features below zero, as not there, unless they should be binary already', () => {
    bernoulliNB().fitWeights(column(-1, 1), ['a', 'b'], { seed: 0 })
    for (const value of [-1, 2, 0.5]) {
      assert.throws(
        () => bernoulliNB({ binarize: null }).fitWeights(column(1, value), ['a', 'b'], { seed: 0 }),
        (error) => codeOf(error) === 'TRAINING_INVALID',
        String(value),
      )
    }
  })

  it('refuses a threshold that is no number from zero', () => {
    for (const binarize of [-1, Number.NaN, Number.POSITIVE_INFINITY, '0' as unknown as number]) {
      const options: BernoulliNBOptions = { binarize }
      assert.throws(
        () => bernoulliNB(options),
        (error) => codeOf(error) === 'OPTIONS_INVALID',
        String(binarize),
      )
    }
  })
})
