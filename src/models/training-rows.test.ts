import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CountVectorizer } from '../features/count-vectorizer.ts'
import { classWeights, encodeTrainingRows } from './training-rows.ts'

describe('models: rows to learn from', () => {
  it('weigh labels by their own names alone', () => {
    const labels = ['__proto__', 'constructor', 'toString', 'x']
    const matrix = new CountVectorizer().fitTransform(['aa', 'bb', 'cc', 'dd'])
    const rows = encodeTrainingRows('test', matrix, labels)
    assert.deepEqual(rows.classes, labels)
    assert.deepEqual(classWeights('test', rows, { x: 3 }), Float64Array.of(1, 1, 1, 3))
    const named = JSON.parse('{"__proto__": 5, "constructor": 2}') as Record<string, number>
    assert.deepEqual(classWeights('test', rows, named), Float64Array.of(5, 2, 1, 1))
  })
})
