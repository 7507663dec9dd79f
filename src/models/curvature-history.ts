/**
 * What L-BFGS remembers of its last ten steps: how far it went and how the slopes changed by it, and
 * so how the function bends. Nocedal and Wright, algorithm 7.4.
 */
import type { Point } from './line-search.ts'
import { add, addThenDot, dot, setScaled } from './vector-arithmetic.ts'

/** As scipy's `maxcor`. */
const stepsAtMost = 10

interface Step {
  /** How far x went. */
  readonly move: Float64Array
  /** How the slopes changed. */
  readonly change: Float64Array
  /** move · change */
  curvature: number
}

export class CurvatureHistory {
  readonly #size: number
  /** From the oldest to the newest. */
  readonly #steps: Step[] = []
  readonly #spare: Step[] = []
  /** By step, as the newest-first pass leaves it for the pass back. */
  readonly #shares = new Float64Array(stepsAtMost)
  /** The squared length of the newest change. */
  #squaredChange = 1

  constructor(size: number) {
    this.#size = size
  }

  get isEmpty(): boolean {
    return this.#steps.length === 0
  }

  clear(): void {
    this.#spare.push(...this.#steps.splice(0))
  }

  /** Keeps the step from one point to the next; one that says nothing of the curvature is dropped. */
  remember(from: Point, to: Point): void {
    const step = this.#newStep()
    const { move, change } = step
    let curvature = 0
    let squaredChange = 0
    for (let index = 0; index < move.length; index++) {
      const moved = to.x[index]! - from.x[index]!
      const changed = to.gradient[index]! - from.gradient[index]!
      move[index] = moved
      change[index] = changed
      curvature += moved * changed
      squaredChange += changed * changed
    }
    if (!(curvature > Number.EPSILON * squaredChange)) {
      this.#spare.push(step)
      return
    }
    step.curvature = curvature
    this.#steps.push(step)
    this.#squaredChange = squaredChange
  }

  /** Writes where to go next: downhill, by the remembered curvature as far as Newton would. */
  descend(gradient: Float64Array, direction: Float64Array): void {
    setScaled(direction, -1, gradient)
    const steps = this.#steps
    const last = steps.length - 1
    if (last < 0) return
    const shares = this.#shares
    let product = dot(direction, steps[last]!.move)
    for (let index = last; index >= 0; index--) {
      const step = steps[index]!
      shares[index] = product / step.curvature
      // The last pass has no older step to look at, and makes ready for the way back instead.
      const next = index > 0 ? steps[index - 1]!.move : step.change
      product = addThenDot(direction, -shares[index]!, step.change, next)
    }
    const scale = steps[last]!.curvature / this.#squaredChange
    setScaled(direction, scale, direction)
    product *= scale
    for (let index = 0; index <= last; index++) {
      const step = steps[index]!
      const factor = shares[index]! - product / step.curvature
      if (index === last) add(direction, factor, step.move)
      else product = addThenDot(direction, factor, step.move, steps[index + 1]!.change)
    }
  }

  #newStep(): Step {
    if (this.#steps.length === stepsAtMost) return this.#steps.shift()!
    const ready = this.#spare.pop()
    if (ready !== undefined) return ready
    return {
      move: new Float64Array(this.#size),
      change: new Float64Array(this.#size),
      curvature: 0,
    }
  }
}
