/** Analysers and stop words against scikit-learn's own answers (scripts/fixtures/characters.py). */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { type AnalyseOptions, analyse } from './analyse.ts'
import { CountVectorizer } from './count-vectorizer.ts'
import type { CountVectorizerOptions } from './count-vectorizer-options.ts'
import type { SparseMatrix } from './sparse.ts'
import { englishStopWords } from './stop-words.ts'

type Row = [columns: number[], values: number[]]
interface Fixture {
  readonly englishStopWords: string[]
  readonly corpora: Record<'nasty' | 'plain' | 'fresh', string[]>
  readonly analysed: { readonly options: Partial<AnalyseOptions>; readonly terms: string[][] }[]
  readonly cases: {
    readonly corpus: 'nasty' | 'plain'
    readonly options: CountVectorizerOptions
    readonly terms: string[]
    readonly counts: Row[]
    readonly fresh: Row[]
  }[]
}

const file = new URL('./fixtures/characters.json', import.meta.url)
const fixture = JSON.parse(readFileSync(file, 'utf8')) as Fixture
const defaults: AnalyseOptions = {
  analyzer: 'word',
  lowercase: true,
  ngramRange: [1, 1],
  stopWords: null,
}

function rowsOf(matrix: SparseMatrix): Row[] {
  return Array.from({ length: matrix.rows }, (_, row) => {
    const [start, end] = [matrix.indptr[row]!, matrix.indptr[row + 1]!]
    return [[...matrix.indices.subarray(start, end)], [...matrix.data.subarray(start, end)]]
  })
}

describe('features: parity of analysers with scikit-learn', () => {
  for (const { options, terms } of fixture.analysed) {
    it(`analyses the same, in the same order, with ${JSON.stringify(options)}`, () => {
      for (const [index, text] of fixture.corpora.nasty.entries()) {
        const found = analyse(text, { ...defaults, ...options })
        assert.deepEqual(found, terms[index], JSON.stringify(text))
      }
    })
  }

  for (const { corpus, options, terms, counts, fresh } of fixture.cases) {
    it(`counts the same with ${corpus} texts and ${JSON.stringify(options)}`, () => {
      const vectorizer = new CountVectorizer(options)
      assert.deepEqual(rowsOf(vectorizer.fitTransform(fixture.corpora[corpus])), counts)
      assert.deepEqual(vectorizer.featureNames, terms)
      const again = CountVectorizer.fromTerms(options, terms)
      assert.deepEqual(rowsOf(again.transform(fixture.corpora[corpus])), counts)
      assert.deepEqual(rowsOf(again.transform(fixture.corpora.fresh)), fresh)
      assert.deepEqual(again.featureNames, terms)
    })
  }

  it("knows scikit-learn's English stop words", () => {
    assert.equal(englishStopWords.length, 318)
    assert.deepEqual(englishStopWords, fixture.englishStopWords)
  })
})
