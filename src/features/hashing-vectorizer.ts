/**
 * HashingVectorizer: texts to counts of hashed terms, with scikit-learn's meaning. Use it where a
 * vocabulary would grow without bound, or where there is nothing to learn it from: it learns
 * nothing, so `transform` works at once. What a column means cannot be told back.
 */
import { fail, suggestion } from '../core/errors.ts'
import type { Analyzer } from './analyse.ts'
import { longestGram } from './count-vectorizer-options.ts'
import { HashedTerms } from './hashed-terms.ts'
import { murmur3 } from './murmur3.ts'
import { KeySorter } from './sort-keys.ts'
import { SparseBuilder, type SparseMatrix } from './sparse.ts'
import { checkStopWords, type StopWords } from './stop-words.ts'

export interface HashingVectorizerOptions {
  /** What the terms are made of. Default 'word'. */
  readonly analyzer?: Analyzer
  /** Default true. */
  readonly lowercase?: boolean
  /** Shortest and longest n-gram, in words or in code points. Default [1, 1]. */
  readonly ngramRange?: readonly [number, number]
  /**
   * Words left out before n-grams are made, as they stand after lower-casing; 'english' is
   * scikit-learn's list. Without meaning for characters. Default null: none.
   */
  readonly stopWords?: StopWords
  /** Columns to hash into: from 1 up to 2 ** 31 - 2. Default 2 ** 20. */
  readonly nFeatures?: number
  /** All entries become 1 before the norm, also those that had cancelled to 0. Default false. */
  readonly binary?: boolean
  /** Length by which each row is divided: Euclidean, sum of magnitudes, or not at all. Default 'l2'. */
  readonly norm?: 'l2' | 'l1' | null
  /** A bit of the hash chooses the sign of a term, so that collisions cancel. Default true. */
  readonly alternateSign?: boolean
}

export type CheckedHashingVectorizerOptions = Required<HashingVectorizerOptions>

const defaults: CheckedHashingVectorizerOptions = {
  analyzer: 'word',
  lowercase: true,
  ngramRange: [1, 1],
  stopWords: null,
  nFeatures: 2 ** 20,
  binary: false,
  norm: 'l2',
  alternateSign: true,
}
const mostFeatures = 2 ** 31 - 2

/** Fills in the defaults. Throws `OPTIONS_INVALID`. */
export function checkHashingVectorizerOptions(
  options: HashingVectorizerOptions,
): CheckedHashingVectorizerOptions {
  const known = Object.keys(defaults)
  const unknown = Object.keys(options).find((name) => !known.includes(name))
  if (unknown !== undefined) {
    const hint = suggestion(unknown, known)
    throw invalid(
      `unknown option '${unknown}'; ${hint === '' ? '' : `${hint} `}known: ${known.join(', ')}`,
    )
  }
  const given = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  )
  const checked: CheckedHashingVectorizerOptions = { ...defaults, ...given }
  const { analyzer, ngramRange, stopWords, nFeatures, norm } = checked
  if (analyzer !== 'word' && analyzer !== 'char' && analyzer !== 'char_wb') {
    throw invalid(`analyzer is '${analyzer}'; give 'word', 'char' or 'char_wb'`)
  }
  if (!isRange(ngramRange)) {
    throw invalid(
      `ngramRange is ${JSON.stringify(ngramRange)}; give two whole numbers from 1, the lower first, up to ${longestGram}`,
    )
  }
  checkStopWords('hashing vectoriser', stopWords)
  if (!Number.isInteger(nFeatures) || nFeatures < 1 || nFeatures > mostFeatures) {
    throw invalid(`nFeatures is ${nFeatures}; give a whole number from 1 up to ${mostFeatures}`)
  }
  if (norm !== 'l2' && norm !== 'l1' && norm !== null) {
    throw invalid(`norm is '${norm}'; give 'l2', 'l1' or null`)
  }
  for (const name of ['lowercase', 'binary', 'alternateSign'] as const) {
    if (typeof checked[name] !== 'boolean') {
      throw invalid(`${name} is ${JSON.stringify(checked[name])}; give true or false`)
    }
  }
  return checked
}

export class HashingVectorizer {
  readonly options: CheckedHashingVectorizerOptions
  readonly #reader: HashedTerms
  /** Of one text: twice the column, plus one for a minus. */
  readonly #sorter = new KeySorter()
  readonly #keyBits: number

  /** Throws `OPTIONS_INVALID`. */
  constructor(options: HashingVectorizerOptions = {}) {
    this.options = checkHashingVectorizerOptions(options)
    this.#reader = new HashedTerms(this.options)
    this.#keyBits = 33 - Math.clz32(this.options.nFeatures - 1)
  }

  /**
   * A row a text. As in scikit-learn, terms that cancel each other leave an entry of 0. Where Python
   * refuses a text with a surrogate without its other half, that counts as U+FFFD here.
   */
  transform(texts: readonly string[]): SparseMatrix {
    if (typeof texts === 'string') {
      throw fail('INPUT_INVALID', 'hashing vectoriser: given one text; give a list of texts')
    }
    const builder = new SparseBuilder()
    for (const text of texts) {
      this.#addCounts(this.#sortTerms(text), builder)
      builder.endRow()
    }
    const matrix = builder.build(this.options.nFeatures)
    if (this.options.norm !== null) normalise(matrix, this.options.norm)
    return matrix
  }

  /** Sorts the terms of the text by column and returns how many there are. */
  #sortTerms(text: string): number {
    const count = this.#reader.read(text)
    const { terms, signs } = this.#reader
    this.#sorter.reserve(count, terms.length)
    const { keys } = this.#sorter
    for (let index = 0; index < count; index++) {
      keys[index] = (terms[index]! << 1) | (signs[index]! < 0 ? 1 : 0)
    }
    this.#sorter.sort(count, 1, this.#keyBits)
    return count
  }

  #addCounts(count: number, builder: SparseBuilder): void {
    const { keys } = this.#sorter
    const { binary } = this.options
    let index = 0
    while (index < count) {
      const column = keys[index]! >>> 1
      let sum = 0
      for (; index < count && keys[index]! >>> 1 === column; index++) {
        sum += 1 - 2 * (keys[index]! & 1)
      }
      builder.add(column, binary ? 1 : sum)
    }
  }
}

/** The column of a term, given as `analyse` gives it. */
export function bucketOf(term: string, options: { readonly nFeatures: number }): number {
  return Math.abs(murmur3(term)) % options.nFeatures
}

/** Divides each row, in place, by its length; a row of zeros stays. */
function normalise(matrix: SparseMatrix, norm: 'l2' | 'l1'): void {
  const { data, indptr } = matrix
  for (let row = 0; row < matrix.rows; row++) {
    const end = indptr[row + 1]!
    let length = 0
    for (let entry = indptr[row]!; entry < end; entry++) {
      length += norm === 'l2' ? data[entry]! * data[entry]! : Math.abs(data[entry]!)
    }
    if (length === 0) continue
    if (norm === 'l2') length = Math.sqrt(length)
    for (let entry = indptr[row]!; entry < end; entry++) data[entry]! /= length
  }
}

function isRange(range: unknown): boolean {
  if (!Array.isArray(range) || range.length !== 2) return false
  const [shortest, longest] = range as readonly unknown[]
  return (
    Number.isInteger(shortest) &&
    Number.isInteger(longest) &&
    Number(shortest) >= 1 &&
    Number(longest) <= longestGram &&
    Number(longest) >= Number(shortest)
  )
}

function invalid(what: string) {
  return fail('OPTIONS_INVALID', `hashing vectoriser: ${what}`)
}
