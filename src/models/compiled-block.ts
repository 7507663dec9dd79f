/**
 * One vectoriser, its tf-idf and its share of the weights, compiled: a text goes in, its part of the
 * labels' scores comes out, and nothing is allocated on the way.
 */
import type { TextBlock } from '../features/text-features.ts'
import { type BlockReader, blockReader } from './block-reader.ts'

export interface BlockWeights {
  /** How many labels there are. */
  readonly labels: number
  /** Of the whole model: a row a label, a column a feature. */
  readonly coefficients: Float64Array
  /** Columns of the whole model, and the first of this block. */
  readonly columns: number
  readonly firstColumn: number
  readonly binarize: number | null
}

export class CompiledBlock {
  readonly reader: BlockReader
  readonly #labels: number
  /** By row: the idf (0: no column), then the weight for each label. */
  readonly #weights: Float64Array
  readonly #binary: boolean
  readonly #sublinear: boolean
  readonly #norm: 'l2' | 'l1' | null
  readonly #binarize: number | null
  /** How often each term stands in the text at hand: zeros between calls. */
  readonly #counts: Float64Array
  /** Where signs can cancel a count: 1 for a term of the text at hand. */
  readonly #seen: Uint8Array
  /** The different terms of the text at hand; once weighed, their rows; and what each weighs in it. */
  readonly #touched: Int32Array
  readonly #values: Float64Array

  constructor(block: TextBlock, weights: BlockWeights) {
    this.reader = blockReader(block)
    const { columnOfRow, numbers } = this.reader
    this.#labels = weights.labels
    this.#weights = packWeights(columnOfRow, block.tfidf?.idf, weights)
    this.#binary = block.options.binary
    this.#sublinear = block.tfidf?.options.sublinearTf ?? false
    this.#norm = normOf(block)
    this.#binarize = weights.binarize
    this.#counts = new Float64Array(numbers)
    this.#seen = new Uint8Array(block.vectorizer === 'hashing' ? numbers : 0)
    this.#touched = new Int32Array(numbers)
    this.#values = new Float64Array(numbers)
  }

  /**
   * Adds this block's part to each label's score, and returns how many different terms of the text it
   * knows.
   */
  addScores(text: string, scores: Float64Array): number {
    const distinct = this.#countTerms(text)
    const known = this.#weigh(distinct)
    const labels = this.#labels
    const stride = 1 + labels
    const weights = this.#weights
    const values = this.#values
    const touched = this.#touched
    // Label by label, so that each sum stays in a register.
    for (let label = 0; label < labels; label++) {
      let score = 0
      for (let index = 0; index < distinct; index++) {
        score += values[index]! * weights[touched[index]! * stride + 1 + label]!
      }
      scores[label]! += score
    }
    return known
  }

  /**
   * For each different term of a text that has a weight: its number as the reader has it, and its
   * part in the score of each label, a row a term.
   */
  contributions(text: string): { readonly numbers: Int32Array; readonly parts: Float64Array } {
    const distinct = this.#countTerms(text)
    const all = this.#touched.slice(0, distinct)
    this.#weigh(distinct)
    const numbers = all.filter((_, index) => this.#values[index] !== 0)
    const parts = new Float64Array(numbers.length * this.#labels)
    const stride = 1 + this.#labels
    let place = 0
    for (let index = 0; index < distinct; index++) {
      const value = this.#values[index]!
      if (value === 0) continue
      const row = this.#touched[index]! * stride + 1
      for (let label = 0; label < this.#labels; label++) {
        parts[place++] = value * this.#weights[row + label]!
      }
    }
    return { numbers, parts }
  }

  /** Counts the terms of a text, and returns how many different ones #touched lists. */
  #countTerms(text: string): number {
    const { reader } = this
    const found = reader.read(text)
    if (reader.signs !== null) return this.#countSigned(found, reader.terms, reader.signs)
    const terms = reader.terms
    const counts = this.#counts
    const touched = this.#touched
    let distinct = 0
    for (let index = 0; index < found; index++) {
      const term = terms[index]!
      const count = counts[term]!
      if (count === 0) touched[distinct++] = term
      counts[term] = count + 1
    }
    return distinct
  }

  #countSigned(found: number, terms: Int32Array, signs: Int8Array): number {
    const seen = this.#seen
    let distinct = 0
    for (let index = 0; index < found; index++) {
      const term = terms[index]!
      if (seen[term] === 0) {
        seen[term] = 1
        this.#touched[distinct++] = term
      }
      this.#counts[term]! += signs[index]!
    }
    for (let index = 0; index < distinct; index++) seen[this.#touched[index]!] = 0
    return distinct
  }

  /**
   * From the counts of the terms that #touched lists to their final values in #values; #touched then
   * has their rows of weights. Returns how many of them are known.
   */
  #weigh(distinct: number): number {
    const { rowOf, restRow } = this.reader
    const stride = 1 + this.#labels
    const counts = this.#counts
    const norm = this.#norm
    let length = 0
    let known = 0
    for (let index = 0; index < distinct; index++) {
      const term = this.#touched[index]!
      let value = counts[term]!
      counts[term] = 0
      if (this.#binary) value = 1
      else if (this.#sublinear) value = Math.log(value) + 1
      const row = rowOf === null ? term : rowOf[term]!
      this.#touched[index] = row
      const idf = this.#weights[row * stride]!
      if (idf !== 0 && row !== restRow) known++
      value *= idf
      this.#values[index] = value
      length += norm === 'l2' ? value * value : Math.abs(value)
    }
    if (norm !== null && length !== 0)
      this.#scale(distinct, norm === 'l2' ? Math.sqrt(length) : length)
    if (this.#binarize !== null) this.#threshold(distinct, this.#binarize)
    return known
  }

  #scale(distinct: number, length: number): void {
    const values = this.#values
    for (let index = 0; index < distinct; index++) values[index]! /= length
  }

  #threshold(distinct: number, threshold: number): void {
    const values = this.#values
    for (let index = 0; index < distinct; index++)
      values[index] = values[index]! > threshold ? 1 : 0
  }
}

function packWeights(
  columnOfRow: Int32Array,
  idf: Float64Array | undefined,
  { labels, coefficients, columns, firstColumn }: BlockWeights,
): Float64Array {
  const stride = 1 + labels
  const packed = new Float64Array(columnOfRow.length * stride)
  for (let row = 0; row < columnOfRow.length; row++) {
    const column = columnOfRow[row]!
    // A word that only begins longer terms has no column, and weighs nothing.
    if (column < 0) continue
    packed[row * stride] = idf === undefined ? 1 : idf[column]!
    for (let label = 0; label < labels; label++) {
      packed[row * stride + 1 + label] = coefficients[label * columns + firstColumn + column]!
    }
  }
  return packed
}

function normOf(block: TextBlock): 'l2' | 'l1' | null {
  if (block.tfidf !== null) return block.tfidf.options.norm
  return block.vectorizer === 'hashing' ? block.options.norm : null
}
