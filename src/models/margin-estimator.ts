/** What linear-svc.ts and nb-svm.ts share: options of the solver, and a border for each label. */
import { fail } from '../core/errors.ts'
import { seededRandom } from '../core/random.ts'
import type { SparseMatrix } from '../features/index.ts'
import { type MarginLoss, solveDual } from './dual-coordinate-descent.ts'
import { PackedRows } from './packed-rows.ts'
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
   * label with that index from the rest.
   */
  readonly scalesOf?: (label: number) => Float64Array
}

export interface Margins {
  /** A row a label, for features as they were scaled; with two labels the first row is zeros. */
  readonly coefficients: Float64Array
  readonly intercepts: Float64Array
  /** Words on labels that did not converge. */
  readonly warnings: readonly string[]
}

/** A border between each label and the rest; with two labels one, that of the second. */
export function fitMargins(problem: MarginProblem): Margins {
  const { who, matrix, encoded, options, interceptFeature, scalesOf } = problem
  const { classes, indexes } = encoded
  const isBinary = classes.length === 2
  const byLabel = classWeights(who, encoded, options.classWeight)
  const random = seededRandom(problem.seed)
  const coefficients = new Float64Array(classes.length * matrix.columns)
  const intercepts = new Float64Array(classes.length)
  const late: string[] = []
  // Two labels side by side share the way to a row in memory; not where its values differ.
  const rows = new PackedRows(matrix, isBinary || scalesOf !== undefined ? 1 : 2)
  const scaled = scalesOf === undefined ? matrix : { ...matrix, data: matrix.data.slice() }
  let norms = squaredNorms(matrix)
  for (let first = isBinary ? 1 : 0; first < classes.length; first += rows.lanes) {
    const last = Math.min(first + rows.lanes, classes.length)
    const labels = Array.from({ length: last - first }, (_, lane) => first + lane)
    if (scalesOf !== undefined) {
      scaleColumns(matrix, scalesOf(first), scaled.data)
      rows.setValues(scaled)
      norms = squaredNorms(scaled)
    }
    rows.reset()
    const { interceptWeights, converged } = solveDual({
      ...{ rows, squaredNorms: norms, classes: indexes, labels },
      positiveCosts: labels.map((label) => options.C * byLabel[label]!),
      negativeCosts: labels.map(() => options.C * (isBinary ? byLabel[0]! : 1)),
      ...{ loss: options.loss, interceptFeature, tolerance: options.tol },
      maxIter: options.maxIter,
      seed: Math.floor(random() * 0x1_0000_0000),
    })
    for (const [lane, label] of labels.entries()) {
      const start = label * matrix.columns
      rows.weightsInto(lane, coefficients.subarray(start, start + matrix.columns))
      intercepts[label] = interceptWeights[lane]! * interceptFeature
      if (!converged[lane]) late.push(classes[label]!)
    }
  }
  return { coefficients, intercepts, warnings: notConverged(problem, late) }
}

/** Writes the values of the matrix times the scale of their column. */
function scaleColumns({ indices, data }: SparseMatrix, scales: Float64Array, into: Float64Array) {
  for (let entry = 0; entry < data.length; entry++) {
    into[entry] = data[entry]! * scales[indices[entry]!]!
  }
}

/** By row: the sum of the squares of its values. */
function squaredNorms({ rows, indptr, data }: SparseMatrix): Float64Array {
  const norms = new Float64Array(rows)
  for (let row = 0; row < rows; row++) {
    const end = indptr[row + 1]!
    let sum = 0
    for (let entry = indptr[row]!; entry < end; entry++) sum += data[entry]! * data[entry]!
    norms[row] = sum
  }
  return norms
}

function notConverged({ who, options, encoded }: MarginProblem, late: string[]): string[] {
  if (late.length === 0) return []
  const names = late.slice(0, 5).map((label) => `'${label}'`)
  const more = late.length > names.length ? ', ...' : ''
  const borders = encoded.classes.length === 2 ? 1 : encoded.classes.length
  return [
    `${who}: did not converge in ${options.maxIter} iterations (${late.length} of ${borders}: ${names.join(', ')}${more}); raise maxIter or lower C`,
  ]
}
