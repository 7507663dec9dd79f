/** What every estimator over rows of features has in common: rows checked, labels numbered. */
import { fail } from '../core/errors.ts'
import { type SparseMatrix, sortByCodePoint } from '../features/index.ts'

/**
 * The most weights (labels times features) that one model may have: 1 GiB of numbers, of which
 * learning and compiling hold several copies, and a file that can be read in one go.
 */
const maxWeights = 2 ** 27

export interface EncodedLabels<Label extends string = string> {
  /** The different labels, sorted by code point, as scikit-learn's `classes_`. */
  readonly classes: readonly Label[]
  /** By row: the index of its label in `classes`. */
  readonly indexes: Int32Array
  /** By class: how many rows have it. */
  readonly counts: Float64Array
}

/**
 * The labels of rows as numbers. Throws `TRAINING_INVALID` for no rows, no features, rows and labels
 * that are not as many, one label alone, values that are not finite, more weights than fit. `who`
 * begins the message.
 */
export function encodeTrainingRows<Label extends string>(
  who: string,
  matrix: SparseMatrix,
  labels: readonly Label[],
): EncodedLabels<Label> {
  if (matrix.rows === 0 || matrix.columns === 0) {
    throw invalid(who, `${matrix.rows} rows of ${matrix.columns} features; nothing can be learnt`)
  }
  if (matrix.rows !== labels.length) {
    throw invalid(who, `${matrix.rows} rows but ${labels.length} labels; give one label a row`)
  }
  for (let entry = 0; entry < matrix.data.length; entry++) {
    if (Number.isFinite(matrix.data[entry]!)) continue
    throw invalid(who, `a feature is ${matrix.data[entry]}; give finite numbers`)
  }
  const classes = sortByCodePoint([...new Set(labels)]) as Label[]
  if (classes.length < 2) {
    throw invalid(
      who,
      `all ${labels.length} rows are labelled '${classes[0]}'; give two labels at least`,
    )
  }
  if (classes.length * matrix.columns > maxWeights) {
    throw invalid(
      who,
      `${classes.length} labels times ${matrix.columns} features are more weights than fit in memory; is the label column an id? Else raise minDf, or set maxFeatures`,
    )
  }
  const classOf = new Map(classes.map((label, index) => [label, index]))
  const indexes = Int32Array.from(labels, (label) => classOf.get(label)!)
  const counts = new Float64Array(classes.length)
  for (const index of indexes) counts[index]!++
  return { classes, indexes, counts }
}

/**
 * How much each label counts: 'balanced' gives each the same weight in all, `rows / (labels * count)`;
 * an object says it by label, 1 where it is silent; null, the default: all rows count alike.
 */
export type ClassWeight = 'balanced' | Readonly<Record<string, number>> | null

/** The weight of each class. Throws `OPTIONS_INVALID` for a label that is not there. */
export function classWeights(
  who: string,
  { classes, counts, indexes }: EncodedLabels,
  weight: ClassWeight,
): Float64Array {
  if (weight === null) return new Float64Array(classes.length).fill(1)
  if (weight === 'balanced') {
    return counts.map((count) => indexes.length / (classes.length * count))
  }
  const unknown = Object.keys(weight).find((label) => !classes.includes(label))
  if (unknown !== undefined) {
    throw fail(
      'OPTIONS_INVALID',
      `${who}: classWeight names '${unknown}', which no row has; the labels are ${classes.slice(0, 20).join(', ')}`,
    )
  }
  // Not `weight[label]` alone: every object has something under 'constructor'.
  return Float64Array.from(classes, (label) => (Object.hasOwn(weight, label) ? weight[label]! : 1))
}

/** Throws `OPTIONS_INVALID` unless it is null, 'balanced' or an object of numbers from 0. */
export function checkClassWeight(who: string, weight: ClassWeight): ClassWeight {
  if (weight === null || weight === 'balanced') return weight
  const isRight =
    typeof weight === 'object' &&
    Object.values(weight).every((value) => value >= 0 && Number.isFinite(value))
  if (isRight) return { ...weight }
  throw fail(
    'OPTIONS_INVALID',
    `${who}: classWeight is ${JSON.stringify(weight)}; give 'balanced', null or a number from 0 a label`,
  )
}

function invalid(who: string, what: string) {
  return fail('TRAINING_INVALID', `${who}: ${what}`)
}
