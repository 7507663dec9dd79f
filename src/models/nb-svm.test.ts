import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { codeOf } from '../core/errors.ts'
import { CountVectorizer, type SparseMatrix, TfidfTransformer } from '../features/index.ts'
import { linearScores } from './linear.ts'
import { textEstimatorContract } from './model.contract.ts'
import { type NbSvmOptions, nbSvm } from './nb-svm.ts'
import { textClassifier } from './text-classifier.ts'

textEstimatorContract({
  name: 'nb-svm',
  estimator: () => textClassifier({ estimator: nbSvm() }),
})

interface Fixture {
  readonly corpora: Record<string, { texts: string[]; labels: string[] }>
  readonly nbSvm: {
    readonly corpus: string
    readonly options: NbSvmOptions
    readonly coefficientSums: number[]
    readonly intercepts: number[]
    readonly scores: number[][]
  }[]
}

const file = new URL('./fixtures/linear-svc.json', import.meta.url)
const fixture = JSON.parse(readFileSync(file, 'utf8')) as Fixture
const tight = { tol: 1e-12, maxIter: 1_000_000 }

function assertClose(actual: Iterable<number>, expected: readonly number[]): void {
  const values = [...actual]
  assert.equal(values.length, expected.length)
  for (const [index, value] of expected.entries()) {
    const tolerance = 1e-9 * Math.max(1, Math.abs(value))
    assert.ok(Math.abs(values[index]! - value) <= tolerance, `${values[index]} is not ${value}`)
  }
}

const matrixOf = (columns: number, rows: number[][]): SparseMatrix => ({
  rows: rows.length,
  columns,
  indptr: Int32Array.from({ length: rows.length + 1 }, (_, row) => row * columns),
  indices: Int32Array.from({ length: rows.length * columns }, (_, entry) => entry % columns),
  data: Float64Array.from(rows.flat()),
})

describe('models: NB-SVM', () => {
  for (const { corpus, options, ...expected } of fixture.nbSvm) {
    it(`follows the recipe of the paper: ${corpus}, ${JSON.stringify(options)}`, () => {
      const { texts, labels } = fixture.corpora[corpus]!
      const counts = new CountVectorizer({ ngramRange: [1, 2] }).fitTransform(texts)
      const isBinarized = options.binarize ?? true
      const matrix = isBinarized ? counts : new TfidfTransformer().fit(counts).transform(counts)
      const weights = nbSvm({ ...options, ...tight }).fitWeights(matrix, labels, { seed: 1 })
      assert.equal(weights.binarize, isBinarized ? 0 : null)
      assert.deepEqual(weights.warnings, [])
      const noRow = weights.labels.length === 2 ? [0] : []
      const sums = weights.labels.map((_, label) =>
        weights.coefficients
          .subarray(label * matrix.columns, (label + 1) * matrix.columns)
          .reduce((sum, weight) => sum + weight, 0),
      )
      assertClose(sums, [...noRow, ...expected.coefficientSums])
      assertClose(weights.intercepts, [...noRow, ...expected.intercepts])
      assertClose(
        linearScores(weights, matrix),
        expected.scores.flatMap((row) => [...noRow, ...row]),
      )
    })
  }

  it('looks at presence alone, unless it is told not to', () => {
    const labels = ['a', 'b', 'a', 'b']
    const once = matrixOf(2, [
      [1, 0],
      [0, 1],
      [1, 1],
      [0, 1],
    ])
    const often = matrixOf(2, [
      [7, 0],
      [0, 0.5],
      [2, 3],
      [-1, 4],
    ])
    const fit = (matrix: SparseMatrix, options: NbSvmOptions = {}) =>
      nbSvm(options).fitWeights(matrix, labels, { seed: 1 }).coefficients
    assert.deepEqual(fit(often), fit(once))
    const positive = { ...often, data: often.data.map(Math.abs) }
    assert.notDeepEqual(fit(positive, { binarize: false }), fit(once, { binarize: false }))
    assert.throws(
      () => fit(often, { binarize: false }),
      (error) => codeOf(error) === 'TRAINING_INVALID',
    )
  })

  it('takes a column that stands for many as those would be', () => {
    const labels = ['a', 'b', 'c', 'a', 'b']
    const rows = [
      [1, 0],
      [0, 1],
      [1, 1],
      [1, 0],
      [0, 1],
    ]
    const many = matrixOf(
      5,
      rows.map((row) => [...row, 0, 0, 0]),
    )
    const few = matrixOf(
      3,
      rows.map((row) => [...row, 0]),
    )
    const estimator = nbSvm(tight)
    const expected = estimator.fitWeights(many, labels, { seed: 1 })
    const multiplicities = Float64Array.of(1, 1, 3)
    const found = estimator.fitWeights(few, labels, { seed: 1, multiplicities })
    const kept = [...expected.coefficients].filter((_, cell) => cell % 5 < 3)
    assertClose(found.coefficients, kept)
    assertClose(found.intercepts, [...expected.intercepts])
  })

  it('says in its warnings what did not converge', () => {
    const { texts, labels } = fixture.corpora['text two']!
    const counts = new CountVectorizer().fitTransform(texts)
    const { warnings } = nbSvm({ maxIter: 1 }).fitWeights(counts, labels, { seed: 1 })
    assert.deepEqual(warnings, [
      "nb-svm: did not converge in 1 iterations (1 of 1: 'spam'); raise maxIter or lower C",
    ])
  })

  it('refuses what it does not know, and says what it knows', () => {
    for (const options of [{ gamma: 1 }, { alpha: 0 }, { beta: 1.1 }, { binarize: 1 }, { C: -1 }]) {
      assert.throws(
        () => nbSvm(options as NbSvmOptions),
        (error) => codeOf(error) === 'OPTIONS_INVALID',
        JSON.stringify(options),
      )
    }
  })
})
