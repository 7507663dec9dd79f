/**
 * How well scores put rows in order, whatever threshold is set: area under the ROC curve and average
 * precision, with scikit-learn's meaning. Where they are not defined (only one class is there) the
 * answer is `undefined`, never NaN.
 */

import { checkSameLength, checkScoredRows, invalid, type ScoredRows } from './scored-rows.ts'
import { share } from './summary.ts'

/** Over labels: each alike, or each as often as it occurs. */
export type Average = 'macro' | 'weighted'

/** How well one label's probability tells the rows that have it from the rest. */
export interface LabelRanking {
  readonly rocAuc: number | undefined
  readonly averagePrecision: number | undefined
  readonly support: number
}

/**
 * The area under the ROC curve (`roc_auc_score`): the chance that a row of the class scores higher
 * than another, a tie counting half. `truths[i]` is 1 where row i is of the class and 0 where not;
 * scores are any finite numbers. Undefined unless there are rows of both kinds (scikit-learn warns
 * and says NaN). Exact but for one rounding: ties and the order of the rows do not matter. Throws
 * `EVALUATION_INVALID`.
 */
export function rocAuc(truths: ArrayLike<number>, scores: ArrayLike<number>): number | undefined {
  checkScores('rocAuc', truths, scores)
  return areaOf(split(truths, scores, 1, 0, 1))
}

/**
 * The area under the curve of precision over recall as steps (`average_precision_score`): the mean
 * of the precision at each row of the class, ties taken together. Undefined where no row is of the
 * class (scikit-learn warns and says 0). Throws `EVALUATION_INVALID`.
 */
export function averagePrecision(
  truths: ArrayLike<number>,
  scores: ArrayLike<number>,
): number | undefined {
  checkScores('averagePrecision', truths, scores)
  return precisionOf(split(truths, scores, 1, 0, 1))
}

/**
 * The mean of the labels' areas, each label against the rest (`roc_auc_score` with
 * `multi_class='ovr'`). Labels that no row has, or all rows have, have no area and are left out,
 * where scikit-learn's macro average is NaN; its weighted one leaves them out as well. Undefined
 * where no label has one. Throws `EVALUATION_INVALID`.
 */
export function rocAucOneVsRest(rows: ScoredRows, average: Average = 'macro'): number | undefined {
  return averageOf(labelRankings(rows), 'rocAuc', average)
}

/**
 * The mean of the labels' average precision, each label against the rest
 * (`average_precision_score`), over the labels that some row has. Throws `EVALUATION_INVALID`.
 */
export function averagePrecisionOneVsRest(
  rows: ScoredRows,
  average: Average = 'macro',
): number | undefined {
  return averageOf(labelRankings(rows), 'averagePrecision', average)
}

/** Both figures of each label against the rest: one sort a label. Throws `EVALUATION_INVALID`. */
export function labelRankings(rows: ScoredRows): LabelRanking[] {
  checkScoredRows('labelRankings', rows)
  const { truths, probabilities, labelCount } = rows
  return Array.from({ length: labelCount }, (_, label) => {
    const sides = split(truths, probabilities, labelCount, label, label)
    return {
      rocAuc: areaOf(sides),
      averagePrecision: precisionOf(sides),
      support: sides.inside.length,
    }
  })
}

/** The mean of one figure over the labels that have it. */
export function averageOf(
  rankings: readonly LabelRanking[],
  figure: 'rocAuc' | 'averagePrecision',
  average: Average,
): number | undefined {
  let sum = 0
  let weights = 0
  for (const ranking of rankings) {
    const value = ranking[figure]
    if (value === undefined) continue
    const weight = average === 'macro' ? 1 : ranking.support
    sum += weight * value
    weights += weight
  }
  return weights === 0 ? undefined : share(sum, weights)
}

/** The scores of the rows that are of a class, and of those that are not, both rising. */
interface Sides {
  readonly inside: Float64Array
  readonly outside: Float64Array
}

/** Sorting both sides apart needs no order of rows, and so the engine's fastest sort. */
function split(
  truths: ArrayLike<number>,
  scores: ArrayLike<number>,
  stride: number,
  column: number,
  label: number,
): Sides {
  let insideCount = 0
  for (let row = 0; row < truths.length; row++) if (truths[row] === label) insideCount++
  const inside = new Float64Array(insideCount)
  const outside = new Float64Array(truths.length - insideCount)
  let insideEnd = 0
  let outsideEnd = 0
  for (let row = 0, at = column; row < truths.length; row++, at += stride) {
    if (truths[row] === label) inside[insideEnd++] = scores[at]!
    else outside[outsideEnd++] = scores[at]!
  }
  return { inside: inside.sort(), outside: outside.sort() }
}

/** Counts, for each row of the class, the others below it twice and the ties once: whole numbers. */
function areaOf({ inside, outside }: Sides): number | undefined {
  if (inside.length === 0 || outside.length === 0) return undefined
  let below = 0
  let upTo = 0
  let doubled = 0
  for (let row = 0; row < inside.length; row++) {
    const score = inside[row]!
    while (below < outside.length && outside[below]! < score) below++
    while (upTo < outside.length && outside[upTo]! <= score) upTo++
    doubled += below + upTo
  }
  return doubled / 2 / (inside.length * outside.length)
}

function precisionOf({ inside, outside }: Sides): number | undefined {
  if (inside.length === 0) return undefined
  let sum = 0
  let next = inside.length - 1
  let others = outside.length - 1
  while (next >= 0) {
    const threshold = inside[next]!
    const before = next
    while (next >= 0 && inside[next] === threshold) next--
    while (others >= 0 && outside[others]! >= threshold) others--
    const hits = inside.length - 1 - next
    const misses = outside.length - 1 - others
    sum += ((before - next) * hits) / (hits + misses)
  }
  return sum / inside.length
}

function checkScores(who: string, truths: ArrayLike<number>, scores: ArrayLike<number>): void {
  checkSameLength(who, truths.length, scores.length, 'scores')
  for (let row = 0; row < truths.length; row++) {
    if (truths[row] !== 0 && truths[row] !== 1) {
      throw invalid(who, `truth ${row} is ${truths[row]}; give 1 for the class and 0 for the rest`)
    }
    if (Number.isFinite(scores[row])) continue
    throw invalid(who, `score ${row} is ${scores[row]}; give finite numbers`)
  }
}
