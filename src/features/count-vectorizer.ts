/**
 * CountVectorizer: texts to counts of n-grams of words or of characters, with scikit-learn's meaning.
 * Use it to train; to score, compile it together with the weights (models/).
 */
import { fail } from '../core/errors.ts'
import { CountRows } from './count-rows.ts'
import {
  type CheckedCountVectorizerOptions,
  type CountVectorizerOptions,
  checkCountVectorizerOptions,
  documentCount,
} from './count-vectorizer-options.ts'
import type { SparseMatrix } from './sparse.ts'
import { inTermOrder } from './term-order.ts'
import type { TermReader } from './term-reader.ts'
import { termReader } from './term-table.ts'

interface Fitted {
  readonly table: TermReader
  /** By column: the table's number of its term. */
  readonly numbers: Int32Array
  /** By the table's number of a term: its column, or -1. */
  readonly columns: Int32Array
}

export class CountVectorizer {
  readonly options: CheckedCountVectorizerOptions
  #fitted: Fitted | undefined
  #featureNames: readonly string[] | undefined
  #vocabulary: ReadonlyMap<string, number> | undefined

  /** Throws `OPTIONS_INVALID`. */
  constructor(options: CountVectorizerOptions = {}) {
    this.options = checkCountVectorizerOptions(options)
  }

  /** One that counts the given terms, in that order of columns, as if they had been learnt. */
  static fromTerms(options: CountVectorizerOptions, terms: readonly string[]): CountVectorizer {
    const vectorizer = new CountVectorizer(options)
    const table = termReader(vectorizer.options)
    const numbers = Int32Array.from(terms, (term) => table.add(term))
    vectorizer.#become(table, numbers)
    return vectorizer
  }

  /** The terms, sorted by code point: the names of the columns. */
  get featureNames(): readonly string[] {
    const { table, numbers } = this.#needFitted()
    this.#featureNames ??= Array.from(numbers, (number) => table.termOf(number))
    return this.#featureNames
  }

  /** The column of each term. */
  get vocabulary(): ReadonlyMap<string, number> {
    this.#vocabulary ??= new Map(this.featureNames.map((term, column) => [term, column]))
    return this.#vocabulary
  }

  /** Learns the vocabulary. Throws `TRAINING_INVALID` when no term is left. */
  fit(texts: readonly string[]): this {
    this.fitTransform(texts)
    return this
  }

  /** Learns the vocabulary and counts, reading the texts once. */
  fitTransform(texts: readonly string[]): SparseMatrix {
    const table = termReader(this.options)
    const counts = this.#count(texts, table, true)
    const { columns, numbers } = this.#become(table, this.#select(counts, table))
    return counts.toMatrix(columns, numbers.length)
  }

  /** Counts the learnt terms; others are left out. A text without any is a row of zeros. */
  transform(texts: readonly string[]): SparseMatrix {
    const { table, columns, numbers } = this.#needFitted()
    return this.#count(texts, table, false).toMatrix(columns, numbers.length)
  }

  #become(table: TermReader, numbers: Int32Array): Fitted {
    const columns = new Int32Array(table.size).fill(-1)
    for (const [column, number] of numbers.entries()) columns[number] = column
    this.#fitted = { table, numbers, columns }
    this.#featureNames = undefined
    this.#vocabulary = undefined
    return this.#fitted
  }

  /** Rows of counts by the table's numbers, each row in the order of first occurrence. */
  #count(texts: readonly string[], table: TermReader, learn: boolean): CountRows {
    const { binary } = this.options
    const rows = new CountRows()
    let counts = new Int32Array(Math.max(1024, table.size))
    let touched = new Int32Array(1024)
    for (const text of texts) {
      const found = table.read(text, learn)
      const terms = table.terms
      if (table.size > counts.length) counts = new Int32Array(table.size * 2)
      if (found > touched.length) touched = new Int32Array(found * 2)
      let distinct = 0
      for (let index = 0; index < found; index++) {
        const term = terms[index]!
        if (counts[term] === 0) touched[distinct++] = term
        counts[term]!++
      }
      for (let index = 0; index < distinct; index++) {
        const term = touched[index]!
        rows.add(term, binary ? 1 : counts[term]!)
        counts[term] = 0
      }
      rows.endRow()
    }
    return rows
  }

  /** The table's terms that become columns, in their order: by document frequency and total count. */
  #select(counts: CountRows, table: TermReader): Int32Array {
    const [least, most] = this.#documentBounds(counts.rows)
    const frequencies = counts.documentFrequencies(table.size)
    let total = 0
    let kept = 0
    const numbers = new Int32Array(frequencies.length)
    for (let number = 0; number < frequencies.length; number++) {
      const frequency = frequencies[number]!
      if (frequency === 0) continue
      total++
      if (frequency >= least && frequency <= most) numbers[kept++] = number
    }
    if (kept === 0) {
      throw fail(
        'TRAINING_INVALID',
        total === 0
          ? `count vectoriser: no term in ${counts.rows} texts; are they empty, or all stop words?`
          : `count vectoriser: none of ${total} terms is left; lower minDf or raise maxDf`,
      )
    }
    const { ngramRange, maxFeatures } = this.options
    const ordered = inTermOrder(table, numbers.subarray(0, kept), ngramRange[1])
    return maxFeatures !== null && kept > maxFeatures
      ? mostFrequent(ordered, counts.totals(table.size), maxFeatures)
      : ordered
  }

  #documentBounds(documents: number): [number, number] {
    const least = documentCount(this.options.minDf, documents)
    const most = documentCount(this.options.maxDf, documents)
    if (most < least) {
      throw fail(
        'TRAINING_INVALID',
        `count vectoriser: of ${documents} texts maxDf allows ${most}, fewer than minDf's ${least}`,
      )
    }
    return [least, most]
  }

  #needFitted(): Fitted {
    if (this.#fitted === undefined) {
      throw fail('TRAINING_INVALID', 'count vectoriser: nothing learnt yet; call fit first')
    }
    return this.#fitted
  }
}

/** The terms with the highest total count; of equals, the first. They keep their order. */
function mostFrequent(numbers: Int32Array, totals: Float64Array, limit: number): Int32Array {
  return numbers
    .map((_, index) => index)
    .sort((a, b) => totals[numbers[b]!]! - totals[numbers[a]!]! || a - b)
    .subarray(0, limit)
    .sort()
    .map((index) => numbers[index]!)
}
