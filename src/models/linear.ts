/**
 * Linear classifiers, what all of them have in common: the score of a label is a weighted sum of the
 * features plus a constant.
 */
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
}

export interface FitWeightsOptions {
  /** For estimators that draw; the same seed and rows give the same weights. */
  readonly seed: number
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

/** The score of each label, a row a row of the matrix. */
export function linearScores(
  weights: Pick<LinearWeights, 'labels' | 'coefficients' | 'intercepts' | 'binarize'>,
  given: SparseMatrix,
): Float64Array {
  const matrix = weights.binarize === null ? given : binarized(given, weights.binarize)
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

/** The matrix with 1 for what is above the threshold, and without the rest. Threshold from 0. */
export function binarized(matrix: SparseMatrix, threshold: number): SparseMatrix {
  return { ...matrix, data: matrix.data.map((value) => (value > threshold ? 1 : 0)) }
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
