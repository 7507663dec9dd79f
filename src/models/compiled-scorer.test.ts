import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  CountVectorizer,
  TfidfTransformer,
  type TfidfTransformerOptions,
} from '../features/index.ts'
import {
  type CompiledTextClassifier,
  MultinomialNB,
  multinomialNB,
  type TextClassifierOptions,
  textClassifier,
} from './index.ts'
import { textEstimatorContract } from './model.contract.ts'

textEstimatorContract({
  name: 'text-classifier',
  estimator: () =>
    textClassifier({ features: { ngramRange: [1, 2] }, tfidf: { sublinearTf: true } }),
})

const meanPiece = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('ab ', 'cd ', 'AB ', 'ef. ', 'x', ' ', 'stop ', '_1') },
  { weight: 3, arbitrary: fc.constantFrom('longerthanakey ', 'shorterthanakey ', 'anakey ') },
  fc.constantFrom(
    'ΟΔΟΣ ',
    'Σσς',
    'İ',
    'é',
    'e\u0301 ',
    '😀',
    '👨‍👩‍👧 ',
    '𐐀𐐨 ',
    '𝐀',
    '你好 ',
    'Привет ',
  ),
  fc.constantFrom('\u0000', '\ud800', '\udc00', '\u200b', '\n', '\ufeff'),
  fc.string({ unit: 'binary', maxLength: 3 }),
)
const meanText = fc.array(meanPiece, { maxLength: 30 }).map((pieces) => pieces.join(''))

const anyOptions = fc.record({
  lowercase: fc.boolean(),
  binary: fc.boolean(),
  ngramRange: fc.constantFrom<[number, number]>([1, 1], [1, 2], [2, 2], [1, 3]),
  stopWords: fc.constantFrom(null, ['stop', 'ab']),
})
const anyTfidf = fc.option(
  fc.record<TfidfTransformerOptions>({
    norm: fc.constantFrom<'l2' | 'l1' | null>('l2', 'l1', null),
    useIdf: fc.boolean(),
    sublinearTf: fc.boolean(),
  }),
)

/** Compares with vectoriser, transformer and naive Bayes, one after the other. */
function assertAsThePartsOneByOne(
  train: readonly string[],
  asked: readonly string[],
  options: TextClassifierOptions,
) {
  const labels = train.map((_, index) => ['x', 'y', 'z'][index % 3]!)
  const compiled = textClassifier(options).fit(train, labels)
  const vectorizer = new CountVectorizer(options.features)
  let rows = vectorizer.fitTransform(train)
  let askedRows = vectorizer.transform(asked)
  if (typeof options.tfidf === 'object') {
    const transformer = new TfidfTransformer(options.tfidf).fit(rows)
    rows = transformer.transform(rows)
    askedRows = transformer.transform(askedRows)
  }
  const model = new MultinomialNB().fit(rows, labels)
  const expectedScores = model.jointLogLikelihood(askedRows)
  const expected = model.predictProba(askedRows)
  const actual = compiled.predictProbabilities(asked)
  const scores = new Float64Array(3)
  for (const [row, text] of asked.entries()) {
    compiled.decideInto(text, scores)
    for (let label = 0; label < 3; label++) {
      const score = expectedScores[row * 3 + label]!
      assertWithin(scores[label]!, score, 1e-12 * Math.max(1, Math.abs(score)))
      assertWithin(actual[row * 3 + label]!, expected[row * 3 + label]!, 1e-12)
    }
  }
}

function assertWithin(actual: number, expected: number, tolerance: number) {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`)
}

describe('models: the compiled scorer', () => {
  it('answers as the parts do one after the other, to 1e-12, whatever the text', () => {
    const train = fc.array(meanText, { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(
        train,
        fc.array(meanText),
        anyOptions,
        anyTfidf,
        (texts, asked, features, tfidf) =>
          assertAsThePartsOneByOne(
            // Something to learn for each label, whatever is drawn.
            ['ab cd ef', 'cd longerthanakey', 'ef gh gh', ...texts],
            [...asked, ...texts, '', 'unknown only'],
            { features: { ...features, stopWords: null }, tfidf: tfidf ?? false },
          ),
      ),
      { numRuns: 300 },
    )
  })

  it('leaves stop words out before it joins words', () => {
    const options = { features: { ngramRange: [1, 2], stopWords: ['stop'] } } as const
    const train = ['ab stop cd', 'cd ab', 'ab ef']
    assertAsThePartsOneByOne(train, ['ab stop cd', 'ab unknown cd', 'stop', 'ab STOP cd'], options)
    const terms = textClassifier(options).fit(train, ['x', 'y', 'y']).model.terms
    assert.deepEqual(terms, ['ab', 'ab cd', 'ab ef', 'cd', 'cd ab', 'ef'])
  })

  it('takes the beginning of an n-gram for no term of its own when it is none', () => {
    assertAsThePartsOneByOne(
      ['ab cd ef', 'ab cd gh', 'ab cd ij', 'ef gh', 'ef gh', 'ij kl'],
      ['ab cd', 'ab', 'ab cd ef gh', 'cd ef'],
      { features: { ngramRange: [1, 3], minDf: 1, maxDf: 2 }, tfidf: {} },
    )
  })

  it('falls back on the prior for a text without a known term', () => {
    const model = textClassifier().fit(['aa bb', 'aa cc', 'dd'], ['x', 'x', 'y'])
    for (const text of ['', 'unknown', '\u0000', '😀']) {
      const [x, y] = model.predictProbabilities([text])
      assertWithin(x!, 2 / 3, 1e-15)
      assertWithin(y!, 1 / 3, 1e-15)
    }
  })

  it('gives a tie to the first label', () => {
    const model = textClassifier().fit(['aa', 'aa'], ['y', 'x'])
    assert.deepEqual(model.predict(['aa', '']), [
      { label: 'x', score: 0.5 },
      { label: 'x', score: 0.5 },
    ])
  })

  it('scores a text of 10 MB', () => {
    const options = { features: { ngramRange: [1, 2] }, tfidf: { sublinearTf: true } } as const
    const huge = `${'win a prize é '.repeat(400_000)}${'meeting notes '.repeat(320_000)}`
    assert.ok(huge.length > 10_000_000)
    assertAsThePartsOneByOne(['win a prize', 'meeting notes', 'prize meeting'], [huge], options)
  })

  it('scores into the array it is handed, as predict does', () => {
    const model: CompiledTextClassifier<'x' | 'y'> = textClassifier({
      estimator: multinomialNB({ alpha: 0.1 }),
    }).fit(['aa bb', 'cc'], ['x', 'y'])
    const probabilities = new Float64Array(2)
    for (const text of ['aa', 'cc', 'aa cc', '']) {
      const best = model.scoreInto(text, probabilities)
      assert.deepEqual([...probabilities], [...model.predictProbabilities([text])])
      assert.deepEqual(model.predict([text]), [
        { label: model.labels[best], score: probabilities[best] },
      ])
    }
  })
})
