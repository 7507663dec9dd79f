/**
 * Weights that are cheap to shrink all at once: one scale times a vector, so that a step touches only
 * the features of its row. Bottou, "Stochastic gradient descent tricks" (2012), section 5.1, and for
 * the averages 5.3; all figures as scikit-learn's SGDClassifier keeps them.
 */
import type { SparseMatrix } from '../features/index.ts'

/** A scale below this is multiplied in, before it gets lost. */
const leastScale = 1e-9

export class ScaledWeights {
  readonly #matrix: SparseMatrix
  readonly #values: Float64Array
  /** Averages, but for the scale and the share of the weights that are not in them yet. */
  readonly #averages: Float64Array | null
  #scale = 1
  #averageShare = 0
  #averageScale = 1
  /**
   * Sizes as the stopping rule sees them. As in scikit-learn 1.9 they count, after a step, the
   * features of that row alone.
   */
  squaredNorm = 0
  absoluteNorm = 0

  constructor(matrix: SparseMatrix, average: boolean) {
    this.#matrix = matrix
    this.#values = new Float64Array(matrix.columns)
    this.#averages = average ? new Float64Array(matrix.columns) : null
  }

  /**
   * The score of a row, summed in the order of its entries: over hundreds of passes another order
   * grows from rounding into other weights than scikit-learn's.
   */
  dot(row: number): number {
    const { indptr, indices, data } = this.#matrix
    const values = this.#values
    const end = indptr[row + 1]!
    let sum = 0
    for (let entry = indptr[row]!; entry < end; entry++) {
      sum += values[indices[entry]!]! * data[entry]!
    }
    return sum * this.#scale
  }

  /** Adds the row times the factor. */
  add(row: number, factor: number): void {
    const { indptr, indices, data } = this.#matrix
    const values = this.#values
    const scale = this.#scale
    const scaled = factor / scale
    const end = indptr[row + 1]!
    let squares = 0
    let magnitudes = 0
    for (let entry = indptr[row]!; entry < end; entry++) {
      const column = indices[entry]!
      const value = values[column]! + data[entry]! * scaled
      values[column] = value
      squares += value * value
      magnitudes += Math.abs(value)
    }
    this.squaredNorm = squares * (scale * scale)
    this.absoluteNorm = magnitudes * scale
  }

  /** Multiplies all weights by the factor, from 0 to 1. */
  shrink(factor: number): void {
    this.#scale *= factor
    this.squaredNorm *= factor * factor
    this.absoluteNorm *= factor
    if (this.#scale < leastScale) this.settle()
  }

  /** Takes the weights into the averages of `count` steps; the last step added row times factor. */
  average(row: number, factor: number, count: number): void {
    const averages = this.#averages
    if (averages === null) return
    const { indptr, indices, data } = this.#matrix
    const scaled = -factor / this.#scale
    const end = indptr[row + 1]!
    for (let entry = indptr[row]!; entry < end; entry++) {
      averages[indices[entry]!]! += this.#averageShare * data[entry]! * scaled
    }
    const part = 1 / count
    if (count > 1) this.#averageScale /= 1 - part
    this.#averageShare += part * this.#averageScale * this.#scale
  }

  /**
   * Moves the weights of the row's features towards zero, never across, by all of the l1 penalty that
   * they have not had yet: `total` is what each should have had by now, `had` what it had. Tsuruoka,
   * Tsujii and Ananiadou, "Stochastic gradient descent training for l1-regularized log-linear models
   * with cumulative penalty", ACL 2009.
   */
  truncate(row: number, total: number, had: Float64Array): void {
    const { indptr, indices } = this.#matrix
    const values = this.#values
    const scale = this.#scale
    const end = indptr[row + 1]!
    for (let entry = indptr[row]!; entry < end; entry++) {
      const column = indices[entry]!
      const before = values[column]!
      let after = before
      if (before > 0) after = Math.max(0, before - (total + had[column]!) / scale)
      else if (before < 0) after = Math.min(0, before + (total - had[column]!) / scale)
      values[column] = after
      had[column]! += scale * (after - before)
    }
  }

  isFinite(): boolean {
    // A number times zero is zero unless it is not finite: one pass without a branch or a call.
    let sum = 0
    for (let column = 0; column < this.#values.length; column++) sum += this.#values[column]! * 0
    return sum === 0
  }

  /** Multiplies the scales in: from then on `values` and `averages` are what they mean. */
  settle(): { readonly values: Float64Array; readonly averages: Float64Array | null } {
    const values = this.#values
    const averages = this.#averages
    if (averages !== null) {
      for (let column = 0; column < values.length; column++) {
        averages[column] =
          (averages[column]! + this.#averageShare * values[column]!) / this.#averageScale
      }
      this.#averageShare = 0
      this.#averageScale = 1
    }
    for (let column = 0; column < values.length; column++) values[column]! *= this.#scale
    this.#scale = 1
    return { values, averages }
  }
}
