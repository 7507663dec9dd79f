import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type AnalyseOptions, type Analyzer, analyse } from './analyse.ts'
import { CharacterTable } from './character-table.ts'
import { CountVectorizer } from './count-vectorizer.ts'
import type { TermReader } from './term-reader.ts'
import { termReader } from './term-table.ts'

/** Texts that are mean to readers of characters: few of them, so that they meet, and odd spaces. */
const meanText = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...'aabAB1.  ') },
      fc.constantFrom(...'\t\n\r\v\f\u001c\u001f\u0085\u00a0\u1680\u2003\u2028\u3000\ufeff\u200b'),
      fc.constantFrom(...'éÉßẞΣσςİıΑ\u0301\u0000\u007f\u0080你①½\ue000\uff01'),
      fc.constantFrom('😀', '👨‍👩‍👧', '𐐀', '𐐨', '\ud800', '\udc00', '\ud83d', '  ', '   '),
      fc.string({ unit: 'binary', maxLength: 2 }),
    ),
    { maxLength: 30 },
  )
  .map((pieces) => pieces.join(''))

const settings: fc.Arbitrary<AnalyseOptions> = fc.record({
  analyzer: fc.constantFrom<Analyzer>('word', 'char', 'char_wb'),
  lowercase: fc.boolean(),
  ngramRange: fc.constantFrom<[number, number]>([1, 1], [1, 2], [2, 5], [3, 3], [4, 6]),
  stopWords: fc.constantFrom(null, ['ab', 'b1']),
})

function read(reader: TermReader, text: string, learn: boolean): string[] {
  const count = reader.read(text, learn)
  return Array.from(reader.terms.subarray(0, count), (term) => reader.termOf(term)).sort()
}

describe('features: TermReader', () => {
  it('finds what the plain definition finds, whatever the texts and the analyser', () => {
    fc.assert(
      fc.property(fc.array(meanText, { maxLength: 4 }), meanText, settings, (texts, fresh, how) => {
        const reader = termReader(how)
        for (const text of texts)
          assert.deepEqual(read(reader, text, true), analyse(text, how).sort())
        const known = new Set(texts.flatMap((text) => analyse(text, how)))
        const expected = analyse(fresh, how).filter((term) => known.has(term))
        assert.deepEqual(read(reader, fresh, false), expected.sort())
        for (const text of texts)
          assert.deepEqual(read(reader, text, false), analyse(text, how).sort())
      }),
      { numRuns: 500 },
    )
  })

  it('finds every term of a text that is longer than what it keeps room for', () => {
    const texts = ['a '.repeat(200), 'ab cde '.repeat(60), ' 😀 İ'.repeat(80)]
    for (const analyzer of ['word', 'char', 'char_wb'] as const) {
      for (const ngramRange of [
        [1, 1],
        [1, 3],
        [2, 3],
      ] as const) {
        const how = { analyzer, lowercase: true, ngramRange, stopWords: null }
        for (const text of texts) {
          assert.deepEqual(read(termReader(how), text, true), analyse(text, how).sort())
        }
      }
    }
  })

  it('finds the same again when it is made from the terms', () => {
    fc.assert(
      fc.property(fc.array(meanText, { minLength: 1, maxLength: 4 }), settings, (texts, how) => {
        if (texts.every((text) => analyse(text, how).length === 0)) return
        const vectorizer = new CountVectorizer(how)
        const counts = vectorizer.fitTransform(texts)
        const again = CountVectorizer.fromTerms(how, vectorizer.featureNames)
        assert.deepEqual(again.featureNames, vectorizer.featureNames)
        assert.deepEqual(again.transform(texts), counts)
      }),
    )
  })
})

describe('features: CharacterTable', () => {
  const options = { analyzer: 'char', lowercase: true, ngramRange: [1, 3] } as const

  it('gives a term the same number again, and its characters back', () => {
    const table = new CharacterTable(options)
    const terms = [
      'a',
      'ab',
      'b',
      'abcdefgh',
      ' ',
      ' a ',
      '😀',
      '😀\ud83d',
      '\udc00x',
      '\u0000',
      'é'.repeat(9),
    ]
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

  it('leaves out what it has not learnt, and numbers nothing then', () => {
    const table = new CharacterTable(options)
    table.read('ab', true)
    const { size } = table
    assert.deepEqual(read(table, 'abc a😀b', false), ['a', 'a', 'ab', 'b', 'b'])
    assert.equal(table.size, size)
  })

  it('finds what was learnt since a word was last read', () => {
    const table = new CharacterTable({ ...options, analyzer: 'char_wb', ngramRange: [2, 2] })
    assert.deepEqual(read(table, 'ab', false), [])
    assert.deepEqual(read(table, 'ab', true), [' a', 'ab', 'b '])
    assert.deepEqual(read(table, 'ac', false), [' a'])
    table.add('ac')
    assert.deepEqual(read(table, 'ac', false), [' a', 'ac'])
    assert.deepEqual(read(table, 'xc', true), [' x', 'c ', 'xc'])
    assert.deepEqual(read(table, 'ac', false), [' a', 'ac', 'c '])
    assert.deepEqual(read(table, 'ac', true), [' a', 'ac', 'c '])
    assert.deepEqual(read(table, 'ab', false), [' a', 'ab', 'b '])
  })

  it('takes a text of 10 MB and gives the memory back', () => {
    const table = new CharacterTable({ ...options, analyzer: 'char_wb', ngramRange: [2, 3] })
    table.read('ab cd', true)
    assert.equal(table.read('x'.repeat(10_000_000), false), 0)
    assert.equal(table.read('ab'.repeat(200_000), false), 200_004)
    assert.equal(table.read('ab', false), 5)
    assert.ok(table.terms.length <= 65_536)
  })
})
