/**
 * MultinomialNB: naive Bayes over counts or tf-idf, with scikit-learn's meaning. The first model to
 * try on text: it learns in one pass and is hard to beat on short ones.
 */
import { fail } from '../core/errors.ts'
import type { SparseMatrix } from '../features/index.ts'
import { argmax, type LinearEstimator, linearScores } from './linear.ts'
import { softmax } from './link.ts'
import { encodeTrainingRows } from './training-rows.ts'

export interface MultinomialNBOptions {
  /** Added to every count (Lidstone, 1 is Laplace), above zero. Default 1. */
  readonly alpha?: number
  /** Learn how common each class is; else all are equally likely. Default true. */
  readonly fitPrior?: boolean
  /** How likely each class is, in the order of the sorted labels. Default null: see `fitPrior`. */
  readonly classPrior?: readonly number[] | null
}

export class MultinomialNB<Label extends string = string> {
  readonly options: Required<MultinomialNBOptions>
  #classes: readonly Label[] = []
  #featureCount: Float64Array = new Float64Array(0)
  #featureLogProb: Float64Array = new Float64Array(0)
  #classLogPrior: Float64Array = new Float64Array(0)

  /** Throws `OPTIONS_INVALID`. */
  constructor(options: MultinomialNBOptions = {}) {
    const { alpha = 1, fitPrior = true, classPrior = null, ...unknown } = options
    const [name] = Object.keys(unknown)
    if (name !== undefined) {
      throw invalid(`unknown option '${name}'; known: alpha, fitPrior, classPrior`)
    }
    // scikit-learn takes 0 as well, and answers with infinities.
    if (!(alpha > 0 && alpha < Number.POSITIVE_INFINITY)) {
      throw invalid(`alpha is ${alpha}; give a number above 0`)
    }
    if (classPrior?.some((prior) => !(prior > 0 && prior <= 1))) {
      throw invalid(`classPrior is [${classPrior.join(', ')}]; give numbers above 0, at most 1`)
    }
    this.options = { alpha, fitPrior, classPrior }
  }

  /** The labels, sorted by code point. */
  get classes(): readonly Label[] {
    return this.#classes
  }

  /** What was counted, a row a class, a column a feature. */
  get featureCount(): Float64Array {
    return this.#featureCount
  }

  /** ln P(feature | class), a row a class, a column a feature. */
  get featureLogProb(): Float64Array {
    return this.#featureLogProb
  }

  /** ln P(class). */
  get classLogPrior(): Float64Array {
    return this.#classLogPrior
  }

  /**
   * Learns from rows of counts (or tf-idf) and the label of each. Throws `TRAINING_INVALID` for no
   * rows, one class, no feature, a value that is negative or not finite.
   */
  fit(matrix: SparseMatrix, labels: readonly Label[]): this {
    const { classes, indexes, counts } = encodeTrainingRows('naive Bayes', matrix, labels)
    checkNotNegative(matrix)
    const featureCount = new Float64Array(classes.length * matrix.columns)
    for (let row = 0; row < matrix.rows; row++) {
      const start = indexes[row]! * matrix.columns
      for (let entry = matrix.indptr[row]!; entry < matrix.indptr[row + 1]!; entry++) {
        featureCount[start + matrix.indices[entry]!]! += matrix.data[entry]!
      }
    }
    this.#classLogPrior = this.#prior(counts)
    this.#featureLogProb = logProbabilities(featureCount, matrix.columns, this.options.alpha)
    this.#featureCount = featureCount
    this.#classes = classes
    return this
  }

  /** ln P(row, class), a row a row, a column a class: the score before normalising. */
  jointLogLikelihood(matrix: SparseMatrix): Float64Array {
    if (this.#classes.length === 0) {
      throw fail('TRAINING_INVALID', 'naive Bayes: nothing learnt yet; call fit first')
    }
    const columns = this.#featureLogProb.length / this.#classes.length
    if (matrix.columns !== columns) {
      throw fail(
        'TRAINING_INVALID',
        `naive Bayes: learnt ${columns} features, given ${matrix.columns}; use the same vectoriser`,
      )
    }
    return linearScores(
      {
        labels: this.#classes,
        coefficients: this.#featureLogProb,
        intercepts: this.#classLogPrior,
        binarize: null,
      },
      matrix,
    )
  }

  /** Probabilities, a row a row, a column a class. */
  predictProba(matrix: SparseMatrix): Float64Array {
    const scores = this.jointLogLikelihood(matrix)
    const count = this.#classes.length
    for (let start = 0; start < scores.length; start += count) softmax(scores, start, count)
    return scores
  }

  /** The likeliest class of each row; the first of equals. */
  predict(matrix: SparseMatrix): Label[] {
    const scores = this.jointLogLikelihood(matrix)
    const count = this.#classes.length
    return Array.from(
      { length: matrix.rows },
      (_, row) => this.#classes[argmax(scores, row * count, count)]!,
    )
  }

  #prior(classCount: Float64Array): Float64Array {
    const { classPrior, fitPrior } = this.options
    if (classPrior !== null) {
      if (classPrior.length !== classCount.length) {
        throw invalid(
          `classPrior has ${classPrior.length} numbers for ${classCount.length} labels; give one each`,
        )
      }
      return Float64Array.from(classPrior, Math.log)
    }
    if (!fitPrior) return classCount.map(() => -Math.log(classCount.length))
    const rows = classCount.reduce((sum, count) => sum + count, 0)
    return classCount.map((count) => Math.log(count) - Math.log(rows))
  }
}

/** MultinomialNB for `textClassifier`. Throws `OPTIONS_INVALID`. */
export function multinomialNB(options: MultinomialNBOptions = {}): LinearEstimator {
  const checked = new MultinomialNB(options).options
  return {
    name: 'multinomial-nb',
    options: { ...checked },
    fitWeights<Label extends string>(matrix: SparseMatrix, labels: readonly Label[]) {
      const fitted = new MultinomialNB<Label>(checked).fit(matrix, labels)
      return {
        labels: fitted.classes,
        coefficients: fitted.featureLogProb,
        intercepts: fitted.classLogPrior,
        scoreKind: 'softmax' as const,
        binarize: null,
      }
    },
  }
}

function logProbabilities(featureCount: Float64Array, columns: number, alpha: number) {
  const logs = new Float64Array(featureCount.length)
  for (let start = 0; start < featureCount.length; start += columns) {
    let total = 0
    for (let cell = start; cell < start + columns; cell++) total += featureCount[cell]! + alpha
    const logTotal = Math.log(total)
    for (let cell = start; cell < start + columns; cell++) {
      logs[cell] = Math.log(featureCount[cell]! + alpha) - logTotal
    }
  }
  return logs
}

function checkNotNegative({ data }: SparseMatrix): void {
  for (let entry = 0; entry < data.length; entry++) {
    if (data[entry]! >= 0) continue
    throw fail(
      'TRAINING_INVALID',
      `naive Bayes: a feature is ${data[entry]}; give counts or tf-idf, not negative`,
    )
  }
}

function invalid(what: string) {
  return fail('OPTIONS_INVALID', `naive Bayes: ${what}`)
}
