import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { codeOf } from '../core/errors.ts'
import { CountVectorizer, mapColumns, sliceRows, TfidfTransformer, toDense } from './index.ts'

describe('features: TfidfTransformer', () => {
  it('leaves a row of zeros as it is and others at length one', () => {
    const vectorizer = new CountVectorizer()
    const counts = vectorizer.fitTransform(['aa bb bb', 'aa cc'])
    const transformer = new TfidfTransformer().fit(counts)
    const weighed = transformer.transform(vectorizer.transform(['zz', 'aa bb']))
    const dense = toDense(weighed)
    assert.deepEqual([...dense.subarray(0, 3)], [0, 0, 0])
    assert.ok(Math.abs(Math.hypot(...dense.subarray(3)) - 1) < 1e-12)
  })

  it('says what it cannot do', () => {
    const counts = new CountVectorizer().fitTransform(['aa bb', 'aa'])
    const onlyFirst = sliceRows(counts, 1, 2)
    const attempts: [string, () => unknown][] = [
      ['OPTIONS_INVALID', () => new TfidfTransformer({ norm: 'l3' as 'l2' })],
      ['OPTIONS_INVALID', () => new TfidfTransformer({ useIDF: true } as object)],
      ['TRAINING_INVALID', () => new TfidfTransformer().transform(counts)],
      ['TRAINING_INVALID', () => new TfidfTransformer({ smoothIdf: false }).fit(onlyFirst)],
      [
        'TRAINING_INVALID',
        () =>
          new TfidfTransformer().fit(counts).transform(mapColumns(counts, Int32Array.of(0, -1), 1)),
      ],
    ]
    for (const [code, attempt] of attempts) {
      assert.throws(attempt, (error) => codeOf(error) === code)
    }
  })
})

describe('features: sparse matrices', () => {
  it('drops, moves and sorts columns', () => {
    const counts = new CountVectorizer().fitTransform(['cc aa', 'bb', 'cc bb cc'])
    const moved = mapColumns(counts, Int32Array.of(1, -1, 0), 2)
    assert.deepEqual([...toDense(moved)], [1, 1, 0, 0, 2, 0])
    assert.deepEqual([...moved.indices], [0, 1, 0])
    assert.deepEqual([...toDense(sliceRows(moved, 1, 3))], [0, 0, 2, 0])
  })
})
