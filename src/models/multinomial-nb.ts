/**
 * MultinomialNB: naive Bayes over counts or tf-idf, with scikit-learn's meaning. The first estimator
 * to try on text: it learns in one pass and is hard to beat on short ones.
 */
import type { SparseMatrix } from '../features/index.ts'
import type { FitWeightsOptions, LinearEstimator } from './linear.ts'
import {
  checkNaiveBayesOptions,
  checkNotNegative,
  countByLabel,
  logPriors,
  multiplicitiesOf,
  type NaiveBayesOptions,
} from './naive-bayes.ts'
import { encodeTrainingRows } from './training-rows.ts'

export type MultinomialNBOptions = NaiveBayesOptions

const who = 'multinomialNB'

/**
 * Learns `coefficients`, ln P(feature | label), and `intercepts`, ln P(label): scikit-learn's
 * `feature_log_prob_` and `class_log_prior_`. Throws `OPTIONS_INVALID`; `fitWeights` throws
 * `TRAINING_INVALID`, for features below zero too.
 */
export function multinomialNB(given: MultinomialNBOptions = {}): LinearEstimator {
  const options = checkNaiveBayesOptions(who, given)
  return {
    name: 'multinomial-nb',
    options: { ...options },
    fitWeights<Label extends string>(
      matrix: SparseMatrix,
      labels: readonly Label[],
      fitOptions: FitWeightsOptions,
    ) {
      const { classes, indexes, counts } = encodeTrainingRows(who, matrix, labels)
      checkNotNegative(who, matrix)
      const intercepts = logPriors(who, options, counts)
      const coefficients = countByLabel(matrix, indexes, classes.length)
      toLogProbabilities(coefficients, multiplicitiesOf(fitOptions, matrix), options.alpha)
      return {
        labels: classes,
        coefficients,
        intercepts,
        scoreKind: 'softmax' as const,
        binarize: null,
      }
    },
  }
}

/** Counts to ln((count + alpha) / sum of them over the features), in place, a row a label. */
function toLogProbabilities(
  counts: Float64Array,
  multiplicities: Float64Array,
  alpha: number,
): void {
  const columns = multiplicities.length
  const logAlpha = Math.log(alpha)
  for (let start = 0; start < counts.length; start += columns) {
    let total = 0
    for (let column = 0; column < columns; column++) {
      total += (counts[start + column]! + alpha) * multiplicities[column]!
    }
    const logTotal = Math.log(total)
    // Most features are in few texts of a label: their logarithm is taken once.
    for (let cell = start; cell < start + columns; cell++) {
      const count = counts[cell]!
      counts[cell] = (count === 0 ? logAlpha : Math.log(count + alpha)) - logTotal
    }
  }
}
