import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type AnalyseOptions, analyse } from './analyse.ts'
import { HashedTerms } from './hashed-terms.ts'
import { bucketOf } from './hashing-vectorizer.ts'
import { murmur3 } from './murmur3.ts'
import type { StopWords } from './stop-words.ts'

const stopWords = ['the', 'éa', 'ab', '😀', '\ud800', 'a b']

const analyseOptions = fc.record({
  analyzer: fc.constantFrom('word', 'char', 'char_wb'),
  lowercase: fc.boolean(),
  ngramRange: fc
    .tuple(fc.integer({ min: 1, max: 6 }), fc.nat(3))
    .map(([shortest, more]) => [shortest, shortest + more] as const),
  stopWords: fc.constantFrom<StopWords>(null, 'english', stopWords),
}) satisfies fc.Arbitrary<AnalyseOptions>

/** Letters of every length in UTF-8, spaces of every kind, halves of pairs, and whole words. */
const awkward = fc.constantFrom(
  ...'aB_9ςΣİßéЖ你𝐀𐐀😀\u007f\u0080\u07ff\u0800\uffff \t\n\u0085\u00a0\u2003\u2029\u3000\ufeff\u001c\u0301\u0000.@!',
  ...['\ud800', '\udc00', '  ', 'the', 'ab', 'éa', 'ΟΔΟΣ', 'internationalisation'],
)
const texts = fc.oneof(
  fc.array(awkward, { maxLength: 40 }).map((pieces) => pieces.join('')),
  fc.array(fc.constantFrom('the', 'cat', 'Ab', 'a', '-', ' ', ' '), { maxLength: 40 }).map(join),
  fc.string({ unit: 'binary', maxLength: 40 }),
)

describe('features: hashed terms', () => {
  it('are the hashes of the terms that analyse finds, as often as it finds them', () => {
    fc.assert(
      fc.property(
        analyseOptions,
        fc.constantFrom(2, 16, 37, 2 ** 20, 2 ** 31 - 2),
        fc.boolean(),
        fc.array(texts, { minLength: 1, maxLength: 3 }),
        (options, nFeatures, alternateSign, given) => {
          const reader = new HashedTerms({ ...options, nFeatures, alternateSign })
          for (const text of given) {
            const expected = analyse(text, options).map((term) => {
              const sign = alternateSign && murmur3(term) < 0 ? -1 : 1
              return `${bucketOf(term, { nFeatures })} ${sign}`
            })
            assert.deepEqual(found(reader, text).sort(), expected.sort())
          }
        },
      ),
      { numRuns: 600 },
    )
  })

  it('reads small texts after huge ones', () => {
    for (const analyzer of ['word', 'char', 'char_wb'] as const) {
      const options = { analyzer, lowercase: true, ngramRange: [1, 2], stopWords: null } as const
      const reader = new HashedTerms({ ...options, nFeatures: 64, alternateSign: true })
      const before = found(reader, 'The cat, the dög')
      for (const piece of ['ab cd ', 'é你 Ж9 ']) {
        assert.equal(
          reader.read(piece.repeat(15_000)),
          analyse(piece.repeat(15_000), options).length,
        )
        assert.deepEqual(found(reader, 'The cat, the dög'), before)
      }
      assert.equal(reader.read(''), 0)
    }
  })
})

function join(pieces: readonly string[]): string {
  return pieces.join('')
}

function found(reader: HashedTerms, text: string): string[] {
  const count = reader.read(text)
  return Array.from({ length: count }, (_, at) => `${reader.terms[at]} ${reader.signs[at]}`)
}
