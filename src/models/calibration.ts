/**
 * Calibration: makes scores probabilities that can be taken at their word, so that of the answers
 * with 0.8 four in five are right. Learnt from rows that the model did not learn from.
 */
import { fail } from '../core/errors.ts'
import { fitIsotonic } from './isotonic.ts'
import type { Link } from './link.ts'
import { fitSigmoid } from './platt.ts'
import { fitTemperature } from './temperature.ts'

/**
 * 'sigmoid' (Platt): few rows, scores that are distances to a border. 'isotonic': any shape, from
 * some thousand rows on. 'temperature': one number for all labels; the likeliest label stays so.
 */
export type CalibrationMethod = 'sigmoid' | 'isotonic' | 'temperature'

export const calibrationMethods: readonly CalibrationMethod[] = [
  'sigmoid',
  'isotonic',
  'temperature',
]

/**
 * The link that fits `scores` (a row a text, `count` a row) to the true labels' `indexes`, as
 * scikit-learn's `CalibratedClassifierCV` over decision scores: sigmoid and isotonic one label
 * against the rest, and shared out; with two labels over the difference of both scores. Its
 * `ensemble=False` is this over the scores of all held-out parts together. scikit-learn calibrates
 * the probabilities of a naive Bayes, this its scores, which keep what rounding to 0 and 1 loses.
 *
 * A label that no row has is unlikely everywhere. Throws `OPTIONS_INVALID` for another method,
 * `TRAINING_INVALID` for no rows, a score that is not finite, indexes that do not fit.
 */
export function fitCalibration(
  method: CalibrationMethod,
  scores: Float64Array,
  indexes: Int32Array,
  count: number,
): Link {
  if (!calibrationMethods.includes(method)) {
    throw fail(
      'OPTIONS_INVALID',
      `calibration: unknown method '${method}'; known: ${calibrationMethods.join(', ')}`,
    )
  }
  checkRows(scores, indexes, count)
  if (method === 'temperature') {
    return { kind: 'softmax', scale: fitTemperature(scores, indexes, count) }
  }
  const sides = count === 2 ? [1] : Array.from({ length: count }, (_, label) => label)
  const columns = sides.map((label) => ({
    scores: labelScores(scores, label, count),
    isYes: Uint8Array.from(indexes, (index) => (index === label ? 1 : 0)),
  }))
  if (method === 'isotonic') {
    const lines = columns.map((column) => fitIsotonic(column.scores, column.isYes))
    return { kind: 'isotonic', lines }
  }
  const sigmoids = columns.map((column) => fitSigmoid(column.scores, column.isYes))
  return {
    kind: 'sigmoid',
    slopes: Float64Array.from(sigmoids, ({ slope }) => slope),
    offsets: Float64Array.from(sigmoids, ({ offset }) => offset),
  }
}

/** One label's score of each row; with two labels the second's lead over the first. */
function labelScores(scores: Float64Array, label: number, count: number): Float64Array {
  const column = new Float64Array(scores.length / count)
  for (let row = 0; row < column.length; row++) {
    const score = scores[row * count + label]!
    column[row] = count === 2 ? score - scores[row * count]! : score
  }
  return column
}

function checkRows(scores: Float64Array, indexes: Int32Array, count: number): void {
  if (!(count >= 2) || indexes.length === 0 || scores.length !== indexes.length * count) {
    throw invalid(
      `${scores.length} scores for ${indexes.length} rows of ${count} labels; give one score a label and row, of two labels and one row at least`,
    )
  }
  const unknown = indexes.find((index) => !(index >= 0 && index < count))
  if (unknown !== undefined) {
    throw invalid(`a row has label ${unknown} of ${count}; give indexes from 0`)
  }
  // The difference of two must be finite too.
  const tooLarge = scores.find((score) => !(Math.abs(score) <= 1e300))
  if (tooLarge !== undefined) {
    throw invalid(`a score is ${tooLarge}; give finite numbers, at most 1e300`)
  }
}

function invalid(what: string) {
  return fail('TRAINING_INVALID', `calibration: ${what}`)
}
