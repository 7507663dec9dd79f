/**
 * SGDClassifier, with scikit-learn's meaning: linear models learnt row by row, a border between each
 * label and the rest. Use it where rows are many; it is the fastest of the estimators by far.
 */
import { seededRandom } from '../core/random.ts'
import type { SparseMatrix } from '../features/index.ts'
import {
  checkBoolean,
  checkChoice,
  checkCount,
  checkNames,
  checkNotNegative,
  checkPositive,
  optionInvalid,
} from './estimator-options.ts'
import type { FitWeightsOptions, LinearEstimator } from './linear.ts'
import { type SgdLossName, sgdLossNames } from './sgd-losses.ts'
import { type Descent, descend } from './stochastic-descent.ts'
import {
  type ClassWeight,
  checkClassWeight,
  classWeights,
  type EncodedLabels,
  encodeTrainingRows,
} from './training-rows.ts'

export interface SGDClassifierOptions {
  /**
   * What a row costs: 'hinge' is a linear support vector machine, 'log_loss' logistic regression,
   * whose scores become probabilities as they are. Default 'hinge'.
   */
  readonly loss?: SgdLossName
  /** What large weights cost: their squares, their magnitudes, both, or nothing. Default 'l2'. */
  readonly penalty?: 'l2' | 'l1' | 'elasticnet' | null
  /** How much the penalty counts, from 0, and above it for the rate 'optimal'. Default 1e-4. */
  readonly alpha?: number
  /** The share of 'l1' in 'elasticnet', from 0 to 1. Default 0.15. */
  readonly l1Ratio?: number
  /** Learn a constant for each label, which is not penalised. Default true. */
  readonly fitIntercept?: boolean
  /** Passes over the rows at most. Default 1000. */
  readonly maxIter?: number
  /**
   * Stops after `nIterNoChange` passes in a row in which the mean of what rows cost did not fall by
   * this below the least so far; null: after `maxIter`. Default 1e-3.
   */
  readonly tol?: number | null
  /**
   * Visit the rows in another order in each pass, by the seed; the orders are not scikit-learn's.
   * Default true.
   */
  readonly shuffle?: boolean
  /**
   * How long steps are. 'optimal': `1 / (alpha * (t + t0))`; 'constant': `eta0`; 'invscaling':
   * `eta0 / t ** powerT`; 'adaptive': `eta0`, a fifth of it each time the stopping rule is met;
   * 'pa1' and 'pa2': passive-aggressive, with 'hinge' only. Default 'optimal'.
   */
  readonly learningRate?: 'optimal' | 'constant' | 'invscaling' | 'adaptive' | 'pa1' | 'pa2'
  /** Above 0; see `learningRate`. Default 0.01. */
  readonly eta0?: number
  /** From 0; see `learningRate`. Default 0.5. */
  readonly powerT?: number
  /**
   * How much labels count. As in scikit-learn, with three labels or more the weight of a label is
   * that of its own rows where its border is drawn; all other rows count 1 there. Default null.
   */
  readonly classWeight?: ClassWeight
  /** Take the mean of the weights over all steps, or over those from this one on. Default false. */
  readonly average?: boolean | number
  /** See `tol`. Default 5. */
  readonly nIterNoChange?: number
}

export type CheckedSgdOptions = Required<Omit<SGDClassifierOptions, 'average'>> & {
  /** The first step whose weights are averaged; 0: none. */
  readonly average: number
}

const who = 'sgdClassifier'
const defaults: Required<SGDClassifierOptions> = {
  loss: 'hinge',
  penalty: 'l2',
  alpha: 1e-4,
  l1Ratio: 0.15,
  fitIntercept: true,
  maxIter: 1000,
  tol: 1e-3,
  shuffle: true,
  learningRate: 'optimal',
  eta0: 0.01,
  powerT: 0.5,
  classWeight: null,
  average: false,
  nIterNoChange: 5,
}
const rates = ['optimal', 'constant', 'invscaling', 'adaptive', 'pa1', 'pa2'] as const
const penalties = ['l2', 'l1', 'elasticnet', null] as const
const reasons = {
  earlyStopping:
    "option 'earlyStopping' is not there: it always stops by what the training rows cost, see tol",
  validationFraction: "option 'validationFraction' is not there: no rows are held back",
  randomState: "option 'randomState' is not there: give the seed to fit",
}

/**
 * Learns a border between each label and the rest. 'log_loss' gives 'one-vs-rest' scores, all others
 * margins; that is so for 'modified_huber' too, whose clipped scores scikit-learn takes for
 * probabilities. Throws `OPTIONS_INVALID`; `fitWeights` throws `TRAINING_INVALID`, also where weights
 * leave the finite numbers.
 */
export function sgdClassifier(given: SGDClassifierOptions = {}): LinearEstimator {
  const options = check(given)
  return {
    name: 'sgd-classifier',
    options: { ...options },
    fitWeights<Label extends string>(
      matrix: SparseMatrix,
      labels: readonly Label[],
      { seed }: FitWeightsOptions,
    ) {
      const encoded = encodeTrainingRows(who, matrix, labels)
      return {
        labels: encoded.classes,
        ...learn(matrix, encoded, options, seed),
        scoreKind: options.loss === 'log_loss' ? ('one-vs-rest' as const) : ('margin' as const),
        binarize: null,
      }
    },
  }
}

function learn(
  matrix: SparseMatrix,
  encoded: EncodedLabels,
  options: CheckedSgdOptions,
  seed: number,
) {
  const { classes, indexes } = encoded
  const byLabel = classWeights(who, encoded, options.classWeight)
  const random = seededRandom(seed)
  const descents: Descent[] = []
  const firstLabel = classes.length === 2 ? 1 : 0
  for (let label = firstLabel; label < classes.length; label++) {
    const signs = Int8Array.from(indexes, (index) => (index === label ? 1 : -1))
    const positiveWeight = byLabel[label]!
    const negativeWeight = firstLabel === 1 ? byLabel[0]! : 1
    descents.push(descend({ who, matrix, signs, positiveWeight, negativeWeight, options, random }))
  }
  // As in scikit-learn, averages that began after the last step are not taken.
  const steps = Math.max(...descents.map(({ epochs }) => epochs)) * matrix.rows
  const coefficients = new Float64Array(classes.length * matrix.columns)
  const intercepts = new Float64Array(classes.length)
  for (const [index, descent] of descents.entries()) {
    const label = firstLabel + index
    const { weights, intercept } =
      descent.averages !== null && options.average <= steps ? descent.averages : descent
    coefficients.set(weights, label * matrix.columns)
    intercepts[label] = intercept
  }
  return { coefficients, intercepts, warnings: warningsOf(descents, firstLabel, classes, options) }
}

function warningsOf(
  descents: readonly Descent[],
  firstLabel: number,
  classes: readonly string[],
  { tol, maxIter }: CheckedSgdOptions,
): string[] {
  if (tol === null) return []
  const left = descents.flatMap(({ converged }, index) =>
    converged ? [] : [`'${classes[firstLabel + index]}'`],
  )
  if (left.length === 0) return []
  return [
    `did not converge in ${maxIter} iterations for ${left.slice(0, 5).join(', ')}${left.length > 5 ? ` and ${left.length - 5} more` : ''}; raise maxIter or scale the features`,
  ]
}

function check(given: SGDClassifierOptions): CheckedSgdOptions {
  checkNames(who, given, Object.keys(defaults), reasons)
  const options = { ...defaults }
  Object.assign(
    options,
    Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  )
  checkChoice(who, 'loss', options.loss, sgdLossNames)
  checkChoice(who, 'penalty', options.penalty, penalties)
  checkChoice(who, 'learningRate', options.learningRate, rates)
  for (const name of ['alpha', 'powerT'] as const) checkNotNegative(who, name, options[name])
  checkPositive(who, 'eta0', options.eta0)
  for (const name of ['fitIntercept', 'shuffle'] as const) checkBoolean(who, name, options[name])
  for (const name of ['maxIter', 'nIterNoChange'] as const) checkCount(who, name, options[name])
  if (options.tol !== null) checkNotNegative(who, 'tol', options.tol)
  if (!(options.l1Ratio >= 0 && options.l1Ratio <= 1)) {
    throw optionInvalid(who, `l1Ratio is ${options.l1Ratio}; give a number from 0 to 1`)
  }
  if (options.learningRate === 'optimal' && options.alpha === 0) {
    throw optionInvalid(who, "alpha is 0, by which learningRate 'optimal' divides; give more")
  }
  if (options.learningRate.startsWith('pa') && options.loss !== 'hinge') {
    throw optionInvalid(who, `learningRate '${options.learningRate}' is for the loss 'hinge' only`)
  }
  if (typeof options.average !== 'boolean') checkCount(who, 'average', options.average)
  const classWeight = checkClassWeight(who, options.classWeight)
  return { ...options, classWeight, average: Number(options.average) }
}
