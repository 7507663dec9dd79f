import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { codeOf } from '../core/errors.ts'
import type { SparseMatrix } from '../features/sparse.ts'
import { type ComplementNBOptions, complementNB } from './complement-nb.ts'
import { textEstimatorContract } from './model.contract.ts'
import { textClassifier } from './text-classifier.ts'

textEstimatorContract({
  name: 'complement-nb',
  estimator: () => textClassifier({ estimator: complementNB({ alpha: 0.5 }) }),
})

const column = (...values: number[]): SparseMatrix => ({
  rows: values.length,
  columns: 1,
  indptr: Int32Array.from({ length: values.length + 1 }, (_, row) => row),
  indices: new Int32Array(values.length),
  data: Float64Array.from(values),
})

describe('models: ComplementNB', () => {
  it('refuses features below zero', () => {
    assert.throws(
      () => complementNB().fitWeights(column(1, -1), ['a', 'b'], { seed: 0 }),
      (error) => codeOf(error) === 'TRAINING_INVALID',
    )
  })

  it('refuses a norm that is not true or false, and knows it by name', () => {
    assert.throws(
      () => complementNB({ norm: 1 } as unknown as ComplementNBOptions),
      (error) => codeOf(error) === 'OPTIONS_INVALID',
    )
    assert.throws(() => complementNB({ normal: true } as ComplementNBOptions), /known: .*, norm/)
  })

  it('learns zeros, not NaN, where one feature alone is normed', () => {
    const estimator = complementNB({ norm: true })
    const weights = estimator.fitWeights(column(1, 2), ['a', 'b'], { seed: 0 })
    assert.deepEqual([...weights.coefficients].map(Math.abs), [0, 0])
  })
})
