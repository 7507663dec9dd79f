/**
 * TfidfTransformer: counts to tf-idf, with scikit-learn's meaning: `1 + ln(tf)` if sublinear, times
 * the inverse document frequency, then each row to unit length. Rows of zeros stay zero.
 */
import { fail } from '../core/errors.ts'
import { documentFrequencies, type SparseMatrix } from './sparse.ts'

export interface TfidfTransformerOptions {
  /** Length by which each row is divided: Euclidean, sum of magnitudes, or not at all. Default 'l2'. */
  readonly norm?: 'l2' | 'l1' | null
  /** Weigh terms by how few documents hold them. Default true. */
  readonly useIdf?: boolean
  /** `ln((1 + n) / (1 + df)) + 1` instead of `ln(n / df) + 1`. Default true. */
  readonly smoothIdf?: boolean
  /** `1 + ln(tf)` instead of tf. Default false. */
  readonly sublinearTf?: boolean
}

export type CheckedTfidfTransformerOptions = Required<TfidfTransformerOptions>

/** Fills in the defaults. Throws `OPTIONS_INVALID`. */
export function checkTfidfTransformerOptions(
  options: TfidfTransformerOptions,
): CheckedTfidfTransformerOptions {
  const { norm = 'l2', useIdf = true, smoothIdf = true, sublinearTf = false, ...unknown } = options
  const [name] = Object.keys(unknown)
  if (name !== undefined) {
    throw fail(
      'OPTIONS_INVALID',
      `tf-idf: unknown option '${name}'; known: norm, useIdf, smoothIdf, sublinearTf`,
    )
  }
  if (norm !== 'l2' && norm !== 'l1' && norm !== null) {
    throw fail('OPTIONS_INVALID', `tf-idf: norm is '${norm}'; give 'l2', 'l1' or null`)
  }
  for (const [option, value] of Object.entries({ useIdf, smoothIdf, sublinearTf })) {
    if (typeof value === 'boolean') continue
    throw fail(
      'OPTIONS_INVALID',
      `tf-idf: ${option} is ${JSON.stringify(value)}; give true or false`,
    )
  }
  return { norm, useIdf, smoothIdf, sublinearTf }
}

export class TfidfTransformer {
  readonly options: CheckedTfidfTransformerOptions
  #idf: Float64Array | undefined

  /** Throws `OPTIONS_INVALID`. */
  constructor(options: TfidfTransformerOptions = {}) {
    this.options = checkTfidfTransformerOptions(options)
  }

  /** One that weighs by the given inverse document frequencies, as if they had been learnt. */
  static fromIdf(options: TfidfTransformerOptions, idf: Float64Array): TfidfTransformer {
    const transformer = new TfidfTransformer(options)
    transformer.#idf = idf
    return transformer
  }

  /** The inverse document frequency of each column; all 1 without `useIdf`. */
  get idf(): Float64Array {
    if (this.#idf === undefined) {
      throw fail('TRAINING_INVALID', 'tf-idf: nothing learnt yet; call fit first')
    }
    return this.#idf
  }

  /** Throws `TRAINING_INVALID` for a column without entries when `smoothIdf` is off. */
  fit(counts: SparseMatrix): this {
    const idf = new Float64Array(counts.columns).fill(1)
    if (this.options.useIdf) {
      const extra = this.options.smoothIdf ? 1 : 0
      for (const [column, frequency] of documentFrequencies(counts).entries()) {
        if (frequency + extra === 0) {
          throw fail(
            'TRAINING_INVALID',
            `tf-idf: column ${column} is in no document; set smoothIdf, or leave the column out`,
          )
        }
        idf[column] = Math.log((counts.rows + extra) / (frequency + extra)) + 1
      }
    }
    this.#idf = idf
    return this
  }

  transform(counts: SparseMatrix): SparseMatrix {
    const idf = this.idf
    if (idf.length !== counts.columns) {
      throw fail(
        'TRAINING_INVALID',
        `tf-idf: learnt ${idf.length} columns, given ${counts.columns}; use the same vectoriser`,
      )
    }
    const { norm, sublinearTf } = this.options
    const data = new Float64Array(counts.data.length)
    for (let row = 0; row < counts.rows; row++) {
      const start = counts.indptr[row]!
      const end = counts.indptr[row + 1]!
      let length = 0
      for (let entry = start; entry < end; entry++) {
        const count = counts.data[entry]!
        const value = (sublinearTf ? Math.log(count) + 1 : count) * idf[counts.indices[entry]!]!
        data[entry] = value
        length += norm === 'l2' ? value * value : Math.abs(value)
      }
      if (norm === null || length === 0) continue
      if (norm === 'l2') length = Math.sqrt(length)
      for (let entry = start; entry < end; entry++) data[entry]! /= length
    }
    return { ...counts, data }
  }

  fitTransform(counts: SparseMatrix): SparseMatrix {
    return this.fit(counts).transform(counts)
  }
}
