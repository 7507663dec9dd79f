/** The naive Bayes family against scikit-learn's own answers, and what all of it refuses. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { codeOf } from '../core/errors.ts'
import { CountVectorizer } from '../features/count-vectorizer.ts'
import type { SparseMatrix } from '../features/sparse.ts'
import { TfidfTransformer } from '../features/tfidf-transformer.ts'
import { bernoulliNB } from './bernoulli-nb.ts'
import { complementNB } from './complement-nb.ts'
import { linearScores, predictLabels } from './linear.ts'
import { predictProbabilities } from './link.ts'
import { multinomialNB } from './multinomial-nb.ts'
import type { NaiveBayesOptions } from './naive-bayes.ts'

const makers = { multinomial: multinomialNB, complement: complementNB, bernoulli: bernoulliNB }
const kinds = Object.keys(makers) as (keyof typeof makers)[]

interface Fixture {
  readonly corpora: Record<string, { texts: string[]; labels: string[]; fresh: string[] }>
  readonly cases: {
    readonly corpus: string
    readonly binary: boolean
    readonly tfidf: boolean
    readonly model: keyof typeof makers
    readonly options: NaiveBayesOptions
    readonly classes: string[]
    readonly jointLogLikelihood: number[][]
    readonly probabilities: number[][]
    readonly predictions: string[]
  }[]
}

const file = new URL('./fixtures/naive-bayes.json', import.meta.url)
const fixture = JSON.parse(readFileSync(file, 'utf8')) as Fixture
const fitOptions = { seed: 0 }

function assertClose(actual: Float64Array, expected: readonly number[], tolerance = 1e-9) {
  assert.equal(actual.length, expected.length)
  for (const [index, value] of expected.entries()) {
    const allowed = tolerance * Math.max(1, Math.abs(value))
    assert.ok(Math.abs(actual[index]! - value) <= allowed, `${actual[index]} is not ${value}`)
  }
}

/** Rows of all columns, so that zeros are entries too. */
const dense = (rows: readonly (readonly number[])[]): SparseMatrix => ({
  rows: rows.length,
  columns: rows[0]!.length,
  indptr: Int32Array.from({ length: rows.length + 1 }, (_, row) => row * rows[0]!.length),
  indices: Int32Array.from(rows.flatMap((row) => row.map((_, column) => column))),
  data: Float64Array.from(rows.flat()),
})

const refusedWith = (code: string) => (error: unknown) => codeOf(error) === code

describe('models: naive Bayes parity with scikit-learn', () => {
  for (const expected of fixture.cases) {
    const { texts, labels, fresh } = fixture.corpora[expected.corpus]!
    const { binary, tfidf, options } = expected
    const settings = JSON.stringify({ binary, tfidf, ...options })

    it(`${expected.model} with ${expected.classes.length} labels and ${settings}`, () => {
      const vectorizer = new CountVectorizer({ binary })
      const counts = vectorizer.fitTransform(texts)
      const transformer = tfidf ? new TfidfTransformer().fit(counts) : null
      const freshCounts = vectorizer.transform(fresh)
      const weights = makers[expected.model](options).fitWeights(
        transformer?.transform(counts) ?? counts,
        labels,
        fitOptions,
      )
      const test = transformer?.transform(freshCounts) ?? freshCounts
      assert.deepEqual(weights.labels, expected.classes)
      assertClose(linearScores(weights, test), expected.jointLogLikelihood.flat())
      assertClose(predictProbabilities(weights, test), expected.probabilities.flat())
      assert.deepEqual(predictLabels(weights, test), expected.predictions)
    })
  }
})

describe('models: naive Bayes', () => {
  for (const kind of kinds) {
    const make = makers[kind]

    it(`${kind} refuses wrong options, and names the known ones`, () => {
      const refused: NaiveBayesOptions[] = [
        { alpha: 0 },
        { alpha: Number.NaN },
        { alpha: Number.POSITIVE_INFINITY },
        { alpha: '1' as unknown as number },
        { classPrior: [0.5, 0] },
        { classPrior: [0.5, 1.5] },
        { classPrior: 0.5 as unknown as number[] },
        { fitPrior: 'yes' as unknown as boolean },
      ]
      for (const options of refused) {
        assert.throws(() => make(options), refusedWith('OPTIONS_INVALID'), JSON.stringify(options))
      }
      const list = { alpha: [1, 2] as unknown as number }
      assert.throws(() => make(list), /alpha is a list; one number for all features is supported/)
      const misspelt = { apha: 1 } as NaiveBayesOptions
      assert.throws(
        () => make(misspelt),
        /unknown option 'apha'; known: alpha, fitPrior, classPrior/,
      )
    })

    it(`${kind} refuses a prior for another number of labels`, () => {
      const attempt = () =>
        make({ classPrior: [1] }).fitWeights(dense([[1], [1]]), ['b', 'a'], fitOptions)
      assert.throws(attempt, refusedWith('OPTIONS_INVALID'))
    })

    it(`${kind} refuses rows of which nothing can be learnt`, () => {
      const rows: [SparseMatrix, string[]][] = [
        [dense([[1], [Number.NaN]]), ['a', 'b']],
        [dense([[1], [Number.POSITIVE_INFINITY]]), ['a', 'b']],
        [dense([[1], [1]]), ['a', 'a']],
        [dense([[1], [1]]), ['a']],
      ]
      for (const [matrix, labels] of rows) {
        const attempt = () => make().fitWeights(matrix, labels, fitOptions)
        assert.throws(attempt, refusedWith('TRAINING_INVALID'))
      }
    })

    it(`${kind} gives a tie to the first label`, () => {
      const weights = make().fitWeights(dense([[1], [1]]), ['b', 'a'], fitOptions)
      assert.deepEqual(predictLabels(weights, dense([[3]])), ['a'])
      assert.deepEqual([...predictProbabilities(weights, dense([[3]]))], [0.5, 0.5])
    })

    it(`${kind} takes a column for as many as it stands for`, () => {
      const labels = ['a', 'b', 'b']
      const whole = dense([
        [2, 0, 1, 0, 0, 0],
        [0, 1, 1, 0, 0, 0],
        [0, 3, 0, 0, 0, 0],
      ])
      const folded = dense([
        [2, 0, 1, 0],
        [0, 1, 1, 0],
        [0, 3, 0, 0],
      ])
      const multiplicities = Float64Array.of(1, 1, 1, 3)
      const estimator = make({ alpha: 0.3, ...(kind === 'complement' ? { norm: true } : {}) })
      const plain = linearScores(estimator.fitWeights(whole, labels, fitOptions), whole)
      const weights = estimator.fitWeights(folded, labels, { seed: 0, multiplicities })
      assertClose(linearScores(weights, folded), [...plain], 1e-12)
    })

    it(`${kind} learns finite weights from a tiny alpha`, () => {
      const weights = make({ alpha: 1e-300 }).fitWeights(
        dense([
          [0.1, 0, 0.7],
          [0.2, 0.3, 0],
          [0.3, 0.1, 0],
        ]),
        ['a', 'b', 'b'],
        fitOptions,
      )
      assert.ok([...weights.coefficients, ...weights.intercepts].every(Number.isFinite))
    })
  }

  it('refuses to score other features than were learnt', () => {
    const weights = multinomialNB().fitWeights(dense([[1], [1]]), ['b', 'a'], fitOptions)
    const attempt = () => linearScores(weights, dense([[1, 1]]))
    assert.throws(attempt, refusedWith('TRAINING_INVALID'))
  })
})
