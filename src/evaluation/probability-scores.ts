/**
 * How good probabilities are, row by row: log loss and Brier score, with scikit-learn's meaning.
 * Lower is better. Undefined of no rows.
 */
import {
  checkProbabilities,
  checkSameLength,
  checkScoredRows,
  invalid,
  type ScoredRows,
} from './scored-rows.ts'

/**
 * The mean of `-ln p`, p being the probability that the row's true label was given (`log_loss`), in
 * nats. Probabilities are taken as at least 2^-52 and at most 1 - 2^-52, so one sure mistake costs
 * 36.04. Throws `EVALUATION_INVALID`.
 */
export function logLoss(rows: ScoredRows): number | undefined {
  checkScoredRows('logLoss', rows)
  const { truths, probabilities, labelCount } = rows
  const losses = new Float64Array(truths.length)
  for (let row = 0; row < losses.length; row++) {
    losses[row] = lossOf(probabilities[row * labelCount + truths[row]!]!)
  }
  return meanOf(losses)
}

/** `logLoss` of two labels, `probabilities[i]` being that of truth 1; truths are 0 or 1. */
export function binaryLogLoss(
  truths: ArrayLike<number>,
  probabilities: ArrayLike<number>,
): number | undefined {
  checkBinary('binaryLogLoss', truths, probabilities)
  const losses = new Float64Array(truths.length)
  for (let row = 0; row < losses.length; row++) {
    losses[row] = lossOf(truths[row] === 1 ? probabilities[row]! : 1 - probabilities[row]!)
  }
  return meanOf(losses)
}

/**
 * The mean squared distance of a row's probabilities from 1 for its true label and 0 for the rest
 * (`brier_score_loss`): from 0 to 2 with three labels and more, and halved with fewer, as
 * `scale_by_half='auto'` does, so that it goes from 0 to 1. Throws `EVALUATION_INVALID`.
 */
export function brierScore(rows: ScoredRows): number | undefined {
  checkScoredRows('brierScore', rows)
  const { truths, probabilities, labelCount } = rows
  const distances = new Float64Array(truths.length)
  for (let row = 0; row < distances.length; row++) {
    let distance = 0
    for (let label = 0; label < labelCount; label++) {
      const truth = truths[row] === label ? 1 : 0
      distance += (truth - probabilities[row * labelCount + label]!) ** 2
    }
    distances[row] = labelCount < 3 ? distance / 2 : distance
  }
  return meanOf(distances)
}

/** `brierScore` of two labels, `probabilities[i]` being that of truth 1; truths are 0 or 1. */
export function binaryBrierScore(
  truths: ArrayLike<number>,
  probabilities: ArrayLike<number>,
): number | undefined {
  checkBinary('binaryBrierScore', truths, probabilities)
  const distances = new Float64Array(truths.length)
  for (let row = 0; row < distances.length; row++) {
    distances[row] = (truths[row]! - probabilities[row]!) ** 2
  }
  return meanOf(distances)
}

function lossOf(probability: number): number {
  return -Math.log(Math.min(1 - Number.EPSILON, Math.max(Number.EPSILON, probability)))
}

/** By Neumaier's compensated sum: a million rows in any order give the same digits. */
function meanOf(values: Float64Array): number | undefined {
  if (values.length === 0) return undefined
  let sum = 0
  let lost = 0
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!
    const next = sum + value
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum
    sum = next
  }
  return (sum + lost) / values.length
}

function checkBinary(who: string, truths: ArrayLike<number>, probabilities: ArrayLike<number>) {
  checkSameLength(who, truths.length, probabilities.length, 'probabilities')
  for (let row = 0; row < truths.length; row++) {
    if (truths[row] === 0 || truths[row] === 1) continue
    throw invalid(who, `truth ${row} is ${truths[row]}; give 0 or 1`)
  }
  checkProbabilities(who, probabilities)
}
