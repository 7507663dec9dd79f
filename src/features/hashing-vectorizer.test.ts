/** HashingVectorizer against scikit-learn's own answers (scripts/fixtures/hashing.py). */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import {
  bucketOf,
  checkHashingVectorizerOptions,
  HashingVectorizer,
  type HashingVectorizerOptions,
} from './hashing-vectorizer.ts'
import { toDense } from './sparse.ts'

type Row = [columns: number[], values: number[]]
interface Fixture {
  readonly texts: string[]
  readonly cases: { readonly options: HashingVectorizerOptions; readonly rows: Row[] }[]
}

const file = new URL('./fixtures/hashing.json', import.meta.url)
const fixture = JSON.parse(readFileSync(file, 'utf8')) as Fixture

describe('features: hashing vectoriser', () => {
  for (const { options, rows } of fixture.cases) {
    it(`hashes the same as scikit-learn with ${JSON.stringify(options)}`, () => {
      const matrix = new HashingVectorizer(options).transform(fixture.texts)
      assert.equal(matrix.rows, rows.length)
      assert.equal(matrix.columns, options.nFeatures ?? 2 ** 20)
      for (const [row, [columns, values]] of rows.entries()) {
        const [start, end] = [matrix.indptr[row]!, matrix.indptr[row + 1]!]
        const told = JSON.stringify(fixture.texts[row])
        assert.deepEqual([...matrix.indices.subarray(start, end)], columns, told)
        for (const [place, value] of values.entries()) {
          assert.ok(Math.abs(matrix.data[start + place]! - value) <= 1e-12, told)
        }
      }
    })
  }

  it('is held to cases in which terms collide and cancel', () => {
    const cancelled = fixture.cases.filter(({ rows }) =>
      rows.some(([, values]) => values.includes(0)),
    )
    assert.ok(cancelled.length > 2)
  })

  it('gives the column of a term', () => {
    const matrix = new HashingVectorizer({ norm: null }).transform(['uibaxbir'])
    // Its hash is -2 ** 31, the one number whose magnitude 32 bits do not hold.
    assert.deepEqual([...matrix.indices], [bucketOf('uibaxbir', { nFeatures: 2 ** 20 })])
    assert.equal(bucketOf('uibaxbir', { nFeatures: 1000 }), 2 ** 31 % 1000)
  })

  it('gives rows of zeros for texts without a term, and no row for no text', () => {
    const vectorizer = new HashingVectorizer({ nFeatures: 4 })
    assert.deepEqual(
      [...toDense(vectorizer.transform(['', 'a !', 'ab']))].slice(0, 8),
      Array(8).fill(0),
    )
    assert.equal(vectorizer.transform([]).rows, 0)
  })

  it('fills in the defaults of scikit-learn', () => {
    assert.deepEqual(checkHashingVectorizerOptions({ norm: undefined }), {
      analyzer: 'word',
      lowercase: true,
      ngramRange: [1, 1],
      stopWords: null,
      nFeatures: 1_048_576,
      binary: false,
      norm: 'l2',
      alternateSign: true,
    })
  })

  it('refuses what it does not know', () => {
    const wrong: [Record<string, unknown>, RegExp][] = [
      [{ nFeature: 3 }, /unknown option 'nFeature'; did you mean 'nFeatures'\? known: analyzer, /],
      [{ analyzer: 'words' }, /analyzer is 'words'; give 'word', 'char' or 'char_wb'/],
      [{ ngramRange: [2, 1] }, /ngramRange is \[2,1\]/],
      [{ ngramRange: [0, 1] }, /ngramRange/],
      [{ ngramRange: 2 }, /ngramRange/],
      [{ stopWords: 'german' }, /hashing vectoriser: stopWords is "german"/],
      [{ nFeatures: 0 }, /nFeatures is 0/],
      [{ nFeatures: 2 ** 31 - 1 }, /up to 2147483646/],
      [{ norm: 'max' }, /norm is 'max'/],
      [{ lowercase: 'no' }, /lowercase is "no"; give true or false/],
    ]
    for (const [options, message] of wrong) {
      assert.throws(() => new HashingVectorizer(options), { code: 'OPTIONS_INVALID', message })
    }
    const transform = (text: unknown) => new HashingVectorizer().transform(text as string[])
    assert.throws(() => transform('one text'), { code: 'INPUT_INVALID' })
  })
})
