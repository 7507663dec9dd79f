/** Answers from the least to the most confident: what calibration and coverage are read off. */
import { checkProbabilities, checkSameLength, invalid } from './scored-rows.ts'

/** Two columns of as many rows as there are answers, in the order of rising confidence. */
export interface ConfidenceOrder {
  readonly confidences: Float64Array
  /**
   * Which share of the answers of just this confidence is right. Equals share it, so that nothing
   * depends on the order in which they came.
   */
  readonly rightShares: Float64Array
}

/**
 * Puts answers in order. `isRight[i]` is 1 where answer i is right and 0 where not, `confidences[i]`
 * its probability. Throws `EVALUATION_INVALID`.
 */
export function confidenceOrder(
  who: string,
  isRight: ArrayLike<number>,
  confidences: ArrayLike<number>,
): ConfidenceOrder {
  checkSameLength(who, isRight.length, confidences.length, 'confidences')
  checkProbabilities(who, confidences)
  const sorted = new Float64Array(isRight.length)
  const rightOnly = new Float64Array(isRight.length)
  let rightCount = 0
  for (let row = 0; row < isRight.length; row++) {
    if (isRight[row] !== 0 && isRight[row] !== 1) {
      throw invalid(who, `isRight ${row} is ${isRight[row]}; give 1 or 0`)
    }
    sorted[row] = confidences[row]!
    if (isRight[row] === 1) rightOnly[rightCount++] = confidences[row]!
  }
  sorted.sort()
  const right = rightOnly.subarray(0, rightCount).sort()
  return { confidences: sorted, rightShares: sharesOf(sorted, right) }
}

function sharesOf(sorted: Float64Array, right: Float64Array): Float64Array {
  const shares = new Float64Array(sorted.length)
  let rightEnd = 0
  for (let start = 0; start < sorted.length; ) {
    const confidence = sorted[start]!
    let end = start
    while (end < sorted.length && sorted[end] === confidence) end++
    const rightStart = rightEnd
    while (rightEnd < right.length && right[rightEnd] === confidence) rightEnd++
    shares.fill((rightEnd - rightStart) / (end - start), start, end)
    start = end
  }
  return shares
}
