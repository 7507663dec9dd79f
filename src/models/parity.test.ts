/** Naive Bayes and the compiled scorer against scikit-learn's own answers. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import {
  CountVectorizer,
  type CountVectorizerOptions,
  TfidfTransformer,
  type TfidfTransformerOptions,
} from '../features/index.ts'
import { linearScores, predictLabels } from './linear.ts'
import { predictProbabilities } from './link.ts'
import { type MultinomialNBOptions, multinomialNB } from './multinomial-nb.ts'
import { textClassifier } from './text-classifier.ts'

interface Fixture {
  readonly corpora: Record<string, { texts: string[]; labels: string[]; fresh: string[] }>
  readonly cases: {
    readonly corpus: string
    readonly features: CountVectorizerOptions
    readonly tfidf: TfidfTransformerOptions | null
    readonly bayes: MultinomialNBOptions
    readonly classes: string[]
    readonly classLogPrior: number[]
    readonly featureLogProbSums: number[]
    readonly jointLogLikelihood: number[][]
    readonly probabilities: number[][]
    readonly predictions: string[]
  }[]
}

const file = new URL('./fixtures/multinomial-nb.json', import.meta.url)
const fixture = JSON.parse(readFileSync(file, 'utf8')) as Fixture

/** Probabilities to 1e-9; logarithms, which have no scale of their own, to 1e-9 of their size. */
function assertClose(actual: Iterable<number>, expected: readonly number[]) {
  const values = [...actual]
  assert.equal(values.length, expected.length)
  for (const [index, value] of expected.entries()) {
    const tolerance = 1e-9 * Math.max(1, Math.abs(value))
    assert.ok(Math.abs(values[index]! - value) <= tolerance, `${values[index]} is not ${value}`)
  }
}

describe('models: parity with scikit-learn', () => {
  for (const expected of fixture.cases) {
    const { texts, labels, fresh } = fixture.corpora[expected.corpus]!
    const { features, tfidf, bayes } = expected
    const name = JSON.stringify({ ...features, ...tfidf, ...bayes })

    it(`MultinomialNB learns and answers the same with ${name}`, () => {
      const vectorizer = new CountVectorizer(features)
      let train = vectorizer.fitTransform(texts)
      let test = vectorizer.transform(fresh)
      if (tfidf !== null) {
        const transformer = new TfidfTransformer(tfidf).fit(train)
        train = transformer.transform(train)
        test = transformer.transform(test)
      }
      const weights = multinomialNB(bayes).fitWeights(train, labels, { seed: 0 })
      assert.deepEqual(weights.labels, expected.classes)
      assertClose(weights.intercepts, expected.classLogPrior)
      const sums = expected.classes.map((_, label) =>
        weights.coefficients
          .subarray(label * train.columns, (label + 1) * train.columns)
          .reduce((sum, value) => sum + value, 0),
      )
      assertClose(sums, expected.featureLogProbSums)
      assertClose(linearScores(weights, test), expected.jointLogLikelihood.flat())
      assertClose(predictProbabilities(weights, test), expected.probabilities.flat())
      assert.deepEqual(predictLabels(weights, test), expected.predictions)
    })

    it(`the compiled scorer answers the same with ${name}`, () => {
      const estimator = multinomialNB(bayes)
      const classifier = textClassifier({ features, tfidf: tfidf ?? false, estimator }).fit(
        texts,
        labels,
      )
      assert.deepEqual(classifier.labels, expected.classes)
      assertClose(classifier.predictProbabilities(fresh), expected.probabilities.flat())
      assert.deepEqual(
        classifier.predict(fresh).map(({ label }) => label),
        expected.predictions,
      )
    })
  }
})
