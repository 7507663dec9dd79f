import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type AutomaticOptions, chooseCandidate } from './automatic.ts'
import { candidateText, featureText } from './candidate.ts'
import { stratifiedFolds } from './data-split.ts'
import { featuresOf } from './feature-words.ts'
import { labelledMails, silent } from './training-testing.ts'

const data = labelledMails(90)
const folds = stratifiedFolds(data.labels, 2, 0)
const options: AutomaticOptions = {
  clean: [],
  shared: {},
  metric: 'macroF1',
  seed: 0,
  progress: silent,
}

describe('the choice of a candidate', () => {
  test('is the one with the highest score, of several estimators and features', () => {
    const { best, tried, why } = chooseCandidate(data, folds, options)
    assert.equal(best, tried[0])
    const scores = tried.map(({ score }) => score)
    assert.deepEqual(
      scores,
      scores.toSorted((a, b) => b - a),
    )
    const estimators = new Set(tried.map(({ candidate }) => candidate.estimator))
    for (const name of ['multinomial-nb', 'complement-nb', 'linear-svc', 'nb-svm'] as const) {
      assert.ok(estimators.has(name), name)
    }
    const features = new Set(tried.map(({ candidate }) => featureText(candidate)))
    assert.ok(features.size >= 5, [...features].join())
    assert.equal(new Set(tried.map(({ candidate }) => candidateText(candidate))).size, tried.length)
    assert.ok(why.startsWith(`${candidateText(best.candidate)}: macroF1 ${best.score.toFixed(4)} `))
    assert.match(
      why,
      new RegExp(`over 2 folds .* the highest of ${tried.length} tried; the best of`),
    )
  })

  test('is the same for the same rows', () => {
    const texts = () =>
      chooseCandidate(data, folds, options).tried.map((one) => candidateText(one.candidate))
    assert.deepEqual(texts(), texts())
  })

  test('stays with features, weighing and cleaning that are given', () => {
    const given = { clean: [], features: featuresOf('word:1-1'), tfidf: true } as const
    const { tried } = chooseCandidate(data, folds, { ...options, features: given })
    assert.deepEqual(
      new Set(tried.map(({ candidate }) => featureText(candidate))),
      new Set(['word:1-1, tf-idf']),
    )
    const counting = { ...options, clean: ['urls'], tfidf: false, shared: { minDf: 2 } } as const
    for (const { candidate } of chooseCandidate(data, folds, counting).tried) {
      assert.match(featureText(candidate), /\(minDf=2\).*, counts, cleaned of urls$/)
    }
  })
})
