import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { ConfusionMatrix, classificationReport } from './index.ts'

interface Fixture {
  readonly cases: {
    readonly labels: string[]
    readonly truth: string[]
    readonly predicted: string[]
    readonly accuracy: number
    readonly matrix: number[][]
    readonly precision: number[]
    readonly recall: number[]
    readonly f1: number[]
    readonly support: number[]
    readonly macroF1: number
  }[]
}

const file = new URL('./fixtures/classification.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as Fixture

function assertClose(actual: number, expected: number) {
  assert.ok(Math.abs(actual - expected) <= 1e-12, `${actual} is not ${expected}`)
}

describe('evaluation: classification', () => {
  for (const expected of cases) {
    it(`says what scikit-learn says of ${expected.labels.join(', ')}`, () => {
      const matrix = new ConfusionMatrix(expected.labels)
      for (const [index, truth] of expected.truth.entries()) {
        matrix.add(truth, expected.predicted[index]!)
      }
      assert.deepEqual(matrix.toArray(), expected.matrix)
      const report = matrix.report()
      assertClose(report.accuracy, expected.accuracy)
      assertClose(report.macroF1, expected.macroF1)
      for (const [index, label] of expected.labels.entries()) {
        const { precision, recall, f1, support } = report.labels[label]!
        assertClose(precision, expected.precision[index]!)
        assertClose(recall, expected.recall[index]!)
        assertClose(f1, expected.f1[index]!)
        assert.equal(support, expected.support[index])
      }
    })
  }

  it('counts false positives among those that are not, and the majority', () => {
    const matrix = new ConfusionMatrix()
    matrix.add('ham', 'ham', 90)
    matrix.add('ham', 'spam', 10)
    matrix.add('spam', 'spam', 40)
    matrix.add('spam', 'ham', 10)
    const report = matrix.report()
    assert.equal(report.labels.spam!.falsePositiveRate, 0.1)
    assert.equal(report.labels.spam!.precision, 0.8)
    assert.equal(report.labels.spam!.recall, 0.8)
    assert.equal(report.majorityShare, 100 / 150)
    assert.equal(report.count, 150)
    assert.equal(matrix.count('spam', 'ham'), 10)
    assert.equal(matrix.count('spam', 'eggs'), 0)
  })

  it('says 0 of nothing', () => {
    const report = new ConfusionMatrix(['ham', 'spam']).report()
    assert.deepEqual(
      [report.count, report.accuracy, report.macroF1, report.majorityShare],
      [0, 0, 0, 0],
    )
    assert.equal(report.labels.spam!.falsePositiveRate, 0)
  })

  it('takes labels in any order, and none that it must know before', () => {
    const report = classificationReport(['b', 'a', 'b'], ['b', 'b', 'c'])
    assertClose(report.accuracy, 1 / 3)
    assert.deepEqual(Object.keys(report.labels), ['b', 'a', 'c'])
  })
})
