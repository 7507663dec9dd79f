/** Answers counted by truth and prediction, as a list: as long as there are different pairs. */
import type { LabelCounts } from './summary.ts'

/** The different pairs, by truth and then by prediction, and how often each occurs. */
export interface AnswerCells {
  readonly labelCount: number
  readonly truths: Int32Array
  readonly predictions: Int32Array
  readonly counts: Float64Array
}

/** Counts pairs of label indexes below `labelCount`: `predictions[i]` was said of `truths[i]`. */
export function countCells(
  truths: Int32Array,
  predictions: Int32Array,
  labelCount: number,
): AnswerCells {
  const countOf = new Map<number, number>()
  for (let row = 0; row < truths.length; row++) {
    const key = truths[row]! * labelCount + predictions[row]!
    countOf.set(key, (countOf.get(key) ?? 0) + 1)
  }
  const keys = Float64Array.from(countOf.keys()).sort()
  return {
    labelCount,
    truths: Int32Array.from(keys, (key) => Math.floor(key / labelCount)),
    predictions: Int32Array.from(keys, (key) => key % labelCount),
    counts: keys.map((key) => countOf.get(key)!),
  }
}

/** The counts of each label; `counts` stands for those of the cells, as a bootstrap draws them. */
export function labelCountsOf(
  { labelCount, truths, predictions }: AnswerCells,
  counts: Float64Array,
): LabelCounts {
  const support = new Float64Array(labelCount)
  const predicted = new Float64Array(labelCount)
  const right = new Float64Array(labelCount)
  for (let cell = 0; cell < counts.length; cell++) {
    const count = counts[cell]!
    support[truths[cell]!]! += count
    predicted[predictions[cell]!]! += count
    if (truths[cell] === predictions[cell]) right[truths[cell]!]! += count
  }
  return { support, predicted, right }
}
