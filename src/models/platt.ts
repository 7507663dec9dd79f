/**
 * Platt's sigmoid: the logistic curve through scores and truths that makes scores probabilities.
 * Two numbers to learn, so a few dozen rows are enough.
 *
 * Platt, "Probabilistic Outputs for Support Vector Machines", 1999, with the targets and the Newton
 * steps of Lin, Lin and Weng, "A Note on Platt's Probabilistic Outputs", Machine Learning 68, 2007.
 */
import { logistic } from './link.ts'

const maxSteps = 200

/** P(yes | score) = 1 / (1 + exp(-(slope * score + offset))). */
export interface Sigmoid {
  readonly slope: number
  readonly offset: number
}

/**
 * The curve of the highest likelihood, towards targets that are a little off 0 and 1, so that it is
 * finite even where scores separate the rows. scikit-learn's `_SigmoidCalibration` looks for the same
 * one (its a is -slope, its b -offset). Scores that are all equal give slope 0. `isYes` has 1 or 0 a
 * score; there is one score at least.
 */
export function fitSigmoid(scores: Float64Array, isYes: Uint8Array): Sigmoid {
  const { values, centre, halfWidth } = toUnitRange(scores)
  const targets = smoothedTargets(isYes)
  const mean = targets.reduce((sum, target) => sum + target, 0) / targets.length
  const start = { slope: 0, offset: Math.log(mean / (1 - mean)) }
  if (halfWidth === 0) return start
  const { slope, offset } = descend(values, targets, start)
  return { slope: slope / halfWidth, offset: offset - slope * (centre / halfWidth) }
}

/** To -1..1, so that scores of any size are as easy to fit; the width is 0 where all are equal. */
function toUnitRange(scores: Float64Array) {
  let lowest = Number.POSITIVE_INFINITY
  let highest = Number.NEGATIVE_INFINITY
  for (const score of scores) {
    if (score < lowest) lowest = score
    if (score > highest) highest = score
  }
  const centre = lowest / 2 + highest / 2
  const width = highest / 2 - lowest / 2
  // Scores that differ by their rounding alone are equal: it says nothing, and the slope would be huge.
  const halfWidth = width > Math.max(1e-12 * Math.abs(centre), 1e-290) ? width : 0
  const values = scores.map((score) => (halfWidth === 0 ? 0 : (score - centre) / halfWidth))
  return { values, centre, halfWidth }
}

function smoothedTargets(isYes: Uint8Array): Float64Array {
  const yes = isYes.reduce((sum, value) => sum + value, 0)
  const no = isYes.length - yes
  return Float64Array.from(isYes, (value) => (value === 1 ? (yes + 1) / (yes + 2) : 1 / (no + 2)))
}

/** Newton's method with halved steps; the loss is convex, so where it ends is the optimum. */
function descend(values: Float64Array, targets: Float64Array, start: Sigmoid): Sigmoid {
  let at = start
  let loss = lossAt(values, targets, at)
  for (let step = 0; step < maxSteps; step++) {
    const { slope, offset, decrease } = newtonStep(values, targets, at)
    // Half the decrease is what the loss can still fall by: below rounding, this is the optimum.
    if (!(decrease > 1e-18 * targets.length)) break
    let share = 1
    let next = at
    let nextLoss = Number.POSITIVE_INFINITY
    for (; share > 1e-12; share /= 2) {
      next = { slope: at.slope + share * slope, offset: at.offset + share * offset }
      nextLoss = lossAt(values, targets, next)
      if (nextLoss <= loss - 1e-4 * share * decrease) break
    }
    // Near the optimum a full step is better than the loss can show.
    if (!(nextLoss < loss)) {
      if (decrease < 1e-9 * Math.max(1, loss)) {
        at = { slope: at.slope + slope, offset: at.offset + offset }
      }
      break
    }
    at = next
    loss = nextLoss
  }
  return at
}

function lossAt(values: Float64Array, targets: Float64Array, { slope, offset }: Sigmoid): number {
  let loss = 0
  for (let row = 0; row < values.length; row++) {
    const raw = slope * values[row]! + offset
    // ln(1 + exp(raw)) - target * raw, without overflow.
    loss += Math.max(raw, 0) + Math.log1p(Math.exp(-Math.abs(raw))) - targets[row]! * raw
  }
  return loss
}

function newtonStep(values: Float64Array, targets: Float64Array, { slope, offset }: Sigmoid) {
  let slopeGradient = 0
  let offsetGradient = 0
  let slopeSlope = 1e-14
  let slopeOffset = 0
  let offsetOffset = 1e-14
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!
    const probability = logistic(slope * value + offset)
    const error = probability - targets[row]!
    const curvature = probability * (1 - probability)
    slopeGradient += error * value
    offsetGradient += error
    slopeSlope += curvature * value * value
    slopeOffset += curvature * value
    offsetOffset += curvature
  }
  const determinant = slopeSlope * offsetOffset - slopeOffset * slopeOffset
  const toSlope = (slopeOffset * offsetGradient - offsetOffset * slopeGradient) / determinant
  const toOffset = (slopeOffset * slopeGradient - slopeSlope * offsetGradient) / determinant
  const decrease = -(toSlope * slopeGradient + toOffset * offsetGradient)
  return { slope: toSlope, offset: toOffset, decrease }
}
