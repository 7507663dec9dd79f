/**
 * Calibration by rows that the scoring model did not learn from, as scikit-learn's
 * CalibratedClassifierCV with `ensemble=False`: each fold is scored by a model of the others, and the
 * scores of all folds together calibrate the model of all rows.
 */
import { fail } from '../core/errors.ts'
import { type SparseMatrix, selectRows } from '../features/sparse.ts'
import { type CalibrationMethod, fitCalibration } from './calibration.ts'
import { stratifiedFolds } from './folds.ts'
import { type FitWeightsOptions, type LinearEstimator, linearScores } from './linear.ts'
import type { Link } from './link.ts'
import { encodeTrainingRows } from './training-rows.ts'

/** True when two labels have a row for every fold. */
export function canCalibrate(labels: readonly string[], folds: number): boolean {
  const counts = new Map<string, number>()
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1)
  return [...counts.values()].filter((count) => count >= folds).length >= 2
}

/**
 * Learns the link of an estimator's scores. A label with fewer rows than folds is learnt from in
 * every fold and tried in none. Throws `TRAINING_INVALID` when no two labels have rows enough.
 */
export function calibrateOutOfFold(
  estimator: LinearEstimator,
  matrix: SparseMatrix,
  labels: readonly string[],
  method: CalibrationMethod,
  folds: number,
  options: FitWeightsOptions,
): Link {
  const { classes, indexes, counts } = encodeTrainingRows(estimator.name, matrix, labels)
  const isTried = indexes.map((label) => (counts[label]! >= folds ? 1 : 0))
  if (!canCalibrate(labels, folds)) {
    throw fail(
      'TRAINING_INVALID',
      `${estimator.name}: calibration needs two labels with ${folds} rows or more; give more rows, fewer calibrationFolds, or calibrate: null`,
    )
  }
  const foldOf = stratifiedFolds(labels, folds, options.seed)
  const tried = rowsWhere(indexes.length, (row) => isTried[row] === 1)
  const scores = new Float64Array(tried.length * classes.length)
  const placeOf = new Int32Array(indexes.length)
  for (const [place, row] of tried.entries()) placeOf[row] = place * classes.length
  for (let fold = 0; fold < folds; fold++) {
    const learnt = rowsWhere(indexes.length, (row) => foldOf[row] !== fold || isTried[row] === 0)
    const asked = tried.filter((row) => foldOf[row] === fold)
    if (asked.length === 0) continue
    const learntLabels = Array.from(learnt, (row) => labels[row]!)
    const weights = estimator.fitWeights(selectRows(matrix, learnt), learntLabels, options)
    const found = linearScores(weights, selectRows(matrix, asked))
    for (const [place, row] of asked.entries()) {
      scores.set(
        found.subarray(place * classes.length, (place + 1) * classes.length),
        placeOf[row]!,
      )
    }
  }
  const triedIndexes = tried.map((row) => indexes[row]!)
  return fitCalibration(method, scores, triedIndexes, classes.length)
}

function rowsWhere(count: number, isWanted: (row: number) => boolean): Int32Array {
  const rows = new Int32Array(count)
  let found = 0
  for (let row = 0; row < count; row++) if (isWanted(row)) rows[found++] = row
  return rows.slice(0, found)
}
