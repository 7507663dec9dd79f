/**
 * CountVectorizer: texts to counts of words and n-grams of words, with scikit-learn's meaning. Use
 * it to train; to score, compile it together with the weights (models/).
 */
import { fail } from '../core/errors.ts'
import {
  type CheckedCountVectorizerOptions,
  type CountVectorizerOptions,
  checkCountVectorizerOptions,
  documentCount,
} from './count-vectorizer-options.ts'
import { documentFrequencies, mapColumns, SparseBuilder, type SparseMatrix } from './sparse.ts'
import { TermTable } from './term-table.ts'
import { sortByCodePoint } from './tokenise.ts'

interface Fitted {
  readonly terms: readonly string[]
  readonly table: TermTable
  /** By the table's number of a term: its column, or -1. */
  readonly columns: Int32Array
}

export class CountVectorizer {
  readonly options: CheckedCountVectorizerOptions
  #fitted: Fitted | undefined
  #vocabulary: ReadonlyMap<string, number> | undefined

  /** Throws `OPTIONS_INVALID`. */
  constructor(options: CountVectorizerOptions = {}) {
    this.options = checkCountVectorizerOptions(options)
  }

  /** One that counts the given terms, in that order of columns, as if they had been learnt. */
  static fromTerms(options: CountVectorizerOptions, terms: readonly string[]): CountVectorizer {
    const vectorizer = new CountVectorizer(options)
    vectorizer.#become(terms)
    return vectorizer
  }

  /** The terms, sorted by code point: the names of the columns. */
  get featureNames(): readonly string[] {
    return this.#needFitted().terms
  }

  /** The column of each term. */
  get vocabulary(): ReadonlyMap<string, number> {
    const { terms } = this.#needFitted()
    this.#vocabulary ??= new Map(terms.map((term, column) => [term, column]))
    return this.#vocabulary
  }

  /** Learns the vocabulary. Throws `TRAINING_INVALID` when no term is left. */
  fit(texts: readonly string[]): this {
    this.fitTransform(texts)
    return this
  }

  /** Learns the vocabulary and counts, reading the texts once. */
  fitTransform(texts: readonly string[]): SparseMatrix {
    const table = this.#newTable()
    const counts = this.#count(texts, table, true)
    const { terms, newColumn } = this.#select(counts, table)
    this.#become(terms)
    return mapColumns(counts, newColumn, terms.length)
  }

  /** Counts the learnt terms; others are left out. A text without any is a row of zeros. */
  transform(texts: readonly string[]): SparseMatrix {
    const { terms, table, columns } = this.#needFitted()
    return mapColumns(this.#count(texts, table, false), columns, terms.length)
  }

  #newTable(): TermTable {
    const { lowercase, ngramRange } = this.options
    return new TermTable({ lowercase, ngramRange, stopWords: this.options.stopWords ?? [] })
  }

  #become(terms: readonly string[]): void {
    const table = this.#newTable()
    const numbers = terms.map((term) => table.add(term))
    const columns = new Int32Array(table.size).fill(-1)
    for (const [column, number] of numbers.entries()) columns[number] = column
    this.#fitted = { terms, table, columns }
    this.#vocabulary = undefined
  }

  /** Rows of counts by the table's numbers, each row in the order of first occurrence. */
  #count(texts: readonly string[], table: TermTable, learn: boolean): SparseMatrix {
    const builder = new SparseBuilder()
    let counts = new Float64Array(Math.max(1024, table.size))
    let touched = new Int32Array(1024)
    for (const text of texts) {
      const found = table.read(text, learn)
      const terms = table.terms
      if (table.size > counts.length) counts = new Float64Array(table.size * 2)
      if (found > touched.length) touched = new Int32Array(found * 2)
      let distinct = 0
      for (let index = 0; index < found; index++) {
        const term = terms[index]!
        if (counts[term] === 0) touched[distinct++] = term
        counts[term]!++
      }
      for (let index = 0; index < distinct; index++) {
        const term = touched[index]!
        builder.add(term, this.options.binary ? 1 : counts[term]!)
        counts[term] = 0
      }
      builder.endRow()
    }
    return builder.build(table.size)
  }

  /** Which of the table's terms become columns: by length, document frequency and total count. */
  #select(counts: SparseMatrix, table: TermTable): { terms: string[]; newColumn: Int32Array } {
    const [least, most] = this.#documentBounds(counts.rows)
    const frequencies = documentFrequencies(counts)
    const total = frequencies.reduce((sum, frequency) => sum + (frequency > 0 ? 1 : 0), 0)
    let kept: number[] = []
    for (let number = 0; number < frequencies.length; number++) {
      const frequency = frequencies[number]!
      if (frequency > 0 && frequency >= least && frequency <= most) kept.push(number)
    }
    if (kept.length === 0) {
      throw fail(
        'TRAINING_INVALID',
        total === 0
          ? `count vectoriser: no term in ${counts.rows} texts; are they empty, or all stop words?`
          : `count vectoriser: none of ${total} terms is left; lower minDf or raise maxDf`,
      )
    }
    const numberOf = new Map(kept.map((number) => [table.termOf(number), number]))
    let terms = sortByCodePoint([...numberOf.keys()])
    const { maxFeatures } = this.options
    if (maxFeatures !== null && terms.length > maxFeatures) {
      terms = mostFrequent(terms, numberOf, counts, maxFeatures)
    }
    kept = terms.map((term) => numberOf.get(term)!)
    const newColumn = new Int32Array(table.size).fill(-1)
    for (const [column, number] of kept.entries()) newColumn[number] = column
    return { terms, newColumn }
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
function mostFrequent(
  terms: readonly string[],
  numberOf: ReadonlyMap<string, number>,
  counts: SparseMatrix,
  limit: number,
): string[] {
  const totals = new Float64Array(counts.columns)
  for (let entry = 0; entry < counts.indices.length; entry++) {
    totals[counts.indices[entry]!]! += counts.data[entry]!
  }
  const total = terms.map((term) => totals[numberOf.get(term)!]!)
  const order = terms.map((_, index) => index).sort((a, b) => total[b]! - total[a]! || a - b)
  return order
    .slice(0, limit)
    .sort((a, b) => a - b)
    .map((index) => terms[index]!)
}
