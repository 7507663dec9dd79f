/** From the scores of one text to the probabilities of its labels. */
import type { SparseMatrix } from '../features/index.ts'
import { argmax, type LinearWeights, linearScores, type ScoreKind } from './linear.ts'

/**
 * How scores become probabilities. `softmax` multiplies by `scale` first (temperature scaling; 1
 * leaves them as they are), `one-vs-rest` is the logistic function of each label's score, shared out;
 * `sigmoid` (Platt) does so with `slope * score + offset`; `isotonic` reads each label's probability
 * off a rising line through the points (x, y), shared out. With two labels the last three look at the
 * difference of both scores alone: `slopes`, `offsets` and `lines` have one entry, for the second
 * label, and the first has the rest.
 */
export type Link =
  | { readonly kind: 'softmax'; readonly scale: number }
  | { readonly kind: 'one-vs-rest' }
  | { readonly kind: 'sigmoid'; readonly slopes: Float64Array; readonly offsets: Float64Array }
  | { readonly kind: 'isotonic'; readonly lines: readonly RisingLine[] }

/** A line through points with rising x; before the first and behind the last it stays level. */
export interface RisingLine {
  readonly x: Float64Array
  readonly y: Float64Array
}

/** Turns `count` scores from `start` on into probabilities, in place. They add up to one. */
export function scoresToProbabilities(
  link: Link,
  scores: Float64Array,
  start: number,
  count: number,
): void {
  if (link.kind === 'softmax') {
    softmax(scores, start, count, link.scale)
    return
  }
  if (count === 2) {
    const second = singleProbability(link, scores[start + 1]! - scores[start]!, 0)
    scores[start] = 1 - second
    scores[start + 1] = second
    return
  }
  let sum = 0
  for (let label = 0; label < count; label++) {
    const probability = singleProbability(link, scores[start + label]!, label)
    scores[start + label] = probability
    sum += probability
  }
  // Where no label is possible at all, as isotonic lines can say, all are equally likely.
  for (let label = start; label < start + count; label++) {
    scores[label] = sum > 0 ? scores[label]! / sum : 1 / count
  }
}

/** Scores to probabilities in place, `count` from `start`: by log-sum-exp, so that none overflows. */
export function softmax(scores: Float64Array, start: number, count: number, scale = 1): void {
  const highest = scores[start + argmax(scores, start, count)]!
  let sum = 0
  for (let label = start; label < start + count; label++) {
    const power = Math.exp((scores[label]! - highest) * scale)
    scores[label] = power
    sum += power
  }
  for (let label = start; label < start + count; label++) scores[label]! /= sum
}

/** 1 / (1 + exp(-value)), without overflow. */
export function logistic(value: number): number {
  if (value >= 0) return 1 / (1 + Math.exp(-value))
  const power = Math.exp(value)
  return power / (1 + power)
}

function singleProbability(
  link: Exclude<Link, { kind: 'softmax' }>,
  score: number,
  index: number,
): number {
  if (link.kind === 'one-vs-rest') return logistic(score)
  if (link.kind === 'sigmoid') return logistic(link.slopes[index]! * score + link.offsets[index]!)
  return onLine(link.lines[index]!, score)
}

function onLine({ x, y }: RisingLine, at: number): number {
  const last = x.length - 1
  if (at <= x[0]!) return y[0]!
  if (at >= x[last]!) return y[last]!
  let low = 0
  let high = last
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (x[middle]! <= at) low = middle
    else high = middle
  }
  const share = (at - x[low]!) / (x[high]! - x[low]!)
  return y[low]! + share * (y[high]! - y[low]!)
}

/** What an uncalibrated model's scores mean; a margin without calibration is only put in order. */
export function naturalLink(kind: ScoreKind): Link {
  return kind === 'one-vs-rest' ? { kind } : { kind: 'softmax', scale: 1 }
}

/** Probabilities, a row a row of the matrix, a column a label. */
export function predictProbabilities(
  weights: LinearWeights,
  matrix: SparseMatrix,
  link: Link = naturalLink(weights.scoreKind),
): Float64Array {
  const scores = linearScores(weights, matrix)
  const count = weights.labels.length
  for (let start = 0; start < scores.length; start += count) {
    scoresToProbabilities(link, scores, start, count)
  }
  return scores
}
