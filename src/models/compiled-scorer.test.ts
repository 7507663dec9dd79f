import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { codeOf, messageOf } from '../core/errors.ts'
import { seededRandom } from '../core/random.ts'
import { TextFeatures, type TextFeaturesOptions } from '../features/text-features.ts'
import { explain } from './explain.ts'
import { type LinearEstimator, linearScores, type ScoreKind } from './linear.ts'
import { predictProbabilities } from './link.ts'
import { textEstimatorContract } from './model.contract.ts'
import { multinomialNB } from './multinomial-nb.ts'
import { type TextClassifierOptions, textClassifier } from './text-classifier.ts'

textEstimatorContract({
  name: 'text-classifier',
  estimator: () =>
    textClassifier({ features: { ngramRange: [1, 2] }, tfidf: { sublinearTf: true } }),
})
textEstimatorContract({
  name: 'text-classifier with a union and cleaning',
  estimator: () =>
    textClassifier({
      clean: ['urls', 'emoji'],
      features: [{ ngramRange: [1, 2] }, { analyzer: 'char_wb', ngramRange: [2, 4] }],
      tfidf: true,
    }),
})
textEstimatorContract({
  name: 'text-classifier with hashing',
  estimator: () =>
    textClassifier({
      features: { vectorizer: 'hashing', nFeatures: 2 ** 12, alternateSign: false },
    }),
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

const anyCounts = fc.record({
  analyzer: fc.constantFrom('word' as const, 'char' as const, 'char_wb' as const),
  lowercase: fc.boolean(),
  binary: fc.boolean(),
  ngramRange: fc.constantFrom<[number, number]>([1, 1], [1, 2], [2, 2], [1, 3]),
})
const anyHashing = anyCounts.map((options) => ({
  ...options,
  vectorizer: 'hashing' as const,
  nFeatures: 64,
}))
const anyTfidf = fc.oneof(
  fc.constant(false),
  fc.record({ norm: fc.constantFrom('l2' as const, 'l1' as const, null), useIdf: fc.boolean() }),
)
const anyFeatures: fc.Arbitrary<TextFeaturesOptions> = fc.record({
  clean: fc.constantFrom([], ['urls' as const, 'emoji' as const]),
  features: fc.array(fc.oneof({ weight: 3, arbitrary: anyCounts }, anyHashing), {
    minLength: 1,
    maxLength: 3,
  }),
  tfidf: anyTfidf,
})

/** Learns nothing, but has weights for every column: where the scorer errs, answers differ. */
function drawn(scoreKind: ScoreKind, binarize: number | null): LinearEstimator {
  return {
    name: 'drawn',
    options: {},
    fitWeights(matrix, given, { seed }) {
      const random = seededRandom(seed)
      const labels = [...new Set(given)].sort()
      const coefficients = new Float64Array(labels.length * matrix.columns)
      return {
        labels,
        coefficients: coefficients.map(() => random() - 0.5),
        intercepts: Float64Array.from(labels, () => random() - 0.5),
        scoreKind,
        binarize,
      }
    },
  }
}

/** Compares with features and weights, one after the other. */
function assertAsThePartsOneByOne(
  train: readonly string[],
  asked: readonly string[],
  options: TextClassifierOptions,
) {
  const { estimator = multinomialNB(), ...featureOptions } = options
  const labels = train.map((_, index) => ['x', 'y', 'z'][index % 3]!)
  const compiled = textClassifier({ calibrate: null, ...options }).fit(train, labels)
  const features = new TextFeatures(featureOptions)
  const rows = features.fitTransform(train)
  const { multiplicities } = features
  const weights = estimator.fitWeights(rows, labels, { seed: 0, multiplicities })
  const askedRows = features.transform(asked)
  const expectedScores = linearScores(weights, askedRows)
  const expected = predictProbabilities(weights, askedRows)
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
    const estimator = fc
      .tuple(
        fc.constantFrom<ScoreKind>('softmax', 'one-vs-rest', 'margin'),
        fc.constantFrom(null, 0, 0.2),
      )
      .map(([kind, binarize]) => drawn(kind, binarize))
    fc.assert(
      fc.property(
        train,
        fc.array(meanText),
        anyFeatures,
        estimator,
        (texts, asked, features, drawnEstimator) =>
          assertAsThePartsOneByOne(
            // Something to learn for each label, whatever is drawn.
            ['ab cd ef', 'cd longerthanakey http://x.yz', 'ef gh gh 😀', ...texts],
            [...asked, ...texts, '', 'unknown only'],
            { ...features, estimator: drawnEstimator },
          ),
      ),
      { numRuns: 400 },
    )
  })

  it('leaves stop words out before it joins words', () => {
    const options = { features: { ngramRange: [1, 2], stopWords: ['stop'] } } as const
    const train = ['ab stop cd', 'cd ab', 'ab ef']
    assertAsThePartsOneByOne(train, ['ab stop cd', 'ab unknown cd', 'stop', 'ab STOP cd'], options)
    const [block] = textClassifier(options).fit(train, ['x', 'y', 'y']).model.blocks
    assert.deepEqual(block?.vectorizer === 'count' && block.terms, [
      'ab',
      'ab cd',
      'ab ef',
      'cd',
      'cd ab',
      'ef',
    ])
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

  it('answers by the scores where the probabilities of several labels round to the same', () => {
    const coefficients = Float64Array.of(1, 0, 0, 0, 1, 2, 0, 0, 1)
    const estimator: LinearEstimator = {
      name: 'fixed',
      options: {},
      fitWeights: (_, labels) => ({
        labels: [...new Set(labels)].sort(),
        coefficients,
        intercepts: new Float64Array(3),
        scoreKind: 'one-vs-rest',
        binarize: null,
      }),
    }
    const model = textClassifier({ estimator }).fit(['aa', 'bb', 'cc'], ['x', 'y', 'z'])
    const text = 'aa bb cc '.repeat(100)
    assert.deepEqual(model.predictProbabilities([text]), new Float64Array(3).fill(1 / 3))
    assert.deepEqual(model.predict([text]), [{ label: 'y', score: 1 / 3 }])
    assert.equal(explain(model, text).label, 'y')
  })

  it('refuses hashing that it could not score', () => {
    const hashing = (nFeatures: number) => ({ vectorizer: 'hashing', nFeatures }) as const
    const wrong: [TextClassifierOptions, RegExp][] = [
      [{ features: hashing(2 ** 30) }, /nFeatures is 1073741824/],
      [{ features: hashing(64), tfidf: { sublinearTf: true } }, /set alternateSign to false/],
    ]
    for (const [options, words] of wrong) {
      assert.throws(
        () => textClassifier(options),
        (error) => codeOf(error) === 'OPTIONS_INVALID' && words.test(messageOf(error)),
      )
    }
  })

  it('scores a text of 10 MB', () => {
    const options = { features: { ngramRange: [1, 2] }, tfidf: { sublinearTf: true } } as const
    const huge = `${'win a prize é '.repeat(400_000)}${'meeting notes '.repeat(320_000)}`
    assert.ok(huge.length > 10_000_000)
    assertAsThePartsOneByOne(['win a prize', 'meeting notes', 'prize meeting'], [huge], options)
  })

  it("answers 'unknown' where it is asked to, and says how likely the likeliest label was", () => {
    const fit = (minConfidence: number | null) =>
      textClassifier({ minConfidence }).fit(['aa bb', 'aa cc', 'dd'], ['x', 'x', 'y'])
    const labels = (minConfidence: number | null) =>
      fit(minConfidence)
        .predict(['aa bb cc', 'aa dd', 'none known', ''])
        .map(({ label }) => label as string)
    assert.deepEqual(labels(null), ['x', 'x', 'x', 'x'])
    assert.deepEqual(labels(0), ['x', 'x', 'unknown', 'unknown'])
    assert.deepEqual(labels(0.8), ['x', 'unknown', 'unknown', 'unknown'])
    assert.equal(fit(0).answersUnknown, true)
    assert.equal(fit(null).answersUnknown, false)
    assertWithin(fit(0).predict([''])[0]!.score, 2 / 3, 1e-15)
  })

  it('knows a hashed text by the buckets that the training met', () => {
    const model = textClassifier({
      features: { vectorizer: 'hashing', alternateSign: false },
      minConfidence: 0,
    }).fit(['aa bb', 'cc dd'], ['x', 'y'])
    const answers = model.predict(['aa', 'never seen'])
    assert.deepEqual(
      answers.map(({ label }) => label as string),
      ['x', 'unknown'],
    )
  })

  it('answers as if labels were as common as it is told', () => {
    const model = textClassifier().fit(['aa bb', 'aa cc', 'dd aa'], ['x', 'x', 'y'])
    const [before] = model.predictProbabilities(['aa'])
    const corrected = model.withPriors(Float64Array.of(0.1, 0.9))
    const [after] = corrected.predictProbabilities(['aa'])
    // Odds times the ratio of the odds of the labels: 1/9 instead of 2.
    assertWithin(after! / (1 - after!), ((before! / (1 - before!)) * (1 / 9)) / 2, 1e-12)
    assert.deepEqual(
      corrected.withPriors(null).predictProbabilities(['aa']),
      model.predictProbabilities(['aa']),
    )
    assert.throws(() => model.withPriors(Float64Array.of(0.5, 0.6)))
  })
})
