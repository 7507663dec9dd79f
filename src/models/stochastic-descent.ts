/**
 * Stochastic gradient descent: a border between one label and the rest, learnt row by row, by the
 * rules of scikit-learn 1.9's SGDClassifier for sparse rows. sgd-classifier.ts says what is learnt.
 */
import { fail } from '../core/errors.ts'
import type { Random } from '../core/random.ts'
import type { SparseMatrix } from '../features/index.ts'
import { ScaledWeights } from './scaled-weights.ts'
import type { CheckedSgdOptions } from './sgd-classifier.ts'
import { type SgdLoss, sgdLosses } from './sgd-losses.ts'

export interface DescentProblem {
  /** Begins the messages of errors. */
  readonly who: string
  readonly matrix: SparseMatrix
  /** By row: 1 or -1. */
  readonly signs: Int8Array
  /** How much a row of sign 1 and one of sign -1 counts. */
  readonly positiveWeight: number
  readonly negativeWeight: number
  readonly options: CheckedSgdOptions
  /** Draws the order of the rows, where it is shuffled. */
  readonly random: Random
}

export interface Descent {
  readonly weights: Float64Array
  readonly intercept: number
  /** Over all steps from `options.average` on; null where no averages are asked for. */
  readonly averages: { readonly weights: Float64Array; readonly intercept: number } | null
  /** Passes over the rows. */
  readonly epochs: number
  /** False where `maxIter` came before the stopping rule. */
  readonly converged: boolean
}

/** Steps of the intercept are this much smaller, since every row has it: it would swing else. */
const interceptDecay = 0.01
/** No slope counts as steeper, whatever the scores became. */
const steepestSlope = 1e12

/** What goes on from row to row. */
interface State {
  intercept: number
  averageIntercept: number
  /** The length of a step. */
  rate: number
  /** Steps so far, and one. */
  time: number
  /** The l1 penalty that each weight should have had so far. */
  penalised: number
}

/** Throws `TRAINING_INVALID` where the weights leave the finite numbers. */
export function descend(problem: DescentProblem): Descent {
  const { matrix, options, random } = problem
  const weights = new ScaledWeights(matrix, options.average > 0)
  const hasL1 = options.penalty === 'l1' || options.penalty === 'elasticnet'
  const had = hasL1 ? new Float64Array(matrix.columns) : null
  const state = { intercept: 0, averageIntercept: 0, rate: options.eta0, time: 1, penalised: 0 }
  const order = Int32Array.from({ length: matrix.rows }, (_, row) => row)
  let least = Number.POSITIVE_INFINITY
  let idleEpochs = 0
  let epochs = 0
  let converged = false
  while (epochs < options.maxIter && !converged) {
    if (options.shuffle) shuffle(order, random)
    const objective = pass(problem, order, weights, had, state) / matrix.rows
    epochs++
    if (!Number.isFinite(state.intercept) || !weights.isFinite()) {
      throw fail(
        'TRAINING_INVALID',
        `${problem.who}: the weights left the finite numbers in epoch ${epochs}; scale the features or lower eta0`,
      )
    }
    idleEpochs = options.tol !== null && objective > least - options.tol ? idleEpochs + 1 : 0
    least = Math.min(least, objective)
    if (idleEpochs < options.nIterNoChange) continue
    if (options.learningRate === 'adaptive' && state.rate > 1e-6) {
      state.rate /= 5
      idleEpochs = 0
    } else {
      converged = true
    }
  }
  const { values, averages } = weights.settle()
  return {
    weights: values,
    intercept: state.intercept,
    averages: averages && { weights: averages, intercept: state.averageIntercept },
    epochs,
    converged,
  }
}

/** Learns from each row once, and returns the sum of what the rows cost before, with the penalty. */
function pass(
  problem: DescentProblem,
  order: Int32Array,
  weights: ScaledWeights,
  had: Float64Array | null,
  state: State,
): number {
  const { signs, options } = problem
  const { alpha, penalty, learningRate, average } = options
  const loss: SgdLoss = sgdLosses[options.loss]
  const l1Ratio = penalty === 'l1' ? 1 : penalty === 'elasticnet' ? options.l1Ratio : 0
  const isPassiveAggressive = learningRate === 'pa1' || learningRate === 'pa2'
  let objective = 0
  for (let place = 0; place < order.length; place++) {
    const row = order[place]!
    const sign = signs[row]!
    const score = weights.dot(row) + state.intercept
    setRate(options, state)
    objective += loss.cost(score, sign)
    if (penalty !== null && !isPassiveAggressive) {
      objective +=
        alpha * ((1 - l1Ratio) * 0.5 * weights.squaredNorm + l1Ratio * weights.absoluteNorm)
    }
    const step = stepOf(problem, loss, row, score, state.rate)
    // A row without features has no passive-aggressive step of the first kind: it does not count.
    if (step === null) continue
    if (penalty === 'l2' || penalty === 'elasticnet') {
      weights.shrink(Math.max(0, 1 - (1 - l1Ratio) * state.rate * alpha))
    }
    if (step !== 0) {
      weights.add(row, step)
      if (options.fitIntercept) state.intercept += step * interceptDecay
    }
    if (average > 0 && average <= state.time) {
      const count = state.time - average + 1
      weights.average(row, step, count)
      state.averageIntercept += (state.intercept - state.averageIntercept) / count
    }
    if (had !== null) {
      state.penalised += l1Ratio * state.rate * alpha
      weights.truncate(row, state.penalised, had)
    }
    state.time++
  }
  return objective
}

function setRate({ learningRate, alpha, eta0, powerT }: CheckedSgdOptions, state: State): void {
  if (learningRate === 'optimal') {
    // Bottou's t0: the first step is as long as a typical weight.
    const typicalWeight = Math.sqrt(1 / Math.sqrt(alpha))
    state.rate = 1 / (alpha * (1 / (typicalWeight * alpha) + state.time - 1))
  } else if (learningRate === 'invscaling') {
    state.rate = eta0 / state.time ** powerT
  }
}

/** What the row is multiplied by and added; null: the row is passed over. */
function stepOf(
  { matrix, signs, positiveWeight, negativeWeight, options }: DescentProblem,
  loss: SgdLoss,
  row: number,
  score: number,
  rate: number,
): number | null {
  const sign = signs[row]!
  const weight = sign > 0 ? positiveWeight : negativeWeight
  const { learningRate, eta0 } = options
  if (learningRate !== 'pa1' && learningRate !== 'pa2') {
    const slope = loss.slope(score, sign)
    return -rate * Math.max(-steepestSlope, Math.min(steepestSlope, slope)) * weight
  }
  // Crammer and others, "Online passive-aggressive algorithms", JMLR 7 (2006).
  const squares = squaredNorm(matrix, row)
  if (learningRate === 'pa1' && squares === 0) return null
  const cost = loss.cost(score, sign)
  const length =
    learningRate === 'pa1' ? Math.min(eta0, cost / squares) : cost / (squares + 0.5 / eta0)
  return sign * length * weight
}

function squaredNorm({ indptr, data }: SparseMatrix, row: number): number {
  const end = indptr[row + 1]!
  let squares = 0
  for (let entry = indptr[row]!; entry < end; entry++) squares += data[entry]! * data[entry]!
  return squares
}

/** Fisher and Yates. */
function shuffle(order: Int32Array, random: Random): void {
  for (let last = order.length - 1; last > 0; last--) {
    const place = Math.floor(random() * (last + 1))
    const row = order[last]!
    order[last] = order[place]!
    order[place] = row
  }
}
