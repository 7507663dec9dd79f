/**
 * Linear classifiers, what all of them have in common: a score a class is a weighted sum of the
 * features plus a constant, and probabilities are the softmax of the scores.
 */
import type { SparseMatrix } from '../features/index.ts'

/** The weights of a learnt linear classifier. */
export interface LinearWeights<Label extends string = string> {
  /** Sorted by code point. */
  readonly labels: readonly Label[]
  /** A row a label, a column a feature. */
  readonly coefficients: Float64Array
  /** One a label. */
  readonly intercepts: Float64Array
}

/** Learns weights from rows of features. */
export interface LinearEstimator {
  readonly name: string
  /** Plain data: goes into artefacts. */
  readonly options: Readonly<Record<string, unknown>>
  /** Throws `TRAINING_INVALID`. */
  fitWeights<Label extends string>(
    matrix: SparseMatrix,
    labels: readonly Label[],
    options: { readonly seed: number },
  ): LinearWeights<Label>
}

/** The score of each label, a row a row of the matrix. */
export function linearScores(weights: LinearWeights, matrix: SparseMatrix): Float64Array {
  const classes = weights.labels.length
  const scores = new Float64Array(matrix.rows * classes)
  for (let row = 0; row < matrix.rows; row++) {
    for (let label = 0; label < classes; label++) {
      const weightsStart = label * matrix.columns
      let score = 0
      for (let entry = matrix.indptr[row]!; entry < matrix.indptr[row + 1]!; entry++) {
        score += matrix.data[entry]! * weights.coefficients[weightsStart + matrix.indices[entry]!]!
      }
      scores[row * classes + label] = score + weights.intercepts[label]!
    }
  }
  return scores
}

/** The highest score's index from `start`, of `count` scores: the first of equals. */
export function argmax(scores: Float64Array, start: number, count: number): number {
  let best = 0
  for (let label = 1; label < count; label++) {
    if (scores[start + label]! > scores[start + best]!) best = label
  }
  return best
}

/** Scores to probabilities in place, `count` from `start`: by log-sum-exp, so that none overflows. */
export function softmax(scores: Float64Array, start: number, count: number): void {
  const highest = scores[start + argmax(scores, start, count)]!
  let sum = 0
  for (let label = start; label < start + count; label++) {
    const power = Math.exp(scores[label]! - highest)
    scores[label] = power
    sum += power
  }
  for (let label = start; label < start + count; label++) scores[label]! /= sum
}
