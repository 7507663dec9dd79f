/**
 * Dual coordinate descent for linear support vector machines: Hsieh, Chang, Lin, Keerthi and
 * Sundararajan, "A dual coordinate descent method for large-scale linear SVM", ICML 2008, with the
 * shrinking and the stopping rule of LIBLINEAR's `solve_l2r_l1l2_svc`. margin-estimator.ts says what
 * is learnt with it.
 */
import type { PackedRows } from './packed-rows.ts'

/** `max(0, 1 - m)` or its square, where m is how far a row is on the right side of the border. */
export type MarginLoss = 'hinge' | 'squared_hinge'

export interface DualProblem {
  /** The weights in them are what is learnt, and zeros at first. */
  readonly rows: PackedRows
  /** By row: the sum of the squares of its values. */
  readonly squaredNorms: Float64Array
  /** By row: the index of its label. */
  readonly classes: Int32Array
  /** By lane, at most as many as `rows` have: the label that is told from the rest. */
  readonly labels: readonly number[]
  /** By lane: what a row of that label costs, and what another one does. Zero: it is left out. */
  readonly positiveCosts: readonly number[]
  readonly negativeCosts: readonly number[]
  readonly loss: MarginLoss
  /** The value of one more feature that every row has; 0: none. */
  readonly interceptFeature: number
  /** Stops when the projected gradients of all rows are this close to each other. */
  readonly tolerance: number
  /** Passes over the rows at most. */
  readonly maxIter: number
  /** Any integer; the same one visits the rows in the same order. */
  readonly seed: number
}

export interface DualSolution {
  /** By lane: the weight of the intercept's feature. */
  readonly interceptWeights: Float64Array
  /** By lane: false where `maxIter` came first. */
  readonly converged: readonly boolean[]
}

/**
 * Makes `0.5 |w|² + the sum over rows of cost * loss(±w.x)` smallest in each lane, where w are the
 * weights of `rows` and x is the row, both with the intercept's feature behind them. Each lane is
 * solved on its own, but all in the same order of rows.
 */
export function solveDual(problem: DualProblem): DualSolution {
  const state = start(problem)
  const lanes = problem.labels.map((_, lane) => lane)
  // xorshift32 must not start at zero.
  let random = problem.seed | 0 || 0x9e3779b9
  for (let iteration = 0; iteration < problem.maxIter && state.live !== 0; iteration++) {
    random = shuffle(state.order, state.active, random)
    pass(state)
    for (const lane of lanes) {
      if ((state.live & (1 << lane)) !== 0) settle(state, lane, problem.tolerance)
    }
  }
  return {
    interceptWeights: state.interceptWeights,
    converged: lanes.map((lane) => (state.live & (1 << lane)) === 0),
  }
}

interface State {
  readonly rows: PackedRows
  readonly classes: Int32Array
  readonly labels: readonly number[]
  readonly interceptFeature: number
  readonly interceptWeights: Float64Array
  /** At `row * rows.lanes + lane`. */
  readonly duals: Float64Array
  /** There: one by how much the gradient grows with the dual. */
  readonly inverseSlopes: Float64Array
  /** At `2 * lane`, for rows of other labels, and then for those of the label. */
  readonly diagonals: Float64Array
  readonly bounds: Float64Array
  /** A row with a smaller gradient is where it should be: moving it would be rounding only. */
  readonly leastGradient: number
  /** By row: a bit for each lane in which it can still move; in the others it is set aside. */
  readonly masks: Uint8Array
  /** All rows; the first `active` places hold those that some lane can still move. */
  readonly order: Int32Array
  active: number
  /** Bits of the lanes that have not converged, and of those that have rows set aside. */
  live: number
  shrunken: number
  /** By lane: the bounds of the projected gradients in this pass. */
  readonly highest: Float64Array
  readonly lowest: Float64Array
  /** By lane: a row at a bound whose gradient lies beyond these is set aside. */
  readonly above: Float64Array
  readonly below: Float64Array
}

function start(problem: DualProblem): State {
  const { rows, squaredNorms, classes, labels, loss, interceptFeature } = problem
  const { lanes } = rows
  const count = classes.length
  const costs = Float64Array.from(
    labels.flatMap((_, lane) => [problem.negativeCosts[lane]!, problem.positiveCosts[lane]!]),
  )
  const isSquared = loss === 'squared_hinge'
  const state: State = {
    ...{ rows, classes, labels, interceptFeature },
    interceptWeights: new Float64Array(lanes),
    duals: new Float64Array(count * lanes),
    inverseSlopes: new Float64Array(count * lanes),
    diagonals: costs.map((cost) => (isSquared ? 0.5 / cost : 0)),
    bounds: costs.map((cost) => (isSquared && cost > 0 ? Number.POSITIVE_INFINITY : cost)),
    leastGradient: Math.min(1e-12, problem.tolerance / 4),
    masks: new Uint8Array(count),
    order: Int32Array.from(classes, (_, row) => row),
    active: count,
    live: (1 << labels.length) - 1,
    shrunken: 0,
    highest: new Float64Array(lanes),
    lowest: new Float64Array(lanes),
    above: new Float64Array(lanes),
    below: new Float64Array(lanes),
  }
  for (let lane = 0; lane < labels.length; lane++) {
    for (let row = 0; row < count; row++) {
      const norm = squaredNorms[row]! + interceptFeature * interceptFeature
      const slope = norm + state.diagonals[sideOf(state, row, lane)]!
      state.inverseSlopes[row * lanes + lane] = 1 / slope
    }
    takeAllRows(state, lane)
  }
  return state
}

/** Where in `diagonals` and `bounds` what holds for the row stands. */
function sideOf({ classes, labels }: State, row: number, lane: number): number {
  return 2 * lane + (classes[row] === labels[lane] ? 1 : 0)
}

/** All rows that cost something may move again in this lane. */
function takeAllRows(state: State, lane: number): void {
  const { masks, bounds } = state
  for (let row = 0; row < masks.length; row++) {
    if (bounds[sideOf(state, row, lane)]! > 0) masks[row]! |= 1 << lane
  }
  state.active = masks.length
  state.shrunken &= ~(1 << lane)
  state.above[lane] = Number.POSITIVE_INFINITY
  state.below[lane] = Number.NEGATIVE_INFINITY
}

/** After a pass: is the lane done, must it look at all rows again, or which may be set aside? */
function settle(state: State, lane: number, tolerance: number): void {
  const highest = state.highest[lane]!
  const lowest = state.lowest[lane]!
  if (highest - lowest > tolerance) {
    state.above[lane] = highest > 0 ? highest : Number.POSITIVE_INFINITY
    state.below[lane] = lowest < 0 ? lowest : Number.NEGATIVE_INFINITY
  } else if ((state.shrunken & (1 << lane)) !== 0) takeAllRows(state, lane)
  else state.live &= ~(1 << lane)
}

/** Fisher and Yates over the first `count` places, by xorshift32; returns its next state. */
function shuffle(order: Int32Array, count: number, from: number): number {
  let random = from
  for (let place = 0; place < count; place++) {
    random ^= random << 13
    random ^= random >>> 17
    random ^= random << 5
    const other = place + ((random >>> 0) % (count - place))
    const row = order[place]!
    order[place] = order[other]!
    order[other] = row
  }
  return random
}

/** Moves the dual of each row to where it is best while the others stay as they are. */
function pass(state: State): void {
  const { rows, masks, order } = state
  state.highest.fill(Number.NEGATIVE_INFINITY)
  state.lowest.fill(Number.POSITIVE_INFINITY)
  let { active } = state
  for (let place = 0; place < active; place++) {
    const row = order[place]!
    const mask = masks[row]! & state.live
    if (mask !== 0) {
      rows.score(row)
      const answer = moveDuals(state, row, mask)
      if ((answer & hasMoved) !== 0) rows.add(row)
      masks[row] = answer & ~hasMoved
    }
    if (mask === 0 || masks[row] === 0) {
      order[place--] = order[--active]!
      order[active] = row
    }
  }
  state.active = active
}

/** A bit above those of the lanes. */
const hasMoved = 1 << 2

/**
 * Moves the duals of a row in the lanes of the mask, and writes by how much their weights move.
 * Returns the mask without the lanes where the row is set aside, and whether a weight moves.
 */
function moveDuals(state: State, row: number, mask: number): number {
  const { labels, duals, diagonals, bounds, interceptWeights, interceptFeature } = state
  const { lanes, scores, steps } = state.rows
  const { highest, lowest, leastGradient } = state
  const label = state.classes[row]!
  let answer = mask
  for (let lane = 0; lane < labels.length; lane++) {
    steps[lane] = 0
    if ((mask & (1 << lane)) === 0) continue
    const isOwn = label === labels[lane]
    const sign = isOwn ? 1 : -1
    const side = 2 * lane + (isOwn ? 1 : 0)
    const bound = bounds[side]!
    const place = row * lanes + lane
    const dual = duals[place]!
    const score = scores[lane]! + interceptWeights[lane]! * interceptFeature
    const gradient = sign * score - 1 + dual * diagonals[side]!
    let projected = gradient
    if (dual === 0 || dual === bound) {
      if (dual === 0 ? gradient > state.above[lane]! : gradient < state.below[lane]!) {
        answer &= ~(1 << lane)
        state.shrunken |= 1 << lane
        continue
      }
      if (dual === 0 ? gradient > 0 : gradient < 0) projected = 0
    }
    if (projected > highest[lane]!) highest[lane] = projected
    if (projected < lowest[lane]!) lowest[lane] = projected
    if (projected <= leastGradient && projected >= -leastGradient) continue
    const best = dual - gradient * state.inverseSlopes[place]!
    const next = best > bound ? bound : best > 0 ? best : 0
    const step = (next - dual) * sign
    duals[place] = next
    steps[lane] = step
    interceptWeights[lane]! += step * interceptFeature
    answer |= hasMoved
  }
  return answer
}
