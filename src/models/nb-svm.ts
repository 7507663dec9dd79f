/**
 * NB-SVM: a support vector machine over naive Bayes' log-count ratios (Wang and Manning, "Baselines
 * and Bigrams: Simple, Good Sentiment and Topic Classification", ACL 2012). Strong on short texts
 * with n-grams of words and characters, where it learns in seconds what else takes a network.
 */
import { fail } from '../core/errors.ts'
import type { SparseMatrix } from '../features/index.ts'
import {
  binarized,
  type FitWeightsOptions,
  type LinearEstimator,
  type LinearWeights,
} from './linear.ts'
import {
  checkMarginOptions,
  checkNames,
  checkPositive,
  fitMargins,
  type MarginOptions,
  marginOptionNames,
} from './margin-estimator.ts'
import { type EncodedLabels, encodeTrainingRows } from './training-rows.ts'

export interface NbSvmOptions extends MarginOptions {
  /** Added to the count of every feature in both classes, above zero. Default 1. */
  readonly alpha?: number
  /**
   * How far the support vector machine is trusted, from 0 to 1: the weight of a ratio is `beta` of
   * what it learnt and `1 - beta` of the mean magnitude of all. Default 0.25, the paper's.
   */
  readonly beta?: number
  /** Look only at which features a text has, as in the paper, not at their values. Default true. */
  readonly binarize?: boolean
}

const who = 'nb-svm'

/**
 * NB-SVM for `textClassifier`. For each label against the rest: `p = alpha + the sum of its rows`,
 * `q = alpha + the sum of the other rows`, `r = ln((p / |p|) / (q / |q|))`; a linear SVM (as
 * `linearSVC`, its constant kept small alike) learns weights w over rows times r, and the model's
 * are `((1 - beta) * mean |w| + beta * w) * r`. With two labels there is one border, that of the
 * second. The constant is the SVM's own, as in the paper. Throws `OPTIONS_INVALID`.
 *
 * @example
 * const mood = textClassifier({ features: { ngramRange: [1, 2] }, estimator: nbSvm() })
 */
export function nbSvm(options: NbSvmOptions = {}): LinearEstimator {
  checkNames(who, options, [...marginOptionNames, 'alpha', 'beta', 'binarize'])
  const { alpha = 1, beta = 0.25, binarize = true } = options
  checkPositive(who, 'alpha', alpha)
  if (!(typeof beta === 'number' && beta >= 0 && beta <= 1)) {
    throw fail('OPTIONS_INVALID', `${who}: beta is ${beta}; give a number from 0 to 1`)
  }
  if (typeof binarize !== 'boolean') {
    throw fail('OPTIONS_INVALID', `${who}: binarize is ${binarize}; give true or false`)
  }
  const margin = checkMarginOptions(who, options)
  return {
    name: who,
    options: { ...margin, alpha, beta, binarize },
    fitWeights<Label extends string>(
      given: SparseMatrix,
      labels: readonly Label[],
      { seed, multiplicities }: FitWeightsOptions,
    ): LinearWeights<Label> {
      const encoded = encodeTrainingRows(who, given, labels)
      if (!binarize) checkNotNegative(given)
      const matrix = binarize ? binarized(given, 0) : given
      const { columns } = matrix
      const ratios = logCountRatios(matrix, encoded, alpha, multiplicities)
      const scalesOf = (label: number) => ratios.subarray(label * columns, (label + 1) * columns)
      const fitted = fitMargins({
        ...{ who, matrix, encoded, options: margin, seed },
        interceptFeature: 1,
        scalesOf,
      })
      for (let label = 0; label < encoded.classes.length; label++) {
        const weights = fitted.coefficients.subarray(label * columns, (label + 1) * columns)
        interpolate(weights, scalesOf(label), beta, multiplicities)
      }
      return {
        ...{ labels: encoded.classes, ...fitted },
        ...{ scoreKind: 'margin', binarize: binarize ? 0 : null },
      }
    },
  }
}

/** r, a row a label, a column a feature; with two labels the first row is left at zero. */
function logCountRatios(
  matrix: SparseMatrix,
  { classes, indexes }: EncodedLabels,
  alpha: number,
  multiplicities: Float64Array | undefined,
): Float64Array {
  const { rows, columns, indptr, indices, data } = matrix
  const sums = new Float64Array(classes.length * columns)
  const totals = new Float64Array(columns)
  for (let row = 0; row < rows; row++) {
    const start = indexes[row]! * columns
    for (let entry = indptr[row]!; entry < indptr[row + 1]!; entry++) {
      sums[start + indices[entry]!]! += data[entry]!
      totals[indices[entry]!]! += data[entry]!
    }
  }
  for (let label = 0; label < classes.length; label++) {
    const own = sums.subarray(label * columns, (label + 1) * columns)
    if (classes.length === 2 && label === 0) own.fill(0)
    else toRatios(own, totals, alpha, multiplicities)
  }
  return sums
}

/** From the sums of a label's rows to r, in place. */
function toRatios(
  own: Float64Array,
  totals: Float64Array,
  alpha: number,
  multiplicities: Float64Array | undefined,
): void {
  let ownLength = 0
  let restLength = 0
  for (let column = 0; column < own.length; column++) {
    const count = multiplicities === undefined ? 1 : multiplicities[column]!
    ownLength += count * (own[column]! + alpha)
    restLength += count * (rest(totals[column]!, own[column]!) + alpha)
  }
  const shift = Math.log(restLength) - Math.log(ownLength)
  for (let column = 0; column < own.length; column++) {
    const p = own[column]! + alpha
    const q = rest(totals[column]!, own[column]!) + alpha
    own[column] = Math.log(p / q) + shift
  }
}

/** What the other labels have; rounding must not make it negative. */
function rest(total: number, own: number): number {
  return total > own ? total - own : 0
}

/** From the SVM's weights to the model's, in place. */
function interpolate(
  weights: Float64Array,
  ratios: Float64Array,
  beta: number,
  multiplicities: Float64Array | undefined,
): void {
  let magnitude = 0
  let count = 0
  for (let column = 0; column < weights.length; column++) {
    const copies = multiplicities === undefined ? 1 : multiplicities[column]!
    count += copies
    magnitude += copies * Math.abs(weights[column]!)
  }
  const share = ((1 - beta) * magnitude) / count
  for (let column = 0; column < weights.length; column++) {
    weights[column] = (share + beta * weights[column]!) * ratios[column]!
  }
}

function checkNotNegative({ data }: SparseMatrix): void {
  const value = data.find((each) => each < 0)
  if (value === undefined) return
  throw fail(
    'TRAINING_INVALID',
    `${who}: a feature is ${value}; give counts or tf-idf, not negative, or binarize`,
  )
}
