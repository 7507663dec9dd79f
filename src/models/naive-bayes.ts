/** What the naive Bayes classifiers share: checked options, counts per label, priors. */
import { fail } from '../core/errors.ts'
import type { SparseMatrix } from '../features/index.ts'
import type { FitWeightsOptions } from './linear.ts'

export interface NaiveBayesOptions {
  /** Added to every count (Lidstone; 1 is Laplace): one number above 0. Default 1. */
  readonly alpha?: number
  /** Learn how common each label is; else all are equally likely. Default true. */
  readonly fitPrior?: boolean
  /** How likely each label is, in the order of the sorted labels. Default null: see `fitPrior`. */
  readonly classPrior?: readonly number[] | null
}

export type CheckedNaiveBayesOptions = Required<NaiveBayesOptions>

/**
 * Fills in the defaults of the shared options; `more` are the estimator's others, already taken out.
 * Throws `OPTIONS_INVALID`; `who` begins the message.
 */
export function checkNaiveBayesOptions(
  who: string,
  options: NaiveBayesOptions,
  more: readonly string[] = [],
): CheckedNaiveBayesOptions {
  const { alpha = 1, fitPrior = true, classPrior = null, ...unknown } = options
  const [name] = Object.keys(unknown)
  if (name !== undefined) {
    const known = ['alpha', 'fitPrior', 'classPrior', ...more].join(', ')
    throw optionsInvalid(who, `unknown option '${name}'; known: ${known}`)
  }
  if (Array.isArray(alpha)) {
    throw optionsInvalid(who, 'alpha is a list; one number for all features is supported')
  }
  // scikit-learn takes 0 as well, and answers with infinities.
  if (!(typeof alpha === 'number' && alpha > 0 && alpha < Number.POSITIVE_INFINITY)) {
    throw optionsInvalid(who, `alpha is ${alpha}; give a number above 0`)
  }
  checkBoolean(who, 'fitPrior', fitPrior)
  if (classPrior === null) return { alpha, fitPrior, classPrior }
  if (!Array.isArray(classPrior) || classPrior.some((prior) => !(prior > 0 && prior <= 1))) {
    throw optionsInvalid(
      who,
      `classPrior is ${JSON.stringify(classPrior)}; give a list of numbers above 0, at most 1`,
    )
  }
  return { alpha, fitPrior, classPrior: [...classPrior] }
}

/** Throws `OPTIONS_INVALID` unless it is true or false. */
export function checkBoolean(who: string, option: string, value: unknown): void {
  if (typeof value === 'boolean') return
  throw optionsInvalid(who, `${option} is ${String(value)}; give true or false`)
}

export function optionsInvalid(who: string, what: string) {
  return fail('OPTIONS_INVALID', `${who}: ${what}`)
}

/** The sum of each feature over the rows of each label: a row a label, a column a feature. */
export function countByLabel(
  { rows, columns, indptr, indices, data }: SparseMatrix,
  labelOfRow: Int32Array,
  labels: number,
): Float64Array {
  const sums = new Float64Array(labels * columns)
  for (let row = 0; row < rows; row++) {
    const start = labelOfRow[row]! * columns
    const end = indptr[row + 1]!
    for (let entry = indptr[row]!; entry < end; entry++) {
      sums[start + indices[entry]!]! += data[entry]!
    }
  }
  return sums
}

/** For how many features each column stands: what smoothing counts. */
export function multiplicitiesOf(
  { multiplicities }: FitWeightsOptions,
  { columns }: SparseMatrix,
): Float64Array {
  return multiplicities ?? new Float64Array(columns).fill(1)
}

/**
 * ln P(label), by `classPrior`, by the counts of rows, or all alike. Throws `OPTIONS_INVALID` for a
 * `classPrior` with another number of labels.
 */
export function logPriors(
  who: string,
  { classPrior, fitPrior }: CheckedNaiveBayesOptions,
  counts: Float64Array,
): Float64Array {
  checkPriorCount(who, classPrior, counts.length)
  if (classPrior !== null) return Float64Array.from(classPrior, Math.log)
  if (!fitPrior) return counts.map(() => -Math.log(counts.length))
  const rows = counts.reduce((sum, count) => sum + count, 0)
  return counts.map((count) => Math.log(count) - Math.log(rows))
}

export function checkPriorCount(
  who: string,
  classPrior: readonly number[] | null,
  labels: number,
): void {
  if (classPrior === null || classPrior.length === labels) return
  throw optionsInvalid(
    who,
    `classPrior has ${classPrior.length} numbers for ${labels} labels; give one each`,
  )
}

/** Throws `TRAINING_INVALID` for a feature below zero: naive Bayes counts. */
export function checkNotNegative(who: string, { data }: SparseMatrix): void {
  for (let entry = 0; entry < data.length; entry++) {
    if (data[entry]! >= 0) continue
    throw fail(
      'TRAINING_INVALID',
      `${who}: a feature is ${data[entry]}; give counts or tf-idf, not negative`,
    )
  }
}
