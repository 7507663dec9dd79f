import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { CompiledTextClassifier } from './compiled-scorer.ts'
import { explainedClassifier } from './explained-classifier.ts'
import { textClassifier } from './text-classifier.ts'

const texts = ['win a prize now', 'prize prize win', 'meeting at noon', 'noon meeting notes']
const labels = ['spam', 'spam', 'ham', 'ham'] as const

describe('explained classifier', () => {
  const estimator = textClassifier({ minConfidence: 0.5 })
  const classifier = estimator.fit(texts, labels) as CompiledTextClassifier<'spam' | 'ham'>

  it('answers as the classifier does, with the terms that speak for it, the strongest first', async () => {
    const asked = ['the prize at noon, a prize', 'notes', 'nothing known']
    const answers = await explainedClassifier(classifier, 2).predict(asked)
    const plain = classifier.predict(asked)
    assert.deepEqual(
      answers.map(({ label, score }) => ({ label, score })),
      plain,
    )
    assert.deepEqual(answers[0]!.terms, ['prize'], 'noon speaks against it')
    assert.deepEqual(answers[1]!.terms, ['notes'])
    assert.deepEqual([answers[2]!.label, answers[2]!.terms], ['unknown', []])
  })

  it('adds no more terms than asked for', async () => {
    const [answer] = await explainedClassifier(classifier, 1).predict(['win a prize, win a prize'])
    assert.equal(answer!.terms.length, 1)
  })
})
