/** Rows dealt into folds, so that each can be tried by a model that learnt from the others. */
import { seededRandom } from '../core/random.ts'

/**
 * By row: its fold, from 0. Each label's rows are shuffled by the seed and dealt out in turn, so that
 * every fold has its share of every label, to within one row. Where one label's rows end, the next
 * label goes on, so that the folds are as large as each other, to within one row, too.
 */
export function stratifiedFolds(
  labels: readonly string[],
  folds: number,
  seed: number,
): Int32Array {
  const rowsOf = new Map<string, number[]>()
  for (const [row, label] of labels.entries()) {
    const rows = rowsOf.get(label)
    if (rows === undefined) rowsOf.set(label, [row])
    else rows.push(row)
  }
  const random = seededRandom(seed)
  const foldOf = new Int32Array(labels.length)
  let dealt = 0
  for (const rows of rowsOf.values()) {
    shuffle(rows, random)
    for (const row of rows) foldOf[row] = dealt++ % folds
  }
  return foldOf
}

/** Fisher and Yates. */
function shuffle(values: number[], random: () => number): void {
  for (let last = values.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    const kept = values[last]!
    values[last] = values[other]!
    values[other] = kept
  }
}
