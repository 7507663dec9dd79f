import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { codeOf } from '../core/errors.ts'
import { type Analyzer, analyse } from './analyse.ts'
import {
  CountVectorizer,
  type CountVectorizerOptions,
  compareCodePoints,
  sortByCodePoint,
  TermTable,
} from './index.ts'
import { stopWordList } from './stop-words.ts'

/** Texts that are mean to tokenisers: few characters, so that they meet. */
const meanText = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...'abAB1_ .') },
      fc.constantFrom(
        ...'éÉßẞΣσςİıΑ\u0301\u0000\u0001你好①½\ufeff\u00a0\u2019',
        'abcdefghij',
        'zyx',
      ),
      fc.constantFrom('😀', '👨‍👩‍👧', '𐐀', '𐐨', '𝐀', '𠀀', '\ud800', '\udc00', '\ud83d'),
      fc.string({ unit: 'binary', maxLength: 2 }),
    ),
    { maxLength: 40 },
  )
  .map((pieces) => pieces.join(''))

/** The plain definition, in strings and Maps. */
function naiveCounts(text: string, options: CountVectorizerOptions): Map<string, number> {
  const { analyzer = 'word', lowercase = true, ngramRange = [1, 1], stopWords = null } = options
  const counts = new Map<string, number>()
  const words = stopWordList(stopWords)
  for (const gram of analyse(text, { analyzer, lowercase, ngramRange, stopWords: words })) {
    counts.set(gram, options.binary ? 1 : (counts.get(gram) ?? 0) + 1)
  }
  return counts
}

function assertSameCounts(texts: readonly string[], options: CountVectorizerOptions) {
  const naive = texts.map((text) => naiveCounts(text, options))
  const terms = [...new Set(naive.flatMap((counts) => [...counts.keys()]))].sort(compareCodePoints)
  if (terms.length === 0) return
  const vectorizer = new CountVectorizer(options)
  const matrix = vectorizer.fitTransform(texts)
  assert.deepEqual(vectorizer.featureNames, terms)
  assert.deepEqual(vectorizer.transform(texts), matrix)
  for (const [row, counts] of naive.entries()) {
    const found = new Map<string, number>()
    for (let entry = matrix.indptr[row]!; entry < matrix.indptr[row + 1]!; entry++) {
      found.set(terms[matrix.indices[entry]!]!, matrix.data[entry]!)
    }
    assert.deepEqual(found, new Map([...counts].sort(([a], [b]) => compareCodePoints(a, b))))
  }
}

describe('features: CountVectorizer', () => {
  it('counts what the plain definition counts, whatever the texts', () => {
    const options = fc.record({
      analyzer: fc.constantFrom<Analyzer>('word', 'word', 'char', 'char_wb'),
      lowercase: fc.boolean(),
      binary: fc.boolean(),
      ngramRange: fc.constantFrom<[number, number]>([1, 1], [1, 2], [2, 2], [1, 3], [2, 4]),
      stopWords: fc.constantFrom(null, 'english' as const, [
        'ab',
        'a',
        'x-y',
        '-ab',
        'ΑΣ',
        'ας',
        '',
      ]),
    })
    fc.assert(
      fc.property(fc.array(meanText, { minLength: 1, maxLength: 5 }), options, assertSameCounts),
      { numRuns: 400 },
    )
  })

  it('keeps words apart that have the same ten last characters, or none in common but the key', () => {
    const ends = ['0123456789', 'abcdefghij', 'zzzzzzzzzz']
    const words = ends.flatMap((end) =>
      ['', 'a', 'b', 'ab', 'ba', 'aa'].map((start) => start + end),
    )
    const long = Array.from({ length: 300 }, (_, index) => 'q'.repeat(index + 2))
    assertSameCounts([[...words, ...long, ...words].join(' ')], { ngramRange: [1, 2] })
  })

  it('keeps words of eleven characters apart whose keys are equal', () => {
    // All 63 characters in two places: what the first shifts out of the key meets the other there.
    const characters = '_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
    for (let place = 1; place < 11; place++) {
      const words = [...characters].flatMap((first) =>
        [...characters].map(
          (other) => `${first}${'a'.repeat(place - 1)}${other}${'a'.repeat(10 - place)}`,
        ),
      )
      const vectorizer = new CountVectorizer({ lowercase: false }).fit([words.join(' ')])
      assert.equal(vectorizer.featureNames.length, words.length)
    }
  })

  it('takes a text of 10 MB, also one that is a single word, and gives the memory back', () => {
    const vectorizer = new CountVectorizer().fit(['word other'])
    const matrix = vectorizer.transform(['word '.repeat(2_000_000), 'w'.repeat(10_000_000)])
    assert.deepEqual([...matrix.data], [2_000_000])
    const learnt = new CountVectorizer().fit([`${'é'.repeat(100_000)} ${'w'.repeat(100_000)}`])
    assert.deepEqual(
      learnt.featureNames.map((term) => term.length),
      [100_000, 100_000],
    )
  })

  it('reads 1 as one document for minDf and as all of them for maxDf', () => {
    const texts = ['aa bb', 'aa cc', 'aa dd']
    const terms = (options: CountVectorizerOptions) =>
      new CountVectorizer(options).fit(texts).featureNames
    assert.deepEqual(terms({ minDf: 1, maxDf: 1 }), ['aa', 'bb', 'cc', 'dd'])
    assert.deepEqual(terms({ minDf: { share: 1 } }), ['aa'])
    assert.deepEqual(terms({ maxDf: { count: 1 } }), ['bb', 'cc', 'dd'])
    assert.deepEqual(terms({ maxDf: 2 }), ['bb', 'cc', 'dd'])
    assert.deepEqual(terms({ maxFeatures: 2 }), ['aa', 'bb'], 'of equals the first')
  })

  it("keeps 'english' a name in the options, and leaves those words out", () => {
    const vectorizer = new CountVectorizer({ stopWords: 'english', ngramRange: [1, 2] })
    assert.equal(vectorizer.options.stopWords, 'english')
    assert.deepEqual(vectorizer.fit(['the cat and THE dog']).featureNames, [
      'cat',
      'cat dog',
      'dog',
    ])
  })

  it('says what is wrong with options and with texts', () => {
    const refused: CountVectorizerOptions[] = [
      { ngramRange: [2, 1] },
      { ngramRange: [0, 1] },
      { minDf: -1 },
      { minDf: 1.5 },
      { maxDf: Number.NaN },
      { maxFeatures: 0 },
      { analyzer: 'chars' } as unknown as CountVectorizerOptions,
      { stopWords: 'german' } as unknown as CountVectorizerOptions,
      { stopWords: [1] } as unknown as CountVectorizerOptions,
      { maxFeature: 3 } as CountVectorizerOptions,
    ]
    for (const options of refused) {
      assert.throws(
        () => new CountVectorizer(options),
        (error) => codeOf(error) === 'OPTIONS_INVALID',
        JSON.stringify(options),
      )
    }
    const unlearnable: [CountVectorizerOptions, string[]][] = [
      [{}, []],
      [{}, ['a', '!']],
      [{ stopWords: ['aa'] }, ['aa']],
      [{ minDf: 2 }, ['aa', 'bb']],
      [{ minDf: 3, maxDf: 0.5 }, ['aa', 'aa']],
    ]
    for (const [options, texts] of unlearnable) {
      assert.throws(
        () => new CountVectorizer(options).fit(texts),
        (error) => codeOf(error) === 'TRAINING_INVALID',
        JSON.stringify(options),
      )
    }
    assert.throws(
      () => new CountVectorizer().transform(['aa']),
      (error) => codeOf(error) === 'TRAINING_INVALID',
    )
  })
})

describe('features: TermTable', () => {
  it('gives a term the same number again, and its words back', () => {
    const table = new TermTable({ lowercase: true, ngramRange: [1, 3], stopWords: [] })
    const terms = ['ab', 'cd', 'ab cd', 'ab cd ab', 'ΑΣ', '𐐨𐐨', 'abcdefghijkl']
    const numbers = terms.map((term) => table.add(term))
    assert.equal(new Set(numbers).size, terms.length)
    assert.deepEqual(
      terms.map((term) => table.add(term)),
      numbers,
    )
    assert.deepEqual(
      numbers.map((number) => table.termOf(number)),
      terms,
    )
  })

  it('never finds a term that no text can hold', () => {
    const table = new TermTable({ lowercase: true, ngramRange: [1, 1], stopWords: [] })
    for (const term of ['-ab', 'a', 'AB', 'a-b', '\ud800a']) table.add(term)
    assert.equal(table.read('ab -ab AB a-b a \ud800a aab', false), 0)
  })
})

describe('features: order by code point', () => {
  it('puts what is above U+FFFF behind all else', () => {
    assert.deepEqual(sortByCodePoint(['😀', '\uff01', 'b', 'aa', 'a', '\ud7ff', '']), [
      '',
      'a',
      'aa',
      'b',
      '\ud7ff',
      '\uff01',
      '😀',
    ])
  })

  it('is the order of the code points', () => {
    const unit = fc.oneof(
      fc.constantFrom('a', '\ud83d', '\ud83e', '\ude00', '\udc00', '\ue000', '\uffff', '😀'),
      fc.string({ unit: 'binary', maxLength: 1 }),
    )
    const text = fc.array(unit, { maxLength: 5 }).map((units) => units.join(''))
    fc.assert(
      fc.property(text, text, (a, b) => {
        const [pointsA, pointsB] = [[...a], [...b]].map((all) => all.map((c) => c.codePointAt(0)!))
        let order = pointsA!.length - pointsB!.length
        for (let index = Math.min(pointsA!.length, pointsB!.length) - 1; index >= 0; index--) {
          if (pointsA![index] !== pointsB![index]) order = pointsA![index]! - pointsB![index]!
        }
        assert.equal(Math.sign(compareCodePoints(a, b)), Math.sign(order))
      }),
      { numRuns: 500 },
    )
  })
})
