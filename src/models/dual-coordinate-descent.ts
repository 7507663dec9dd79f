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

/** The weight of the intercept is not scaled; a row costs what its class does in the lane. */
export interface DualProblem {
  readonly matrix: SparseMatrix
  /** By row: the index of its label. */
  readonly classes: Int32Array
  /** By lane, up to four: the label that is told from the rest. */
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

/** Solves for up to four labels at once, each on its own but in the same order of rows. */
export function solveDual(problem: DualProblem): DualSolution {
  const state = start(problem)
  // xorshift32 must not start at zero.
  let random = problem.seed | 0 || 0x9e3779b9
  for (let iteration = 0; iteration < problem.maxIter && state.live !== 0; iteration++) {
    random = shuffle(state.order, state.active, random)
    pass(problem, state)
    for (let lane = 0; lane < problem.labels.length; lane++) {
      if ((state.live & (1 << lane)) !== 0) settle(problem, state, lane)
    }
  }
  return {
    weights: problem.labels.map((_, lane) => state.rows.weightsOf(lane)),
    interceptWeights: state.interceptWeights,
    converged: problem.labels.map((_, lane) => (state.live & (1 << lane)) === 0),
  }
}

interface State {
  readonly lanes: number
  readonly rows: PackedRows
  readonly interceptWeights: Float64Array
  /** At `row * lanes + lane`. */
  readonly duals: Float64Array
  readonly squaredNorms: Float64Array
  /** At `2 * lane`, for rows of other labels, and then for those of the label. */
  readonly diagonals: Float64Array
  readonly bounds: Float64Array
  /** By row: a bit for each lane in which it can still move; the others are set aside. */
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
  const { matrix, labels, positiveCosts, negativeCosts, loss } = problem
  const lanes = labels.length + (labels.length % 2)
  const squaredScales =
    problem.scales?.map((scales) => scales.map((scale) => scale * scale)) ?? null
  const costs = Float64Array.from({ length: 2 * labels.length }, (_, place) =>
    place % 2 === 0 ? negativeCosts[place >> 1]! : positiveCosts[place >> 1]!,
  )
  const isSquared = loss === 'squared_hinge'
  const state: State = {
    lanes,
    rows: new PackedRows(matrix, lanes, squaredScales),
    interceptWeights: new Float64Array(lanes),
    duals: new Float64Array(matrix.rows * lanes),
    squaredNorms: squaredNorms(problem, lanes, squaredScales),
    diagonals: costs.map((cost) => (isSquared ? 0.5 / cost : 0)),
    bounds: costs.map((cost) => (isSquared && cost > 0 ? Number.POSITIVE_INFINITY : cost)),
    masks: new Uint8Array(matrix.rows),
    order: Int32Array.from({ length: matrix.rows }, (_, row) => row),
    active: matrix.rows,
    live: (1 << labels.length) - 1,
    shrunken: 0,
    highest: new Float64Array(lanes),
    lowest: new Float64Array(lanes),
    above: new Float64Array(lanes),
    below: new Float64Array(lanes),
  }
  for (let lane = 0; lane < labels.length; lane++) takeAllRows(problem, state, lane)
  return state
}

function squaredNorms(
  { matrix: { rows, indptr, indices, data }, interceptFeature }: DualProblem,
  lanes: number,
  squaredScales: readonly Float64Array[] | null,
): Float64Array {
  const norms = new Float64Array(rows * lanes).fill(interceptFeature * interceptFeature)
  for (let row = 0; row < rows; row++) {
    for (let entry = indptr[row]!; entry < indptr[row + 1]!; entry++) {
      const square = data[entry]! * data[entry]!
      for (let lane = 0; lane < lanes; lane++) {
        const scale = squaredScales?.[lane]?.[indices[entry]!] ?? 1
        norms[row * lanes + lane]! += square * scale
      }
    }
  }
  return norms
}

/** All rows that cost something may move again in this lane. */
function takeAllRows(problem: DualProblem, state: State, lane: number): void {
  const { masks, bounds } = state
  for (let row = 0; row < masks.length; row++) {
    const place = 2 * lane + (problem.classes[row] === problem.labels[lane] ? 1 : 0)
    if (bounds[place]! > 0) masks[row]! |= 1 << lane
  }
  state.active = masks.length
  state.shrunken &= ~(1 << lane)
  state.above[lane] = Number.POSITIVE_INFINITY
  state.below[lane] = Number.NEGATIVE_INFINITY
}

/** After a pass: is the lane done, must it look at all rows again, or which may be set aside? */
function settle(problem: DualProblem, state: State, lane: number): void {
  const highest = state.highest[lane]!
  const lowest = state.lowest[lane]!
  if (highest - lowest > problem.tolerance) {
    state.above[lane] = highest > 0 ? highest : Number.POSITIVE_INFINITY
    state.below[lane] = lowest < 0 ? lowest : Number.NEGATIVE_INFINITY
  } else if ((state.shrunken & (1 << lane)) !== 0) takeAllRows(problem, state, lane)
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
function pass(problem: DualProblem, state: State): void {
  const { interceptFeature } = problem
  const { rows, masks, order, interceptWeights } = state
  const { steps } = rows
  const used = problem.labels.length
  state.highest.fill(Number.NEGATIVE_INFINITY)
  state.lowest.fill(Number.POSITIVE_INFINITY)
  let active = state.active
  for (let place = 0; place < active; place++) {
    const row = order[place]!
    let mask = masks[row]! & state.live
    let hasMoved = false
    if (mask !== 0) {
      rows.score(row)
      for (let lane = 0; lane < used; lane++) {
        steps[lane] = 0
        if ((mask & (1 << lane)) === 0) continue
        if (isSetAside(problem, state, row, lane)) mask &= ~(1 << lane)
        else if (steps[lane] !== 0) {
          interceptWeights[lane]! += steps[lane]! * interceptFeature
          hasMoved = true
        }
      }
      masks[row] = mask
    }
    if (hasMoved) rows.add(row)
    else if (mask === 0) {
      order[place--] = order[--active]!
      order[active] = row
    }
  }
  state.active = active
}

/** Moves one dual, and writes by how much the weights move; true: it is at a bound and stays. */
function isSetAside(problem: DualProblem, state: State, row: number, lane: number): boolean {
  const isOwn = problem.classes[row] === problem.labels[lane]
  const sign = isOwn ? 1 : -1
  const diagonal = state.diagonals[2 * lane + (isOwn ? 1 : 0)]!
  const bound = state.bounds[2 * lane + (isOwn ? 1 : 0)]!
  const place = row * state.lanes + lane
  const dual = state.duals[place]!
  const score = state.rows.scores[lane]! + state.interceptWeights[lane]! * problem.interceptFeature
  const gradient = sign * score - 1 + dual * diagonal
  let projected = gradient
  if (dual === 0) {
    if (gradient > state.above[lane]!) {
      state.shrunken |= 1 << lane
      return true
    }
    if (gradient > 0) projected = 0
  } else if (dual === bound) {
    if (gradient < state.below[lane]!) {
      state.shrunken |= 1 << lane
      return true
    }
    if (gradient < 0) projected = 0
  }
  if (projected > state.highest[lane]!) state.highest[lane] = projected
  if (projected < state.lowest[lane]!) state.lowest[lane] = projected
  if (projected > 1e-12 || projected < -1e-12) {
    const best = dual - gradient / (state.squaredNorms[place]! + diagonal)
    const next = best > bound ? bound : best > 0 ? best : 0
    state.duals[place] = next
    state.rows.steps[lane] = (next - dual) * sign
  }
  return false
}
