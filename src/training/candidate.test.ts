import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { codeOf } from '../core/errors.ts'
import { type Candidate, candidateText, estimatorOf } from './candidate.ts'
import { featuresOf } from './feature-words.ts'
import { labelledMails } from './training-testing.ts'

const candidate: Candidate = {
  estimator: 'complement-nb',
  options: { alpha: 0.1, norm: true },
  clean: [],
  features: featuresOf('word:1-2'),
  tfidf: { sublinearTf: true },
}

describe('a candidate', () => {
  test('tells what it is in words', () => {
    assert.equal(
      candidateText(candidate),
      'complement-nb(alpha=0.1, norm=true) on word:1-2, tf-idf (sublinear)',
    )
    const other: Candidate = {
      estimator: 'linear-svc',
      options: {},
      clean: ['urls', 'mentions'],
      features: featuresOf('word:1,hashing-char_wb:2-5', { minDf: 2 }),
      tfidf: false,
    }
    assert.equal(
      candidateText(other),
      'linear-svc on word:1-1 (minDf=2) + hashing-char_wb:2-5, counts, cleaned of urls, mentions',
    )
    assert.match(candidateText({ ...other, clean: [], tfidf: true }), /, tf-idf$/)
  })

  test('makes an estimator that learns with these settings', () => {
    const { texts, labels } = labelledMails(40)
    const { model } = estimatorOf(candidate).fit(texts, labels)
    assert.equal(model.estimator.name, 'complement-nb')
    assert.deepEqual(
      [model.estimator.options.alpha, model.estimator.options.norm],
      [candidate.options.alpha, candidate.options.norm],
    )
    assert.equal(model.blocks[0]!.tfidf!.options.sublinearTf, true)
    assert.deepEqual(model.blocks[0]!.options.ngramRange, [1, 2])
    assert.equal(model.minConfidence, null)
    const sure = estimatorOf(candidate, { minConfidence: 0.9, calibrate: 'sigmoid' })
    const answering = sure.fit(texts, labels)
    assert.equal(answering.model.minConfidence, 0.9)
    assert.notDeepEqual(answering.model.link, model.link)
  })

  test('refuses options that its estimator does not have', () => {
    assert.throws(
      () => estimatorOf({ ...candidate, options: { C: 1 } }),
      (error) => codeOf(error) === 'OPTIONS_INVALID',
    )
  })
})
