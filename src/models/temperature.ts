/**
 * Temperature scaling: one number that makes all probabilities as sure as they are right, and leaves
 * the order of the labels as it is.
 *
 * Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", ICML 2017.
 */
import { softmax } from './link.ts'

/** ln of the scale stays within these, as in scikit-learn: rows that are all right would ask for more. */
const lowestLog = -10
const highestLog = 10

/**
 * The scale (1 / temperature) by which the softmax of `scores` has the least log loss over the true
 * labels' `indexes`, between exp(-10) and exp(10); 1 where none is better than another.
 * scikit-learn's `_TemperatureScaling` finds the same beta; for two labels it doubles the margin
 * first, so that its beta is half of this scale.
 */
export function fitTemperature(scores: Float64Array, indexes: Int32Array, count: number): number {
  if (!hasDifferences(scores, count)) return 1
  const slope = (log: number) => lossSlope(scores, indexes, count, Math.exp(log))
  // The loss is convex in the scale, so its slope changes sign once.
  let low = lowestLog
  let high = highestLog
  if (slope(low) >= 0) return Math.exp(low)
  if (slope(high) <= 0) return Math.exp(high)
  // Bisection alone: 60 passes over the scores, and nothing that can go astray.
  for (let pass = 0; pass < 60; pass++) {
    const middle = (low + high) / 2
    if (middle <= low || middle >= high) break
    if (slope(middle) < 0) low = middle
    else high = middle
  }
  return Math.exp((low + high) / 2)
}

/** The derivative of the log loss by the scale: what scores are expected, less what was true. */
function lossSlope(
  scores: Float64Array,
  indexes: Int32Array,
  count: number,
  scale: number,
): number {
  const shares = scores.slice()
  let sum = 0
  for (let row = 0; row < indexes.length; row++) {
    const start = row * count
    softmax(shares, start, count, scale)
    const truth = scores[start + indexes[row]!]!
    for (let label = start; label < start + count; label++) {
      sum += shares[label]! * (scores[label]! - truth)
    }
  }
  return sum
}

function hasDifferences(scores: Float64Array, count: number): boolean {
  for (let cell = 0; cell < scores.length; cell++) {
    if (scores[cell] !== scores[cell - (cell % count)]) return true
  }
  return false
}
