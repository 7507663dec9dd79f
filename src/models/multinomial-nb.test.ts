import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { codeOf } from '../core/errors.ts'
import type { SparseMatrix } from '../features/index.ts'
import { MultinomialNB, type MultinomialNBOptions, multinomialNB, textClassifier } from './index.ts'
import { textEstimatorContract } from './model.contract.ts'

textEstimatorContract({
  name: 'multinomial-nb',
  estimator: () => textClassifier({ estimator: multinomialNB({ alpha: 0.5 }) }),
})

const matrix = (columns: number, rows: number[][]): SparseMatrix => ({
  rows: rows.length,
  columns,
  indptr: Int32Array.from({ length: rows.length + 1 }, (_, row) => row * columns),
  indices: Int32Array.from({ length: rows.length * columns }, (_, entry) => entry % columns),
  data: Float64Array.from(rows.flat()),
})

describe('models: MultinomialNB', () => {
  it('gives a tie to the first class', () => {
    const model = new MultinomialNB().fit(matrix(1, [[1], [1]]), ['b', 'a'])
    assert.deepEqual(model.predict(matrix(1, [[3]])), ['a'])
    assert.deepEqual([...model.predictProba(matrix(1, [[3]]))], [0.5, 0.5])
  })

  it('refuses negative and non-finite features', () => {
    for (const value of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(
        () => new MultinomialNB().fit(matrix(1, [[1], [value]]), ['a', 'b']),
        (error) => codeOf(error) === 'TRAINING_INVALID',
        String(value),
      )
    }
  })

  it('refuses other features than it learnt, and to answer before it learnt', () => {
    const model = new MultinomialNB().fit(matrix(1, [[1], [1]]), ['b', 'a'])
    const untrained = new MultinomialNB()
    for (const attempt of [
      () => model.predict(matrix(2, [[1, 1]])),
      () => untrained.predict(matrix(1, [[1]])),
    ]) {
      assert.throws(attempt, (error) => codeOf(error) === 'TRAINING_INVALID')
    }
  })

  it('refuses options that would answer with infinities', () => {
    const refused: MultinomialNBOptions[] = [
      { alpha: 0 },
      { alpha: Number.NaN },
      { classPrior: [0.5, 0] },
      { apha: 1 } as MultinomialNBOptions,
    ]
    for (const options of refused) {
      assert.throws(
        () => new MultinomialNB(options),
        (error) => codeOf(error) === 'OPTIONS_INVALID',
        JSON.stringify(options),
      )
    }
    assert.throws(
      () => new MultinomialNB({ classPrior: [1] }).fit(matrix(1, [[1], [1]]), ['b', 'a']),
      (error) => codeOf(error) === 'OPTIONS_INVALID',
    )
  })
})
