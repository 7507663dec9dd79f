/**
 * Dual coordinate descent for linear support vector machines: Hsieh, Chang, Lin, Keerthi and
 * Sundararajan, "A dual coordinate descent method for large-scale linear SVM", ICML 2008, with the
 * shrinking and the stopping rule of LIBLINEAR's `solve_l2r_l1l2_svc`. margin-estimator.ts says what
 * is learnt with it.
 */
import type { SparseMatrix } from '../features/index.ts'
import { PackedRows } from './packed-rows.ts'

/** `max(0, 1 - m)` or its square, where m is how far a row is on the right side of the border. */
export type MarginLoss = 'hinge' | 'squared_hinge'

export interface DualProblem {
  readonly matrix: SparseMatrix
  /** By row: the index of its label. */
  readonly classes: Int32Array
  /** By lane, up to eight: the label that is told from the rest. */
  readonly labels: readonly number[]
  /** By lane: what a row of that label costs, and what another one does. Zero: it is left out. */
  readonly positiveCosts: readonly number[]
  readonly negativeCosts: readonly number[]
  readonly loss: MarginLoss
  /** The value of one more feature that every row has; 0: none. */
  readonly interceptFeature: number
  /** By lane and then column: what the values of a column are multiplied by. Null: nothing. */
  readonly scales: readonly Float64Array[] | null
  /** Stops when the projected gradients of all rows are this close to each other. */
  readonly tolerance: number
  /** Passes over the rows at most. */
  readonly maxIter: number
  /** Any integer; the same one visits the rows in the same order. */
  readonly seed: number
}

/**
 * By lane the weights w, so that `0.5 |w|² + the sum over rows of cost * loss(±w.x)` is smallest,
 * where x is the row, scaled, with the intercept's feature behind it.
 */
export interface DualSolution {
  /** By lane and then column: the weight times the scale of its column, for rows as given. */
  readonly weights: readonly Float64Array[]
  /** By lane: the weight of the intercept's feature. */
  readonly interceptWeights: Float64Array
  /** By lane: false where `maxIter` came first. */
  readonly converged: readonly boolean[]
}

/** Solves for all lanes, each on its own but, while that is faster, in the same order of rows. */
export function solveDual(problem: DualProblem): DualSolution {
  const lanes = problem.labels.map((_, lane) => lane)
  const solution = {
    weights: new Array<Float64Array>(lanes.length),
    interceptWeights: new Float64Array(lanes.length),
    converged: new Array<boolean>(lanes.length),
  }
  // xorshift32 must not start at zero.
  descend(problem, start(problem, lanes), 0, problem.seed | 0 || 0x9e3779b9, solution)
  return solution
}

function descend(
  problem: DualProblem,
  state: State,
  iterations: number,
  seed: number,
  solution: { weights: Float64Array[]; interceptWeights: Float64Array; converged: boolean[] },
): void {
  const { rows, members, order } = state
  let random = seed
  let iteration = iterations
  for (; iteration < problem.maxIter && state.live !== 0; iteration++) {
    if (isWorthSplitting(state)) break
    random = shuffle(order, state.active, random)
    pass(state)
    for (let lane = 0; lane < members.length; lane++) {
      if ((state.live & (1 << lane)) !== 0) settle(state, lane, problem.tolerance)
    }
  }
  for (const [lane, member] of members.entries()) {
    solution.weights[member] = rows.weightsOf(lane)
    solution.interceptWeights[member] = state.interceptWeights[lane]!
    solution.converged[member] = (state.live & (1 << lane)) === 0
  }
  if (iteration === problem.maxIter || state.live === 0) return
  const left = members.map((_, lane) => lane).filter((lane) => (state.live & (1 << lane)) !== 0)
  const half = Math.ceil(left.length / 2)
  for (const kept of [left.slice(0, half), left.slice(half)]) {
    if (kept.length === 0) continue
    descend(problem, narrowed(problem, state, kept), iteration, random, solution)
  }
}

interface State {
  readonly rows: PackedRows
  /** As many as there are members, or one more. */
  readonly lanes: number
  /** By lane: which of the problem's lanes it is, and that one's label. */
  readonly members: readonly number[]
  readonly labels: readonly number[]
  readonly classes: Int32Array
  readonly interceptFeature: number
  readonly interceptWeights: Float64Array
  /** At `row * lanes + lane`. */
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
  /** Grows with visits where most lanes have set the row aside, and shrinks with others. */
  wasted: number
  /** By lane: the bounds of the projected gradients in this pass. */
  readonly highest: Float64Array
  readonly lowest: Float64Array
  /** By lane: a row at a bound whose gradient lies beyond these is set aside. */
  readonly above: Float64Array
  readonly below: Float64Array
}

function start(problem: DualProblem, members: readonly number[]): State {
  const { matrix, loss, interceptFeature } = problem
  const squaredScales =
    problem.scales === null
      ? null
      : members.map((member) => problem.scales![member]!.map((scale) => scale * scale))
  const rows = new PackedRows(matrix, members.length, squaredScales)
  const { lanes } = rows
  const costs = Float64Array.from(
    members.flatMap((member) => [problem.negativeCosts[member]!, problem.positiveCosts[member]!]),
  )
  const isSquared = loss === 'squared_hinge'
  const state: State = {
    ...{ rows, lanes, members, classes: problem.classes, interceptFeature },
    labels: members.map((member) => problem.labels[member]!),
    interceptWeights: new Float64Array(lanes),
    duals: new Float64Array(matrix.rows * lanes),
    inverseSlopes: new Float64Array(matrix.rows * lanes),
    diagonals: costs.map((cost) => (isSquared ? 0.5 / cost : 0)),
    bounds: costs.map((cost) => (isSquared && cost > 0 ? Number.POSITIVE_INFINITY : cost)),
    leastGradient: Math.min(1e-12, problem.tolerance / 4),
    masks: new Uint8Array(matrix.rows),
    order: Int32Array.from({ length: matrix.rows }, (_, row) => row),
    active: matrix.rows,
    live: (1 << members.length) - 1,
    shrunken: 0,
    wasted: 0,
    highest: new Float64Array(lanes),
    lowest: new Float64Array(lanes),
    above: new Float64Array(lanes),
    below: new Float64Array(lanes),
  }
  for (let lane = 0; lane < members.length; lane++) {
    for (let row = 0; row < matrix.rows; row++) {
      const place = row * lanes + lane
      const norm = rows.squaredNorms[place]! + interceptFeature * interceptFeature
      state.inverseSlopes[place] = 1 / (norm + state.diagonals[sideOf(state, row, lane)]!)
    }
    takeAllRows(state, lane)
  }
  return state
}

/**
 * Lanes side by side share the way to a row in memory, but all are computed, also those where the
 * row is set aside. Packing the rows anew costs as much as some passes.
 */
function isWorthSplitting({ members, wasted, masks }: State): boolean {
  return members.length > 1 && wasted > 32 * masks.length
}

/** The same state with the given lanes alone. */
function narrowed(problem: DualProblem, from: State, kept: readonly number[]): State {
  const state = start(
    problem,
    kept.map((lane) => from.members[lane]!),
  )
  state.masks.fill(0)
  for (const [lane, old] of kept.entries()) {
    state.rows.setWeights(lane, from.rows.weightsOf(old))
    state.interceptWeights[lane] = from.interceptWeights[old]!
    state.above[lane] = from.above[old]!
    state.below[lane] = from.below[old]!
    state.shrunken |= ((from.shrunken >> old) & 1) << lane
    for (let row = 0; row < state.masks.length; row++) {
      state.duals[row * state.lanes + lane] = from.duals[row * from.lanes + old]!
      state.masks[row]! |= ((from.masks[row]! >> old) & 1) << lane
    }
  }
  state.order.set(from.order)
  state.active = from.active
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
  const used = state.members.length
  let { active, wasted } = state
  for (let place = 0; place < active; place++) {
    const row = order[place]!
    const mask = masks[row]! & state.live
    if (mask !== 0) {
      wasted = Math.max(0, wasted + 4 * used - 7 * bitCounts[mask]!)
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
  state.wasted = wasted
}

/** By number below 256: how many bits it has. */
const bitCounts = Uint8Array.from(
  { length: 256 },
  (_, mask) => mask.toString(2).replaceAll('0', '').length,
)

/** A bit above those of the lanes. */
const hasMoved = 1 << 8

/**
 * Moves the duals of a row in the lanes of the mask, and writes by how much their weights move.
 * Returns the mask without the lanes where the row is set aside, and whether a weight moves.
 */
function moveDuals(state: State, row: number, mask: number): number {
  const { rows, lanes, labels, duals, diagonals, bounds, interceptWeights, interceptFeature } =
    state
  const { scores, steps } = rows
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
