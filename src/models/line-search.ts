/**
 * How far to go in a direction: a step with which the value falls enough and the slope gets flat
 * enough (the strong Wolfe conditions). Nocedal and Wright, "Numerical Optimization" (2006),
 * algorithms 3.5 and 3.6 with cubic interpolation, and the bounds of scipy's L-BFGS-B.
 */
import type { Objective } from './lbfgs.ts'
import { dot } from './vector-arithmetic.ts'

/** A place, the value there and the slopes. */
export interface Point {
  readonly x: Float64Array
  readonly gradient: Float64Array
  value: number
}

/** A step along the line, the value after it, and the slope in the direction. */
interface Trial {
  readonly step: number
  readonly value: number
  readonly slope: number
}

/** The least fall of the value, as a share of what the first slope promises. */
const leastFall = 1e-3
/** The steepest slope that is flat enough, as a share of the first. */
const flatEnough = 0.9
const trialsAtMost = 50
const roundingShare = 64 * Number.EPSILON

/**
 * Writes the point that it found to `found`. False when there is none: the direction does not lead
 * down, or what is left to gain is lost in rounding.
 */
export function searchLine(
  objective: Objective,
  from: Point,
  direction: Float64Array,
  firstStep: number,
  found: Point,
): boolean {
  const start: Trial = { step: 0, value: from.value, slope: dot(from.gradient, direction) }
  if (!(start.slope < 0)) return false
  let low = start
  /** The other end of the stretch that must hold a right step, once one is known. */
  let high: Trial | undefined
  let step = firstStep
  const rounding = roundingShare * Math.max(Math.abs(start.value), 1)
  for (let count = 0; count < trialsAtMost; count++) {
    const trial = tryStep(objective, from, direction, step, found)
    if (isRight(trial, start, rounding)) return true
    // Where values differ by rounding alone the slope says which end this is.
    const fellEnough = trial.value <= start.value + leastFall * step * start.slope + rounding
    if (!(fellEnough && trial.value < low.value + rounding)) {
      high = trial
    } else {
      if (trial.slope * (step - low.step) >= 0) high = low
      low = trial
    }
    step = high === undefined ? 4 * step : between(low, high)
  }
  return false
}

function tryStep(
  objective: Objective,
  from: Point,
  direction: Float64Array,
  step: number,
  found: Point,
): Trial {
  const { x, gradient } = found
  for (let index = 0; index < x.length; index++)
    x[index] = from.x[index]! + step * direction[index]!
  found.value = objective(x, gradient)
  return { step, value: found.value, slope: dot(gradient, direction) }
}

function isRight({ step, value, slope }: Trial, start: Trial, rounding: number): boolean {
  const isFlat = Math.abs(slope) <= flatEnough * -start.slope
  if (!isFlat) return false
  if (value <= start.value + leastFall * step * start.slope) return true
  // Near the lowest point values differ by rounding alone and only slopes still tell: the
  // "approximate Wolfe" conditions of Hager and Zhang, SIAM Journal on Optimization 16 (2005).
  return value <= start.value + rounding && slope <= (2 * leastFall - 1) * start.slope
}

/** Where the cubic through both ends is lowest, kept off the ends; the middle where it tells nothing. */
function between(low: Trial, high: Trial): number {
  const width = high.step - low.step
  const middle = low.step + width / 2
  const chord = (high.value - low.value) / width
  const sum = low.slope + high.slope - 3 * chord
  const squared = sum * sum - low.slope * high.slope
  if (!(squared >= 0)) return middle
  const root = Math.sign(width) * Math.sqrt(squared)
  const step = high.step - (width * (high.slope + root - sum)) / (high.slope - low.slope + 2 * root)
  const share = (step - low.step) / width
  if (!Number.isFinite(share)) return middle
  return low.step + width * Math.min(0.9, Math.max(0.1, share))
}
