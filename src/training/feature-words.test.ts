import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { codeOf, messageOf } from '../core/errors.ts'
import { TextFeatures } from '../features/text-features.ts'
import { featuresOf } from './feature-words.ts'

describe('features as words', () => {
  test('name an analyser and its n-grams', () => {
    assert.deepEqual(featuresOf('word'), [{ analyzer: 'word', ngramRange: [1, 1] }])
    assert.deepEqual(featuresOf('char:3'), [{ analyzer: 'char', ngramRange: [3, 3] }])
    assert.deepEqual(featuresOf(' word:1-2, hashing-char_wb:2-5'), [
      { analyzer: 'word', ngramRange: [1, 2] },
      { vectorizer: 'hashing', alternateSign: false, analyzer: 'char_wb', ngramRange: [2, 5] },
    ])
  })

  test('share options, each where it means something', () => {
    const shared = { minDf: 2, maxFeatures: 9, stopWords: 'english', binary: true } as const
    assert.deepEqual(featuresOf('word:1,char_wb:2,hashing-word:1', shared), [
      {
        ...{ analyzer: 'word', ngramRange: [1, 1], binary: true },
        ...{ stopWords: 'english', minDf: 2, maxFeatures: 9 },
      },
      { analyzer: 'char_wb', ngramRange: [2, 2], binary: true, minDf: 2, maxFeatures: 9 },
      {
        ...{ vectorizer: 'hashing', alternateSign: false, analyzer: 'word', ngramRange: [1, 1] },
        ...{ binary: true, stopWords: 'english' },
      },
    ])
    assert.deepEqual(featuresOf('word', { minDf: undefined }), featuresOf('word'))
  })

  test('are what the vectorisers take', () => {
    const names = (words: string) => new TextFeatures({ features: featuresOf(words) }).names
    assert.deepEqual(names('word:1-2,hashing-char:3'), ['word:1-2', 'hashing-char:3-3'])
    assert.throws(
      () => names('word:3-2'),
      (error) => codeOf(error) === 'OPTIONS_INVALID',
    )
  })

  test('are refused with what is known', () => {
    const wrong: readonly (readonly [string, RegExp])[] = [
      ['wrod:1-2', /did you mean 'word'/],
      ['word:1-x', /known: word, hashing-word/],
      ['word:', /known/],
      ['', /known/],
      ['word,,char', /known/],
    ]
    for (const [words, expected] of wrong) {
      assert.throws(
        () => featuresOf(words),
        (error) => codeOf(error) === 'OPTIONS_INVALID' && expected.test(messageOf(error)),
        words,
      )
    }
  })
})
