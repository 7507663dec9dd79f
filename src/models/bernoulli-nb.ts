/**
 * BernoulliNB: naive Bayes over which features are there and which are not, with scikit-learn's
 * meaning. For short texts, and for features that are true or false.
 */
import { fail } from '../core/errors.ts'
import type { SparseMatrix } from '../features/index.ts'
import { binarized, type FitWeightsOptions, type LinearEstimator } from './linear.ts'
import {
  type CheckedNaiveBayesOptions,
  checkNaiveBayesOptions,
  countByLabel,
  logPriors,
  multiplicitiesOf,
  type NaiveBayesOptions,
  optionsInvalid,
} from './naive-bayes.ts'
import { type EncodedLabels, encodeTrainingRows } from './training-rows.ts'

export interface BernoulliNBOptions extends NaiveBayesOptions {
  /** A feature above this is there; null: features are 0 or 1 already. From 0. Default 0. */
  readonly binarize?: number | null
}

const who = 'bernoulliNB'

/**
 * With p the smoothed share of a label's rows that have the feature: `coefficients` are
 * ln p - ln(1 - p), `intercepts` ln P(label) plus the sum of ln(1 - p), so that a feature that is not
 * there counts as well. Throws `OPTIONS_INVALID`; `fitWeights` throws `TRAINING_INVALID`.
 */
export function bernoulliNB(given: BernoulliNBOptions = {}): LinearEstimator {
  const { binarize = 0, ...shared } = given
  const options = checkNaiveBayesOptions(who, shared, ['binarize'])
  if (
    binarize !== null &&
    !(typeof binarize === 'number' && binarize >= 0 && binarize < Infinity)
  ) {
    throw optionsInvalid(who, `binarize is ${String(binarize)}; give a number from 0, or null`)
  }
  return {
    name: 'bernoulli-nb',
    options: { ...options, binarize },
    fitWeights<Label extends string>(
      matrix: SparseMatrix,
      labels: readonly Label[],
      fitOptions: FitWeightsOptions,
    ) {
      const encoded = encodeTrainingRows(who, matrix, labels)
      if (binarize === null) checkBinary(matrix)
      const present = binarize === null ? matrix : binarized(matrix, binarize)
      return {
        labels: encoded.classes,
        ...weigh(present, encoded, options, multiplicitiesOf(fitOptions, matrix)),
        scoreKind: 'softmax' as const,
        binarize,
      }
    },
  }
}

function weigh(
  present: SparseMatrix,
  { indexes, counts }: EncodedLabels,
  options: CheckedNaiveBayesOptions,
  multiplicities: Float64Array,
): { coefficients: Float64Array; intercepts: Float64Array } {
  const intercepts = logPriors(who, options, counts)
  const coefficients = countByLabel(present, indexes, counts.length)
  const { columns } = present
  for (let label = 0; label < counts.length; label++) {
    const rows = counts[label]!
    // Counts are whole numbers up to the label's rows, so each logarithm is taken once.
    const logs = Float64Array.from({ length: rows + 1 }, (_, count) =>
      Math.log(count + options.alpha),
    )
    const logTotal = Math.log(rows + 2 * options.alpha)
    let absent = 0
    for (let column = 0; column < columns; column++) {
      const cell = label * columns + column
      const count = coefficients[cell]!
      coefficients[cell] = logs[count]! - logs[rows - count]!
      absent += (logs[rows - count]! - logTotal) * multiplicities[column]!
    }
    intercepts[label]! += absent
  }
  return { coefficients, intercepts }
}

function checkBinary({ data }: SparseMatrix): void {
  for (let entry = 0; entry < data.length; entry++) {
    if (data[entry] === 0 || data[entry] === 1) continue
    throw fail(
      'TRAINING_INVALID',
      `${who}: a feature is ${data[entry]}, but without binarize all are 0 or 1; set binarize`,
    )
  }
}
