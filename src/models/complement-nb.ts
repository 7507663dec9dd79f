/**
 * ComplementNB: naive Bayes that learns each label from the texts of all others, with scikit-learn's
 * meaning. Better than MultinomialNB where labels have unequally many texts.
 *
 * Rennie, Shih, Teevan and Karger, "Tackling the Poor Assumptions of Naive Bayes Text Classifiers",
 * ICML 2003.
 */
import type { SparseMatrix } from '../features/index.ts'
import type { FitWeightsOptions, LinearEstimator } from './linear.ts'
import {
  checkBoolean,
  checkNaiveBayesOptions,
  checkNotNegative,
  checkPriorCount,
  countByLabel,
  multiplicitiesOf,
  type NaiveBayesOptions,
} from './naive-bayes.ts'
import { encodeTrainingRows } from './training-rows.ts'

/**
 * `fitPrior` and `classPrior` are checked and, as in scikit-learn, without meaning: the paper's rule
 * leaves priors out.
 */
export interface ComplementNBOptions extends NaiveBayesOptions {
  /** Divide each label's weights by their sum, as the paper's last step. Default false. */
  readonly norm?: boolean
}

const who = 'complementNB'

/**
 * Learns `coefficients` as scikit-learn's `feature_log_prob_`; intercepts are zeros. Throws
 * `OPTIONS_INVALID`; `fitWeights` throws `TRAINING_INVALID`, for features below zero too.
 */
export function complementNB(given: ComplementNBOptions = {}): LinearEstimator {
  const { norm = false, ...shared } = given
  const options = checkNaiveBayesOptions(who, shared, ['norm'])
  checkBoolean(who, 'norm', norm)
  return {
    name: 'complement-nb',
    options: { ...options, norm },
    fitWeights<Label extends string>(
      matrix: SparseMatrix,
      labels: readonly Label[],
      fitOptions: FitWeightsOptions,
    ) {
      const { classes, indexes } = encodeTrainingRows(who, matrix, labels)
      checkNotNegative(who, matrix)
      checkPriorCount(who, options.classPrior, classes.length)
      const coefficients = countByLabel(matrix, indexes, classes.length)
      const multiplicities = multiplicitiesOf(fitOptions, matrix)
      toComplementWeights(coefficients, multiplicities, options.alpha)
      if (norm) divideBySums(coefficients, multiplicities)
      return {
        labels: classes,
        coefficients,
        intercepts: new Float64Array(classes.length),
        scoreKind: 'softmax' as const,
        binarize: null,
      }
    },
  }
}

/** Counts to -ln P(feature | any other label), in place, a row a label. */
function toComplementWeights(
  counts: Float64Array,
  multiplicities: Float64Array,
  alpha: number,
): void {
  const columns = multiplicities.length
  const everywhere = new Float64Array(columns)
  for (let start = 0; start < counts.length; start += columns) {
    for (let column = 0; column < columns; column++) everywhere[column]! += counts[start + column]!
  }
  const logs = everywhere.map((count) => Math.log(count + alpha))
  for (let start = 0; start < counts.length; start += columns) {
    let total = 0
    for (let column = 0; column < columns; column++) {
      const others = complement(everywhere[column]!, counts[start + column]!, alpha)
      total += others * multiplicities[column]!
    }
    const logTotal = Math.log(total)
    // Most features are in no text of a label: their logarithm is the same for all such labels.
    for (let column = 0; column < columns; column++) {
      const count = counts[start + column]!
      counts[start + column] =
        logTotal -
        (count === 0 ? logs[column]! : Math.log(complement(everywhere[column]!, count, alpha)))
    }
  }
}

/**
 * The smoothed count of all other labels. scikit-learn adds alpha before it subtracts, and so loses a
 * tiny one; sums of rounded numbers can differ by less than nothing.
 */
function complement(everywhere: number, count: number, alpha: number): number {
  return Math.max(everywhere - count, 0) + alpha
}

function divideBySums(weights: Float64Array, multiplicities: Float64Array): void {
  const columns = multiplicities.length
  for (let start = 0; start < weights.length; start += columns) {
    let sum = 0
    for (let column = 0; column < columns; column++) {
      sum += weights[start + column]! * multiplicities[column]!
    }
    // With one feature alone each weight is ln 1: it says nothing, and zero does so too.
    if (sum === 0) continue
    for (let cell = start; cell < start + columns; cell++) weights[cell]! /= sum
  }
}
