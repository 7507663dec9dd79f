/** What linear-svc.ts and nb-svm.ts share: options of the solver, and a border for each label. */
import { fail } from '../core/errors.ts'
import { seededRandom } from '../core/random.ts'
import { documentFrequencies, mapColumns, type SparseMatrix } from '../features/index.ts'
import {
  type DualSolution,
  type MarginLoss,
  solveDual,
  squaredNorms,
} from './dual-coordinate-descent.ts'
import {
  type ClassWeight,
  checkClassWeight,
  classWeights,
  type EncodedLabels,
} from './training-rows.ts'

export interface MarginOptions {
  /**
   * What a row on the wrong side costs, above zero: the larger, the closer the rows are followed.
   * Default 1.
   */
  readonly C?: number
  /** What a row costs by how far it is from the right side. Default 'squared_hinge'. */
  readonly loss?: MarginLoss
  /** How exactly it is solved, above zero: smaller is slower. Default 1e-4. */
  readonly tol?: number
  /**
   * How much labels count. As in scikit-learn, with three labels or more the weight of a label is
   * that of its own rows where its border is drawn; all other rows count 1 there. Default null.
   */
  readonly classWeight?: ClassWeight
  /** Passes over the rows at most, for each label. Default 1000. */
  readonly maxIter?: number
}

export type CheckedMarginOptions = Required<MarginOptions>

export const marginOptionNames = ['C', 'loss', 'tol', 'classWeight', 'maxIter'] as const

/** Fills in the defaults. Throws `OPTIONS_INVALID`; `who` begins the message. */
export function checkMarginOptions(who: string, options: MarginOptions): CheckedMarginOptions {
  const { C = 1, loss = 'squared_hinge', tol = 1e-4, maxIter = 1000 } = options
  checkPositive(who, 'C', C)
  checkPositive(who, 'tol', tol)
  if (loss !== 'hinge' && loss !== 'squared_hinge') {
    throw fail('OPTIONS_INVALID', `${who}: loss is '${loss}'; give 'squared_hinge' or 'hinge'`)
  }
  if (!Number.isInteger(maxIter) || maxIter < 1) {
    throw fail('OPTIONS_INVALID', `${who}: maxIter is ${maxIter}; give a whole number from 1`)
  }
  return { C, loss, tol, classWeight: checkClassWeight(who, options.classWeight ?? null), maxIter }
}

/** Throws `OPTIONS_INVALID` unless it is a finite number above 0. */
export function checkPositive(who: string, name: string, value: number): void {
  if (typeof value === 'number' && value > 0 && value < Number.POSITIVE_INFINITY) return
  throw fail('OPTIONS_INVALID', `${who}: ${name} is ${value}; give a number above 0`)
}

/** Throws `OPTIONS_INVALID` for an option that is not known; `reasons` says more of some. */
export function checkNames(
  who: string,
  options: object,
  known: readonly string[],
  reasons: Readonly<Record<string, string>> = {},
): void {
  const name = Object.keys(options).find((given) => !known.includes(given))
  if (name === undefined) return
  const reason = Object.hasOwn(reasons, name) ? reasons[name] : `unknown option '${name}'`
  throw fail('OPTIONS_INVALID', `${who}: ${reason}; known: ${known.join(', ')}`)
}

export interface MarginProblem {
  /** Begins the warnings: 'linear-svc'. */
  readonly who: string
  readonly matrix: SparseMatrix
  readonly encoded: EncodedLabels
  readonly options: CheckedMarginOptions
  /** The value of one more feature that every row has; 0: none. */
  readonly interceptFeature: number
  readonly seed: number
  /**
   * Where the features differ by label: by column, what its values are multiplied by to tell the
   * label with that index from the rest. Called once a label, just before it is learnt.
   */
  readonly scalesOf?: (label: number) => Float64Array
}

export interface Margins {
  readonly coefficients: Float64Array
  readonly intercepts: Float64Array
  /** Words on labels that did not converge. */
  readonly warnings: readonly string[]
}

/** A border between each label and the rest; with two labels the one of the second. */
export function fitMargins(problem: MarginProblem): Margins {
  const { who, encoded, options, interceptFeature, seed, scalesOf } = problem
  const { classes, indexes } = encoded
  const byLabel = classWeights(who, encoded, options.classWeight)
  const columns = problem.matrix.columns
  const { matrix, places } = frequentColumnsFirst(problem.matrix)
  const random = seededRandom(seed)
  const coefficients = new Float64Array(classes.length * columns)
  const intercepts = new Float64Array(classes.length)
  const scaled = scalesOf === undefined ? matrix : { ...matrix, data: matrix.data.slice() }
  let norms = squaredNorms(matrix, interceptFeature)
  const weights = new Float64Array(columns)
  const solutions: [number, DualSolution][] = []
  for (let label = classes.length === 2 ? 1 : 0; label < classes.length; label++) {
    if (scalesOf !== undefined) {
      scaleColumns(matrix, problem.matrix.columns, places, scalesOf(label), scaled.data)
      norms = squaredNorms(scaled, interceptFeature)
    }
    weights.fill(0)
    const solution = solveDual(
      {
        matrix: scaled,
        squaredNorms: norms,
        signs: Int8Array.from(indexes, (index) => (index === label ? 1 : -1)),
        positiveCost: options.C * byLabel[label]!,
        negativeCost: options.C * (classes.length === 2 ? byLabel[0]! : 1),
        loss: options.loss,
        interceptFeature,
        tolerance: options.tol,
        maxIter: options.maxIter,
        seed: random() * 0x1_0000_0000,
      },
      weights,
    )
    for (let column = 0; column < columns; column++) {
      coefficients[label * columns + column] = weights[places[column]!]!
    }
    intercepts[label] = solution.interceptWeight * interceptFeature
    solutions.push([label, solution])
  }
  const left = solutions.filter(([, { converged }]) => !converged)
  return {
    coefficients,
    intercepts,
    warnings: warn(
      problem,
      left.map(([label]) => classes[label]!),
    ),
  }
}
