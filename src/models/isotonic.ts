/**
 * Isotonic regression: the rising line nearest to the truths. It fits any shape of score, and needs
 * some thousand rows, or it learns their chance.
 *
 * Best and Chakravarti, "Active set algorithms for isotonic regression", Mathematical Programming 47,
 * 1990 (pool adjacent violators); kept as scikit-learn's `IsotonicRegression(out_of_bounds='clip')`.
 */
import type { RisingLine } from './link.ts'

/** Scores nearer than this are one, as in scikit-learn. */
const resolution = 1e-15

/**
 * The line of least squared distance to the points (score, truth) that never falls. Truths are 0 or
 * 1; there is one point at least. Points that the line does not need are left out.
 */
export function fitIsotonic(scores: Float64Array, truths: ArrayLike<number>): RisingLine {
  const points = averaged(scores, truths)
  const y = poolViolators(points.y, points.weights)
  return withoutLevelPoints(points.x, y)
}

/** In rising order, each score once, with the mean of its truths and how many there were. */
function averaged(scores: Float64Array, truths: ArrayLike<number>) {
  const order = new Uint32Array(scores.length).map((_, row) => row)
  order.sort((a, b) => scores[a]! - scores[b]!)
  const x = new Float64Array(scores.length)
  const y = new Float64Array(scores.length)
  const weights = new Float64Array(scores.length)
  let last = -1
  for (const row of order) {
    if (last < 0 || scores[row]! - x[last]! >= resolution) x[++last] = scores[row]!
    y[last]! += truths[row]!
    weights[last]!++
  }
  const count = last + 1
  return {
    x: x.subarray(0, count),
    y: y.subarray(0, count).map((sum, point) => sum / weights[point]!),
    weights: weights.subarray(0, count),
  }
}

/** Neighbours that fall become one block with their mean, until none falls. */
function poolViolators(y: Float64Array, weights: Float64Array): Float64Array {
  const means = new Float64Array(y.length)
  const masses = new Float64Array(y.length)
  const ends = new Uint32Array(y.length)
  let top = -1
  for (let point = 0; point < y.length; point++) {
    let mean = y[point]!
    let mass = weights[point]!
    while (top >= 0 && means[top]! >= mean) {
      mean = (means[top]! * masses[top]! + mean * mass) / (masses[top]! + mass)
      mass += masses[top]!
      top--
    }
    top++
    means[top] = mean
    masses[top] = mass
    ends[top] = point + 1
  }
  const line = new Float64Array(y.length)
  for (let block = 0; block <= top; block++) {
    line.fill(Math.min(1, means[block]!), block === 0 ? 0 : ends[block - 1]!, ends[block]!)
  }
  return line
}

function withoutLevelPoints(x: Float64Array, y: Float64Array): RisingLine {
  const last = x.length - 1
  const isNeeded = (_: number, point: number) =>
    point === 0 || point === last || y[point] !== y[point - 1] || y[point] !== y[point + 1]
  return { x: x.filter(isNeeded), y: y.filter(isNeeded) }
}
