import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConfusionMatrix } from '../evaluation/classification.ts'
import { type Candidate, estimatorOf } from './candidate.ts'
import { crossValidate } from './cross-validation.ts'
import { stratifiedFolds } from './data-split.ts'
import { featuresOf } from './feature-words.ts'
import { selectLabelled } from './labelled.ts'
import { labelledMails, silent } from './training-testing.ts'

const data = labelledMails(150)
const folds = stratifiedFolds(data.labels, 3, 0)
const base = { clean: [], features: featuresOf('word:1-2'), tfidf: true } as const
const candidates: readonly Candidate[] = [
  { ...base, estimator: 'multinomial-nb', options: { alpha: 0.1 } },
  { ...base, features: featuresOf('word:1-1'), estimator: 'complement-nb', options: {} },
  { ...base, estimator: 'logistic-regression', options: { C: 10 } },
  { ...base, tfidf: false, estimator: 'multinomial-nb', options: {} },
]

describe('cross-validation', () => {
  for (const metric of ['macroF1', 'accuracy', 'balancedAccuracy'] as const) {
    test(`scores each candidate as learning fold by fold does: ${metric}`, () => {
      const scores = crossValidate(data, folds, candidates, { metric, seed: 0, progress: silent })
      for (const [place, candidate] of candidates.entries()) {
        const all = new ConfusionMatrix()
        const byFold: number[] = []
        for (const fold of folds) {
          const learnt = selectLabelled(data, fold.train)
          const asked = selectLabelled(data, fold.test)
          const model = estimatorOf(candidate).fit(learnt.texts, learnt.labels, { seed: 0 })
          const matrix = new ConfusionMatrix()
          for (const [row, { label }] of model.predict(asked.texts).entries()) {
            matrix.add(asked.labels[row]!, label)
            all.add(asked.labels[row]!, label)
          }
          byFold.push(matrix.report()[metric])
        }
        assert.equal(scores[place]!.candidate, candidate)
        assert.equal(scores[place]!.score, all.report()[metric])
        const mean = byFold.reduce((sum, value) => sum + value, 0) / 3
        const squares = byFold.reduce((sum, value) => sum + (value - mean) ** 2, 0)
        assert.ok(Math.abs(scores[place]!.deviation - Math.sqrt(squares / 2)) < 1e-12)
      }
    })
  }

  test('does not depend on which other candidates are tried', () => {
    const options = { metric: 'accuracy', seed: 0, progress: silent } as const
    const together = crossValidate(data, folds, candidates, options).map(({ score }) => score)
    const alone = candidates.map((one) => crossValidate(data, folds, [one], options)[0]!.score)
    assert.deepEqual(together, alone)
  })

  test('knows nothing of the rows asked about, not even their words', () => {
    // Each text is its own word, so what was not learnt tells nothing: the commonest label it is.
    const labels = data.labels.map((_, row) => (row % 3 === 0 ? 'rare' : 'often'))
    const texts = labels.map((label, row) => `${label}word${row}`)
    const options = { metric: 'accuracy', seed: 0, progress: silent } as const
    const odd = stratifiedFolds(labels, 3, 0)
    const [found] = crossValidate({ texts, labels }, odd, candidates.slice(0, 1), options)
    assert.ok(Math.abs(found!.score - 2 / 3) < 0.02, String(found!.score))
  })

  test('tells how far it is', () => {
    const said: string[] = []
    const progress = (line: string) => void said.push(line)
    crossValidate(data, folds, candidates, { metric: 'accuracy', seed: 0, progress })
    assert.equal(said.length, 9)
    assert.match(said[0]!, /^word:1-2, tf-idf: fold 1 of 3, 2 tried, ahead: \S+ accuracy 0\.\d{4}$/)
  })
})
