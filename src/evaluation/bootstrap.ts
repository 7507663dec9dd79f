/**
 * How far a figure could be off because the rows are a sample: percentile bootstrap intervals (Efron
 * and Tibshirani 1993, chapter 13), seeded, so that they can be computed again.
 */
import { fail } from '../core/errors.ts'
import { type Random, seededRandom } from '../core/random.ts'
import { drawMultinomial } from './binomial.ts'

const maxResamples = 1_000_000

export interface Interval {
  readonly low: number
  readonly high: number
}

export interface BootstrapOptions {
  /** How many samples are drawn from the rows, each of as many rows. Default 1,000. */
  readonly resamples?: number | undefined
  /** The share of the samples that lies within the interval. Default 0.95. */
  readonly confidence?: number | undefined
  /** Default 0. */
  readonly seed?: number | undefined
}

/**
 * The interval of any figure that is computed from rows. `metric` gets the indexes of the rows of a
 * sample, some more than once, in an array that it must not keep; where it says undefined or NaN (a
 * sample without the class, say) the sample is left out. Undefined where none is left, or no rows
 * are. For accuracy and F1 of many rows, `bootstrapCounts` is far faster. Throws `OPTIONS_INVALID`.
 */
export function bootstrapInterval(
  rowCount: number,
  metric: (rows: Int32Array) => number | undefined,
  options: BootstrapOptions = {},
): Interval | undefined {
  const { resamples, confidence, random } = checkBootstrap(options)
  if (rowCount === 0) return undefined
  const rows = new Int32Array(rowCount)
  const values = new Float64Array(resamples)
  for (let sample = 0; sample < resamples; sample++) {
    for (let row = 0; row < rowCount; row++) rows[row] = Math.floor(random() * rowCount)
    values[sample] = metric(rows) ?? Number.NaN
  }
  return intervalOf(values, confidence)
}

/**
 * The intervals of figures that follow from counts of cells (a confusion matrix): as many rows are
 * drawn anew by drawing how many fall into each cell, which has the same distribution as drawing row
 * by row, and costs by cells. `figures` gets the drawn counts, in an array that it must not keep, and
 * answers as many numbers each time. Throws `OPTIONS_INVALID`.
 */
export function bootstrapCounts(
  counts: Float64Array,
  figures: (drawn: Float64Array) => readonly (number | undefined)[],
  options: BootstrapOptions = {},
): (Interval | undefined)[] {
  const { resamples, confidence, random } = checkBootstrap(options)
  const total = counts.reduce((sum, count) => sum + count, 0)
  const drawn = new Float64Array(counts.length)
  const values = figures(counts).map(() => new Float64Array(resamples))
  if (total === 0) return values.map(() => undefined)
  for (let sample = 0; sample < resamples; sample++) {
    drawMultinomial(counts, total, total, random, drawn)
    const answers = figures(drawn)
    for (let figure = 0; figure < values.length; figure++) {
      values[figure]![sample] = answers[figure] ?? Number.NaN
    }
  }
  return values.map((ofFigure) => intervalOf(ofFigure, confidence))
}

/** Throws `OPTIONS_INVALID`. */
function checkBootstrap({ resamples = 1000, confidence = 0.95, seed = 0 }: BootstrapOptions): {
  resamples: number
  confidence: number
  random: Random
} {
  if (!(Number.isInteger(resamples) && resamples >= 1 && resamples <= maxResamples)) {
    throw invalid(`resamples is ${resamples}; give a whole number from 1 to ${maxResamples}`)
  }
  if (!(confidence > 0 && confidence < 1)) {
    throw invalid(`confidence is ${confidence}; give a number between 0 and 1`)
  }
  if (!Number.isSafeInteger(seed)) throw invalid(`seed is ${seed}; give a whole number`)
  return { resamples, confidence, random: seededRandom(seed) }
}

function intervalOf(values: Float64Array, confidence: number): Interval | undefined {
  const known = values.filter((value) => !Number.isNaN(value)).sort()
  if (known.length === 0) return undefined
  const tail = (1 - confidence) / 2
  return { low: quantile(known, tail), high: quantile(known, 1 - tail) }
}

/** Of rising values, between two of them along a line, as `numpy.quantile`. */
function quantile(values: Float64Array, at: number): number {
  const position = at * (values.length - 1)
  const below = Math.floor(position)
  const above = Math.min(below + 1, values.length - 1)
  return values[below]! + (position - below) * (values[above]! - values[below]!)
}

function invalid(what: string) {
  return fail('OPTIONS_INVALID', `bootstrap: ${what}`)
}
