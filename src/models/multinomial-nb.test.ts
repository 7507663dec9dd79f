import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { codeOf } from '../core/errors.ts'
import type { SparseMatrix } from '../features/sparse.ts'
import { textEstimatorContract } from './model.contract.ts'
import { multinomialNB } from './multinomial-nb.ts'
import { textClassifier } from './text-classifier.ts'

textEstimatorContract({
  name: 'multinomial-nb',
  estimator: () => textClassifier({ estimator: multinomialNB({ alpha: 0.5 }) }),
})

const column = (...values: number[]): SparseMatrix => ({
  rows: values.length,
  columns: 1,
  indptr: Int32Array.from({ length: values.length + 1 }, (_, row) => row),
  indices: new Int32Array(values.length),
  data: Float64Array.from(values),
})

describe('models: MultinomialNB', () => {
  it('refuses features below zero', () => {
    assert.throws(
      () => multinomialNB().fitWeights(column(1, -1), ['a', 'b'], { seed: 0 }),
      (error) => codeOf(error) === 'TRAINING_INVALID',
    )
  })

  it('names its options as they are, defaults filled in', () => {
    const { options } = multinomialNB({ classPrior: [0.25, 0.75] })
    assert.deepEqual(options, { alpha: 1, fitPrior: true, classPrior: [0.25, 0.75] })
  })
})
