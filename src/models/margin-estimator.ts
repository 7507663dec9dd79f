/** What linear-svc.ts and nb-svm.ts share: options of the solver, and a border for each label. */
import { fail } from '../core/errors.ts'
import { seededRandom } from '../core/random.ts'
import type { SparseMatrix } from '../features/index.ts'
import { type MarginLoss, solveDual } from './dual-coordinate-descent.ts'
import {
  type ClassWeight,
  checkClassWeight,
  classWeights,
  type EncodedLabels,
} from './training-rows.ts'

/** How many labels are learnt side by side at most. */
const labelsTogether = 8

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
  /** A row a label, for features that are not scaled; with two labels the first row is zeros. */
  readonly coefficients: Float64Array
  readonly intercepts: Float64Array
  /** Words on labels that did not converge. */
  readonly warnings: readonly string[]
}

/** A border between each label and the rest; with two labels one, that of the second. */
export function fitMargins(problem: MarginProblem): Margins {
  const { who, matrix, encoded, options, interceptFeature, scalesOf } = problem
  const { classes, indexes } = encoded
  const byLabel = classWeights(who, encoded, options.classWeight)
  const isBinary = classes.length === 2
  const random = seededRandom(problem.seed)
  const coefficients = new Float64Array(classes.length * matrix.columns)
  const intercepts = new Float64Array(classes.length)
  const late: string[] = []
  for (const labels of groupsOfLabels(classes.length)) {
    const solution = solveDual({
      matrix,
      classes: indexes,
      labels,
      positiveCosts: labels.map((label) => options.C * byLabel[label]!),
      negativeCosts: labels.map(() => options.C * (isBinary ? byLabel[0]! : 1)),
      loss: options.loss,
      interceptFeature,
      scales: scalesOf === undefined ? null : labels.map(scalesOf),
      tolerance: options.tol,
      maxIter: options.maxIter,
      seed: Math.floor(random() * 0x1_0000_0000),
    })
    for (const [lane, label] of labels.entries()) {
      coefficients.set(solution.weights[lane]!, label * matrix.columns)
      intercepts[label] = solution.interceptWeights[lane]! * interceptFeature
      if (!solution.converged[lane]) late.push(classes[label]!)
    }
  }
  return { coefficients, intercepts, warnings: notConverged(problem, late) }
}

/** The labels that are learnt side by side, in groups of about the same size. */
function groupsOfLabels(count: number): number[][] {
  if (count === 2) return [[1]]
  const groups = Math.ceil(count / labelsTogether)
  return Array.from({ length: groups }, (_, group) => {
    const first = Math.round((group * count) / groups)
    const end = Math.round(((group + 1) * count) / groups)
    return Array.from({ length: end - first }, (_, lane) => first + lane)
  })
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
