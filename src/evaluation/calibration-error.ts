/**
 * Whether a confidence of 0.8 is right 8 times in 10: the expected calibration error and the bins
 * behind it, for a picture.
 */
import { type ConfidenceOrder, confidenceOrder } from './confidence-order.ts'
import { invalid, type ScoredRows } from './scored-rows.ts'

/** Answers of similar confidence. */
export interface ReliabilityBin {
  readonly count: number
  readonly lowestConfidence: number
  readonly highestConfidence: number
  readonly meanConfidence: number
  /** The share of right answers among them: `meanConfidence`, if the model is calibrated. */
  readonly accuracy: number
}

/** The likeliest label of each row (the first of equals): whether it is right, and its probability. */
export interface TopLabels {
  readonly predictions: Int32Array
  readonly isRight: Uint8Array
  readonly confidences: Float64Array
}

/**
 * The bins of rising confidence, as equal in size as can be: the answers in the order of their
 * confidence, cut into `binCount` runs as `numpy.array_split` does (the first ones have one more
 * where it does not come out even). Answers of one confidence that are cut apart go into both bins
 * with the accuracy that they have together. Bins without answers are left out. Throws
 * `EVALUATION_INVALID`.
 */
export function reliabilityCurve(
  isRight: ArrayLike<number>,
  confidences: ArrayLike<number>,
  binCount = 15,
): ReliabilityBin[] {
  if (!(Number.isInteger(binCount) && binCount >= 1)) {
    throw invalid('reliabilityCurve', `binCount is ${binCount}; give a whole number from 1`)
  }
  const order = confidenceOrder('reliabilityCurve', isRight, confidences)
  const bins: ReliabilityBin[] = []
  const size = Math.floor(isRight.length / binCount)
  const larger = isRight.length % binCount
  for (let bin = 0, start = 0; bin < binCount && start < isRight.length; bin++) {
    const end = start + size + (bin < larger ? 1 : 0)
    bins.push(binOf(order, start, end))
    start = end
  }
  return bins
}

/**
 * The expected calibration error: the mean distance of accuracy and mean confidence over the bins of
 * `reliabilityCurve`, each weighing as many answers as it has. From 0, which is best, to 1; undefined
 * of no answers. Confidence is that of the answer given (Naeini et al. 2015), bins have equal mass
 * (adaptive, Nixon et al. 2019). Throws `EVALUATION_INVALID`.
 */
export function expectedCalibrationError(
  isRight: ArrayLike<number>,
  confidences: ArrayLike<number>,
  binCount = 15,
): number | undefined {
  return calibrationErrorOf(reliabilityCurve(isRight, confidences, binCount))
}

/** The expected calibration error of bins at hand. */
export function calibrationErrorOf(bins: readonly ReliabilityBin[]): number | undefined {
  let count = 0
  let sum = 0
  for (const bin of bins) {
    count += bin.count
    sum += bin.count * Math.abs(bin.accuracy - bin.meanConfidence)
  }
  return count === 0 ? undefined : sum / count
}

/** What the rows' highest probabilities say. A truth that is no index of a label is never right. */
export function topLabels({ truths, probabilities, labelCount }: ScoredRows): TopLabels {
  const predictions = new Int32Array(truths.length)
  const isRight = new Uint8Array(truths.length)
  const confidences = new Float64Array(truths.length)
  for (let row = 0; row < truths.length; row++) {
    const start = row * labelCount
    let best = 0
    for (let label = 1; label < labelCount; label++) {
      if (probabilities[start + label]! > probabilities[start + best]!) best = label
    }
    predictions[row] = best
    isRight[row] = truths[row] === best ? 1 : 0
    confidences[row] = probabilities[start + best]!
  }
  return { predictions, isRight, confidences }
}

function binOf(order: ConfidenceOrder, start: number, end: number): ReliabilityBin {
  let confidence = 0
  let right = 0
  for (let row = start; row < end; row++) {
    confidence += order.confidences[row]!
    right += order.rightShares[row]!
  }
  return {
    count: end - start,
    lowestConfidence: order.confidences[start]!,
    highestConfidence: order.confidences[end - 1]!,
    meanConfidence: confidence / (end - start),
    accuracy: right / (end - start),
  }
}
