/**
 * Linear classifiers, what all of them have in common: the score of a label is a weighted sum of the
 * features plus a constant.
 */
import { fail } from '../core/errors.ts'
import type { SparseMatrix } from '../features/index.ts'

/**
 * What scores mean, and so how they become probabilities: 'softmax' shares the exponentials out;
 * 'one-vs-rest' takes the logistic function of each and shares those out (with two labels: of the
 * difference of both scores, which is the softmax); 'margin' is a distance to a border, which only
 * calibration turns into a probability.
 */
export type ScoreKind = 'softmax' | 'one-vs-rest' | 'margin'

/** The weights of a learnt linear classifier. */
export interface LinearWeights<Label extends string = string> {
  /** Sorted by code point. */
  readonly labels: readonly Label[]
  /**
   * A row a label, a column a feature. Where scikit-learn has one row for two labels, the first row
   * here is zeros and the second is that row, so that the highest score wins as everywhere.
   */
  readonly coefficients: Float64Array
  /** One a label. */
  readonly intercepts: Float64Array
  readonly scoreKind: ScoreKind
  /** A feature above this counts as 1 and any other as 0; null: features count as they are. */
  readonly binarize: number | null
  /** What whoever trained should know, in words: that it did not converge. */
  readonly warnings?: readonly string[]
}

/** Numbers of a model are no larger, either way, so that no score of any text is infinite. */
export const mostWeight = 1e140

export interface FitWeightsOptions {
  /** For estimators that draw; the same seed and rows give the same weights. */
  readonly seed: number
  /**
   * By column: for how many columns it stands, which all look alike (hashing's buckets that no row
   * has). Where it is not given each stands for itself. Only what counts columns, as naive Bayes
   * does for its smoothing, need look at it.
   */
  readonly multiplicities?: Float64Array | undefined
}

/** Learns weights from rows of features. */
export interface LinearEstimator {
  /** As `--estimator` names it, in artefacts and reports: 'multinomial-nb'. */
  readonly name: string
  /** Plain data: goes into artefacts. */
  readonly options: Readonly<Record<string, unknown>>
  /** Throws `TRAINING_INVALID`. */
  fitWeights<Label extends string>(
    matrix: SparseMatrix,
    labels: readonly Label[],
    options: FitWeightsOptions,
  ): LinearWeights<Label>
}

/**
 * The score of each label, a row a row of the matrix. Throws `TRAINING_INVALID` for a matrix with
 * other columns than were learnt.
 */
export function linearScores(
  weights: Pick<LinearWeights, 'labels' | 'coefficients' | 'intercepts' | 'binarize'>,
  given: SparseMatrix,
): Float64Array {
  const { coefficients, intercepts } = weights
  const count = weights.labels.length
  if (coefficients.length !== count * given.columns) {
    throw fail(
      'TRAINING_INVALID',
      `linear model: learnt ${coefficients.length / count} features, given ${given.columns}; use the same vectoriser`,
    )
  }
  const matrix = weights.binarize === null ? given : binarized(given, weights.binarize)
  const scores = new Float64Array(matrix.rows * count)
  // Turning the weights costs a pass over them. Both ways add up in the same order: equal to the bit.
  if (count > 1 && matrix.indices.length > matrix.columns) {
    scoreByFeature(byFeature(coefficients, count, matrix.columns), matrix, count, scores)
  } else {
    scoreByLabel(coefficients, matrix, count, scores)
  }
  for (let start = 0; start < scores.length; start += count) {
    for (let label = 0; label < count; label++) scores[start + label]! += intercepts[label]!
  }
  return scores
}

function scoreByLabel(
  coefficients: Float64Array,
  { rows, columns, indptr, indices, data }: SparseMatrix,
  count: number,
  scores: Float64Array,
): void {
  for (let row = 0; row < rows; row++) {
    const end = indptr[row + 1]!
    for (let label = 0; label < count; label++) {
      const start = label * columns
      let score = 0
      for (let entry = indptr[row]!; entry < end; entry++) {
        score += data[entry]! * coefficients[start + indices[entry]!]!
      }
      scores[row * count + label] = score
    }
  }
}

/** The weights with a row a feature and a column a label: an entry reads neighbours in memory. */
function byFeature(coefficients: Float64Array, count: number, columns: number): Float64Array {
  const turned = new Float64Array(coefficients.length)
  for (let column = 0; column < columns; column++) {
    const start = column * count
    for (let label = 0; label < count; label++) {
      turned[start + label] = coefficients[label * columns + column]!
    }
  }
  return turned
}

/** Four labels at a time, so that their sums stay in registers while the row's entries pass. */
function scoreByFeature(
  weights: Float64Array,
  { rows, indptr, indices, data }: SparseMatrix,
  count: number,
  scores: Float64Array,
): void {
  for (let row = 0; row < rows; row++) {
    const first = indptr[row]!
    const end = indptr[row + 1]!
    let label = 0
    for (; label + 4 <= count; label += 4) {
      let score0 = 0
      let score1 = 0
      let score2 = 0
      let score3 = 0
      for (let entry = first; entry < end; entry++) {
        const value = data[entry]!
        const start = indices[entry]! * count + label
        score0 += value * weights[start]!
        score1 += value * weights[start + 1]!
        score2 += value * weights[start + 2]!
        score3 += value * weights[start + 3]!
      }
      const target = row * count + label
      scores[target] = score0
      scores[target + 1] = score1
      scores[target + 2] = score2
      scores[target + 3] = score3
    }
    for (; label < count; label++) {
      let score = 0
      for (let entry = first; entry < end; entry++) {
        score += data[entry]! * weights[indices[entry]! * count + label]!
      }
      scores[row * count + label] = score
    }
  }
}

/** The matrix with 1 for what is above the threshold and 0 for the rest. Threshold from 0. */
export function binarized(matrix: SparseMatrix, threshold: number): SparseMatrix {
  const data = new Float64Array(matrix.data.length)
  for (let entry = 0; entry < data.length; entry++) {
    if (matrix.data[entry]! > threshold) data[entry] = 1
  }
  return { ...matrix, data }
}

/** The highest score's index from `start`, of `count` scores: the first of equals. */
export function argmax(scores: Float64Array, start: number, count: number): number {
  let best = 0
  for (let label = 1; label < count; label++) {
    if (scores[start + label]! > scores[start + best]!) best = label
  }
  return best
}

/** The likeliest label of each row; the first of equals. */
export function predictLabels<Label extends string>(
  weights: LinearWeights<Label>,
  matrix: SparseMatrix,
): Label[] {
  const scores = linearScores(weights, matrix)
  const count = weights.labels.length
  return Array.from(
    { length: matrix.rows },
    (_, row) => weights.labels[argmax(scores, row * count, count)]!,
  )
}
