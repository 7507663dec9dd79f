/** The text features against scikit-learn's own answers (scripts/fixtures/text-parity.py). */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import {
  CountVectorizer,
  type CountVectorizerOptions,
  type SparseMatrix,
  TfidfTransformer,
  type TfidfTransformerOptions,
  tokenise,
} from './index.ts'

type Row = [columns: number[], values: number[]]
interface Fixture {
  readonly tokens: [text: string, lowercased: string[], plain: string[]][]
  readonly corpora: Record<'nasty' | 'plain' | 'fresh', string[]>
  readonly cases: {
    readonly corpus: 'nasty' | 'plain'
    readonly options: CountVectorizerOptions
    readonly terms: string[]
    readonly counts: Row[]
    readonly fresh: Row[]
    readonly tfidf?: { options: TfidfTransformerOptions; idf: number[] | null; fresh: Row[] }[]
  }[]
}

const file = new URL('./fixtures/text-parity.json', import.meta.url)
const fixture = JSON.parse(readFileSync(file, 'utf8')) as Fixture

function rowsOf(matrix: SparseMatrix): Row[] {
  return Array.from({ length: matrix.rows }, (_, row) => {
    const [start, end] = [matrix.indptr[row]!, matrix.indptr[row + 1]!]
    return [[...matrix.indices.subarray(start, end)], [...matrix.data.subarray(start, end)]]
  })
}

function assertClose(actual: readonly number[], expected: readonly number[]) {
  assert.equal(actual.length, expected.length)
  for (const [index, value] of expected.entries()) {
    assert.ok(
      Math.abs(actual[index]! - value) <= 1e-9 * Math.max(1, Math.abs(value)),
      `${actual[index]} is not ${value}`,
    )
  }
}

describe('features: parity with scikit-learn', () => {
  it('finds the same tokens in every kind of Unicode', () => {
    for (const [text, lowercased, plain] of fixture.tokens) {
      assert.deepEqual(tokenise(text), lowercased, JSON.stringify(text))
      assert.deepEqual(tokenise(text, { lowercase: false }), plain, JSON.stringify(text))
    }
  })

  for (const { corpus, options, terms, counts, fresh, tfidf } of fixture.cases) {
    it(`counts the same with ${corpus} texts and ${JSON.stringify(options)}`, () => {
      const vectorizer = new CountVectorizer(options)
      assert.deepEqual(rowsOf(vectorizer.fitTransform(fixture.corpora[corpus])), counts)
      assert.deepEqual(vectorizer.featureNames, terms)
      assert.deepEqual(rowsOf(vectorizer.transform(fixture.corpora[corpus])), counts)
      assert.deepEqual(rowsOf(vectorizer.transform(fixture.corpora.fresh)), fresh)
    })
    for (const expected of tfidf ?? []) {
      it(`weighs the same with ${JSON.stringify({ ...options, ...expected.options })}`, () => {
        const vectorizer = new CountVectorizer(options)
        const transformer = new TfidfTransformer(expected.options)
        transformer.fit(vectorizer.fitTransform(fixture.corpora[corpus]))
        assertClose([...transformer.idf], expected.idf ?? terms.map(() => 1))
        const weighed = rowsOf(transformer.transform(vectorizer.transform(fixture.corpora.fresh)))
        for (const [row, [columns, values]] of expected.fresh.entries()) {
          assert.deepEqual(weighed[row]![0], columns)
          assertClose(weighed[row]![1], values)
        }
      })
    }
  }
})
