/**
 * What it is worth that a classifier may abstain (answer 'unknown'): how many rows it answers, and
 * how right it is on those.
 */
import { unknownLabel } from '../models/model.ts'
import { confidenceOrder } from './confidence-order.ts'
import { checkSameLength, invalid } from './scored-rows.ts'
import { share } from './summary.ts'

/** A share of a count of rows is compared with whole numbers: it may be wrong by this. */
const rounding = 1e-6

export interface SelectiveReport {
  readonly count: number
  /** How many got an answer that is not 'unknown'. */
  readonly answeredCount: number
  /** The share of those: from 0 to 1. */
  readonly coverage: number
  /** The share of right answers among them; undefined where nothing was answered. */
  readonly answeredAccuracy: number | undefined
  /** The share of right answers among all rows: 'unknown' is wrong, unless it is the truth. */
  readonly accuracy: number
}

export interface SelectiveRows {
  readonly truths: readonly string[]
  readonly predictions: readonly string[]
  /** The answer that is none. Default 'unknown'. */
  readonly unknown?: string | undefined
}

/** Coverage and accuracy of answers of which some are 'unknown'. Throws `EVALUATION_INVALID`. */
export function selective({
  truths,
  predictions,
  unknown = unknownLabel,
}: SelectiveRows): SelectiveReport {
  checkSameLength('selective', truths.length, predictions.length, 'predictions')
  let answeredCount = 0
  let answeredRight = 0
  let right = 0
  for (let row = 0; row < truths.length; row++) {
    const isAnswered = predictions[row] !== unknown
    const isRight = predictions[row] === truths[row]
    if (isAnswered) answeredCount++
    if (isRight) right++
    if (isAnswered && isRight) answeredRight++
  }
  return {
    count: truths.length,
    answeredCount,
    coverage: share(answeredCount, truths.length),
    answeredAccuracy: answeredCount === 0 ? undefined : answeredRight / answeredCount,
    accuracy: share(right, truths.length),
  }
}

/** What comes of answering only where the confidence is at least `threshold`. */
export interface CoveragePoint {
  readonly threshold: number
  readonly answeredCount: number
  readonly coverage: number
  /** The share of right answers among the answered. */
  readonly accuracy: number
}

/**
 * Accuracy against coverage: a point for each confidence that occurs, from the highest, which answers
 * least, to the lowest, which answers all rows. With more than `maxPoints` of them, that many, spread
 * evenly, the last one among them. `isRight[i]` is 1 where answer i is right and 0 where not. Throws
 * `EVALUATION_INVALID`.
 */
export function coverageCurve(
  isRight: ArrayLike<number>,
  confidences: ArrayLike<number>,
  maxPoints = 1000,
): CoveragePoint[] {
  if (!(Number.isInteger(maxPoints) && maxPoints >= 1)) {
    throw invalid('coverageCurve', `maxPoints is ${maxPoints}; give a whole number from 1`)
  }
  const steps = stepsOf(isRight, confidences)
  const kept = Math.min(maxPoints, steps.ends.length)
  return Array.from({ length: kept }, (_, point) =>
    pointOf(steps, Math.ceil(((point + 1) * steps.ends.length) / kept) - 1),
  )
}

/**
 * How right the most confident answers are: those of the highest threshold that answers at least the
 * share `coverage` of the rows. Answers of one confidence stay together, so it may be more. Undefined
 * of no rows. Throws `EVALUATION_INVALID`.
 */
export function precisionAtCoverage(
  isRight: ArrayLike<number>,
  confidences: ArrayLike<number>,
  coverage: number,
): CoveragePoint | undefined {
  return precisionAtCoverages(isRight, confidences, [coverage])[0]
}

/** `precisionAtCoverage` of several shares at once; none of no rows. Throws `EVALUATION_INVALID`. */
export function precisionAtCoverages(
  isRight: ArrayLike<number>,
  confidences: ArrayLike<number>,
  coverages: readonly number[],
): CoveragePoint[] {
  for (const coverage of coverages) checkShare('precisionAtCoverage', 'coverage', coverage)
  const steps = stepsOf(isRight, confidences)
  if (steps.count === 0) return []
  return coverages.map((coverage) => {
    const wanted = coverage * steps.count - rounding
    return pointOf(
      steps,
      steps.ends.findIndex((end) => end >= wanted),
    )
  })
}

/**
 * The `minConfidence` to set: the lowest threshold whose answers are right at least in the share
 * `precision`, so the most coverage at that precision. Undefined where no threshold is good enough.
 * It was chosen on these rows, so expect a little less on others. Throws `EVALUATION_INVALID`.
 */
export function coverageAtPrecision(
  isRight: ArrayLike<number>,
  confidences: ArrayLike<number>,
  precision: number,
): CoveragePoint | undefined {
  checkShare('coverageAtPrecision', 'precision', precision)
  const steps = stepsOf(isRight, confidences)
  const step = steps.ends.findLastIndex(
    (end, index) => steps.rights[index]! >= precision * end - rounding,
  )
  return step < 0 ? undefined : pointOf(steps, step)
}

/** By different confidence, falling: how many answers are at least as confident, how many right. */
interface Steps {
  readonly count: number
  readonly thresholds: Float64Array
  readonly ends: Float64Array
  readonly rights: Float64Array
}

function stepsOf(isRight: ArrayLike<number>, confidences: ArrayLike<number>): Steps {
  const order = confidenceOrder('coverage', isRight, confidences)
  const count = isRight.length
  const thresholds = new Float64Array(count)
  const ends = new Float64Array(count)
  const rights = new Float64Array(count)
  let steps = 0
  let right = 0
  for (let last = count - 1; last >= 0; ) {
    const confidence = order.confidences[last]!
    let first = last
    while (first > 0 && order.confidences[first - 1] === confidence) first--
    // A whole number: the share was made of this one and the same divisor.
    right += Math.round(order.rightShares[first]! * (last - first + 1))
    thresholds[steps] = confidence
    ends[steps] = count - first
    rights[steps++] = right
    last = first - 1
  }
  return {
    count,
    thresholds: thresholds.subarray(0, steps),
    ends: ends.subarray(0, steps),
    rights: rights.subarray(0, steps),
  }
}

function pointOf({ count, thresholds, ends, rights }: Steps, step: number): CoveragePoint {
  return {
    threshold: thresholds[step]!,
    answeredCount: ends[step]!,
    coverage: ends[step]! / count,
    accuracy: rights[step]! / ends[step]!,
  }
}

function checkShare(who: string, name: string, value: number): void {
  if (value >= 0 && value <= 1) return
  throw invalid(who, `${name} is ${value}; give a number from 0 to 1`)
}
