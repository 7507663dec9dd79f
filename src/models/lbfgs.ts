/**
 * L-BFGS: finds the lowest point of a smooth function of many numbers from its values and slopes.
 * Nocedal and Wright, "Numerical Optimization" (2006), algorithms 7.4 and 7.5, with a line search
 * that meets the strong Wolfe conditions (line-search.ts). Use it for losses that are convex.
 */
import { CurvatureHistory } from './curvature-history.ts'
import { type Point, searchLine } from './line-search.ts'
import { dot, greatestMagnitude } from './vector-arithmetic.ts'

/** The value at `x`; writes its slopes to `gradient`, all of them. Keeps neither array. */
export type Objective = (x: Float64Array, gradient: Float64Array) => number

export interface MinimiseOptions {
  /** Stops where no slope is further from zero than this. */
  readonly tolerance: number
  /** Steps at most. */
  readonly maxIterations: number
}

export interface Minimum {
  readonly x: Float64Array
  readonly value: number
  readonly iterations: number
  /**
   * Why it stopped there: within the tolerance; as near as rounding lets the function tell; or out
   * of steps.
   */
  readonly stopped: 'tolerance' | 'precision' | 'iterations'
}

/** A fall of the value by less than this share of it is taken for rounding, as scikit-learn does. */
const roundingShare = 64 * Number.EPSILON
/** Steps in a row that gain nothing but rounding, until no more are tried. */
const idleStepsAtMost = 50

/** The lowest point that is found from `start` on, which stays as it is. */
export function minimise(
  objective: Objective,
  start: Float64Array,
  { tolerance, maxIterations }: MinimiseOptions,
): Minimum {
  let here = pointAt(objective, start.slice())
  let spare: Point = { ...here, x: start.slice(), gradient: new Float64Array(start.length) }
  const direction = new Float64Array(start.length)
  const history = new CurvatureHistory(start.length)
  let slope = greatestMagnitude(here.gradient)
  let leastSlope = slope
  let idleSteps = 0
  let iterations = 0
  const end = (stopped: Minimum['stopped']): Minimum => ({
    x: here.x,
    value: here.value,
    iterations,
    stopped,
  })
  while (slope > tolerance) {
    if (iterations === maxIterations) return end('iterations')
    if (idleSteps === idleStepsAtMost) return end('precision')
    history.descend(here.gradient, direction)
    const firstStep = history.isEmpty ? 1 / Math.sqrt(dot(direction, direction)) : 1
    if (!searchLine(objective, here, direction, firstStep, spare)) {
      // A wrong idea of the curvature is dropped; straight downhill must work, but for rounding.
      if (history.isEmpty) return end('precision')
      history.clear()
      continue
    }
    iterations++
    history.remember(here, spare)
    const fall = here.value - spare.value
    const rounding = roundingShare * Math.max(Math.abs(here.value), Math.abs(spare.value), 1)
    const before = here
    here = spare
    spare = before
    slope = greatestMagnitude(here.gradient)
    const gained = fall > rounding || slope < leastSlope
    idleSteps = gained ? 0 : idleSteps + 1
    leastSlope = Math.min(slope, leastSlope)
  }
  return end('tolerance')
}

function pointAt(objective: Objective, x: Float64Array): Point {
  const gradient = new Float64Array(x.length)
  return { x, gradient, value: objective(x, gradient) }
}
