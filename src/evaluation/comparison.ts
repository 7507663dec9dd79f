/** Whether one classifier is better than another on the same rows, or only luckier. */
import { type BootstrapOptions, bootstrapCounts, type Interval } from './bootstrap.ts'
import { checkSameLength, invalid } from './scored-rows.ts'
import { share } from './summary.ts'

/**
 * McNemar's exact test (McNemar 1947; as scipy's `binomtest(min(b, c), b + c, 0.5)`, two-sided): the
 * chance that two classifiers which are equally good differ at least so much. `onlyFirstRight` and
 * `onlySecondRight` count the rows on which just one of both is right. 1 where there are none. Throws
 * `EVALUATION_INVALID`.
 */
export function mcnemar(onlyFirstRight: number, onlySecondRight: number): number {
  for (const count of [onlyFirstRight, onlySecondRight]) {
    if (Number.isSafeInteger(count) && count >= 0) continue
    throw invalid('mcnemar', `a count is ${count}; give whole numbers from 0`)
  }
  if (onlyFirstRight === onlySecondRight) return 1
  const fewer = Math.min(onlyFirstRight, onlySecondRight)
  return Math.min(1, 2 * lowerTail(fewer, onlyFirstRight + onlySecondRight))
}

/** The chance of at most `successes` heads in `trials` fair throws. */
function lowerTail(successes: number, trials: number): number {
  let term = chanceOf(successes, trials)
  let sum = term
  for (let k = successes; k > 0 && term > sum * 1e-18; k--) {
    term *= k / (trials - k + 1)
    sum += term
  }
  return sum
}

/** `trials` over `successes`, times 2^-trials: halved while it grows, so that it stays in range. */
function chanceOf(successes: number, trials: number): number {
  let chance = 1
  let halvings = trials
  for (let k = 1; k <= successes; k++) {
    chance *= (trials - successes + k) / k
    while (chance > 1 && halvings > 0) {
      chance /= 2
      halvings--
    }
  }
  return chance * 2 ** -halvings
}

export interface Comparison {
  readonly count: number
  readonly baselineAccuracy: number
  readonly candidateAccuracy: number
  /** The candidate's accuracy less the baseline's: above 0 where it is better. */
  readonly difference: number
  /** The bootstrap interval of the difference; null of no rows. */
  readonly interval: Interval | null
  readonly onlyBaselineRight: number
  readonly onlyCandidateRight: number
  /** Of McNemar's exact test: small where the difference is hardly chance. */
  readonly pValue: number
}

export interface ComparedRows {
  readonly truths: readonly string[]
  /** What the model said that serves now. */
  readonly baseline: readonly string[]
  /** What the model said that may take its place. */
  readonly candidate: readonly string[]
}

/** Compares the answers of two classifiers to the same rows. Throws `EVALUATION_INVALID`. */
export function comparePredictions(
  { truths, baseline, candidate }: ComparedRows,
  options: BootstrapOptions = {},
): Comparison {
  checkSameLength('comparePredictions', truths.length, baseline.length, 'answers of the baseline')
  checkSameLength('comparePredictions', truths.length, candidate.length, 'of the candidate')
  let bothRight = 0
  let onlyBaselineRight = 0
  let onlyCandidateRight = 0
  for (let row = 0; row < truths.length; row++) {
    const baselineRight = baseline[row] === truths[row]
    const candidateRight = candidate[row] === truths[row]
    if (baselineRight && candidateRight) bothRight++
    else if (baselineRight) onlyBaselineRight++
    else if (candidateRight) onlyCandidateRight++
  }
  const count = truths.length
  const alike = count - onlyBaselineRight - onlyCandidateRight
  const [interval] = bootstrapCounts(
    Float64Array.of(onlyBaselineRight, onlyCandidateRight, alike),
    (drawn) => [share(drawn[1]! - drawn[0]!, count)],
    options,
  )
  return {
    count,
    baselineAccuracy: share(bothRight + onlyBaselineRight, count),
    candidateAccuracy: share(bothRight + onlyCandidateRight, count),
    difference: share(onlyCandidateRight - onlyBaselineRight, count),
    interval: interval ?? null,
    onlyBaselineRight,
    onlyCandidateRight,
    pValue: mcnemar(onlyBaselineRight, onlyCandidateRight),
  }
}
