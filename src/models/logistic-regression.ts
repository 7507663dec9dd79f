/**
 * LogisticRegression, with scikit-learn's meaning: the softmax of linear scores, or with two labels
 * the logistic function of one. Use it where probabilities matter; it needs no calibration.
 */
import { fail } from '../core/errors.ts'
import type { SparseMatrix } from '../features/index.ts'
import { compactColumns } from './compact-columns.ts'
import { checkBoolean, checkCount, checkNames, checkPositive } from './estimator-options.ts'
import { type Minimum, minimise } from './lbfgs.ts'
import type { LinearEstimator } from './linear.ts'
import { logisticObjective } from './logistic-loss.ts'
import {
  type ClassWeight,
  checkClassWeight,
  classWeights,
  encodeTrainingRows,
} from './training-rows.ts'

export interface LogisticRegressionOptions {
  /** How much the rows count against the penalty, above 0: the larger, the closer they are followed. Default 1. */
  readonly C?: number
  /** Stops where no slope of the mean loss is steeper than this, above 0. Default 1e-4. */
  readonly tol?: number
  /** Learn a constant for each label, which is not penalised. Default true. */
  readonly fitIntercept?: boolean
  /** How much labels count. Default null: all rows alike. */
  readonly classWeight?: ClassWeight
  /** Steps at most; a fit that needs more says so in its `warnings`. Default 100. */
  readonly maxIter?: number
}

const who = 'logisticRegression'
const known = ['C', 'tol', 'fitIntercept', 'classWeight', 'maxIter']
const reasons = {
  penalty: "option 'penalty' is not there, the penalty is always l2",
  l1Ratio: "option 'l1Ratio' is not there, the penalty is always l2",
  solver: "option 'solver' is not there, it is always L-BFGS",
}

/**
 * Learns the weights that make `0.5 |coefficients|² + C * the sum of the rows' logarithmic losses`
 * smallest, rows weighted by their label where asked. Throws `OPTIONS_INVALID`; `fitWeights` throws
 * `TRAINING_INVALID`. Source: scikit-learn's LogisticRegression with its default solver.
 */
export function logisticRegression(given: LogisticRegressionOptions = {}): LinearEstimator {
  const options = check(given)
  return {
    name: 'logistic-regression',
    options: { ...options },
    fitWeights<Label extends string>(matrix: SparseMatrix, labels: readonly Label[]) {
      const encoded = encodeTrainingRows(who, matrix, labels)
      const { classes, indexes } = encoded
      const byLabel = classWeights(who, encoded, options.classWeight)
      const rowWeights = Float64Array.from(indexes, (index) => byLabel[index]!)
      return {
        labels: classes,
        ...learn(matrix, indexes, rowWeights, classes.length, options),
        scoreKind: 'softmax' as const,
        binarize: null,
      }
    },
  }
}

function learn(
  given: SparseMatrix,
  labelOfRow: Int32Array,
  rowWeights: Float64Array,
  labels: number,
  { C, tol, fitIntercept, maxIter }: Required<LogisticRegressionOptions>,
) {
  const totalWeight = rowWeights.reduce((sum, weight) => sum + weight, 0)
  if (!(totalWeight > 0)) {
    throw fail('TRAINING_INVALID', `${who}: no row counts; raise classWeight above 0 for a label`)
  }
  const { matrix, places, factors } = compactColumns(given)
  const outputs = labels === 2 ? 1 : labels
  const weightCount = matrix.columns * outputs
  const penalty = 1 / (C * totalWeight)
  const problem = { matrix, labelOfRow, rowWeights, outputs, fitIntercept, penalty }
  const start = new Float64Array(weightCount + (fitIntercept ? outputs : 0))
  const { x, stopped } = minimise(logisticObjective(problem), start, {
    tolerance: tol,
    maxIterations: maxIter,
  })
  const coefficients = new Float64Array(labels * given.columns)
  const intercepts = new Float64Array(labels)
  const firstLabel = labels - outputs
  for (let output = 0; output < outputs; output++) {
    const rowStart = (firstLabel + output) * given.columns
    for (let column = 0; column < given.columns; column++) {
      const place = places[column]!
      if (place < 0) continue
      coefficients[rowStart + column] = factors[column]! * x[place * outputs + output]!
    }
    if (fitIntercept) intercepts[firstLabel + output] = x[weightCount + output]!
  }
  return { coefficients, intercepts, warnings: warningsOf(stopped, maxIter) }
}

function warningsOf(stopped: Minimum['stopped'], maxIter: number): string[] {
  return stopped === 'iterations'
    ? [`did not converge in ${maxIter} iterations; raise maxIter or scale the features`]
    : []
}

function check(given: LogisticRegressionOptions): Required<LogisticRegressionOptions> {
  checkNames(who, given, known, reasons)
  const { C = 1, tol = 1e-4, fitIntercept = true, classWeight = null, maxIter = 100 } = given
  checkPositive(who, 'C', C)
  checkPositive(who, 'tol', tol)
  checkBoolean(who, 'fitIntercept', fitIntercept)
  checkCount(who, 'maxIter', maxIter)
  return { C, tol, fitIntercept, classWeight: checkClassWeight(who, classWeight), maxIter }
}
