/** From the history to what a chart draws: series by name, with a value or a gap at each time. */
import type { HistoryPoint } from '../../src/server/state.ts'

export interface Series {
  readonly name: string
  /** As many as there are times; null: nothing was measured. */
  readonly values: readonly (number | null)[]
  /** For what is compared with, not measured. */
  readonly isDashed?: boolean
  /** Default: by its place. */
  readonly colour?: number
}

export interface TimeSeries {
  readonly timesMs: readonly number[]
  readonly series: readonly Series[]
  /** The stretch of time that is drawn; default: the whole minutes that hold all times. */
  readonly window?: Window
}

export interface Window {
  readonly fromMs: number
  readonly toMs: number
}

type Values = Readonly<Record<string, number | null>>

/** One series for each name in `names`, in that order. */
export function seriesOf(
  points: readonly HistoryPoint[],
  names: readonly string[],
  valuesOf: (point: HistoryPoint) => Values,
): TimeSeries {
  return {
    timesMs: points.map((point) => point.atMs),
    series: names.map((name) => ({
      name,
      values: points.map((point) => valuesOf(point)[name] ?? null),
    })),
  }
}

const minuteMs = 60_000

/** Whole minutes that hold all points, so that the picture is full from the first minute on. */
export function windowOf(timesMs: readonly number[]): Window {
  const toMs = timesMs.at(-1) ?? 0
  const spanMs = toMs - (timesMs[0] ?? toMs)
  const minutes = Math.max(1, Math.ceil(spanMs / minuteMs))
  return { fromMs: toMs - minutes * minuteMs, toMs }
}

/** Labels shown by themselves; the others are counted together. */
export const mostLabels = 7
export const otherLabel = 'other'

/** The commonest labels in the order of the alphabet, so that none changes its colour in passing. */
export function shownLabels(totals: Readonly<Record<string, number>>): string[] {
  const names = Object.keys(totals).filter((name) => name !== otherLabel)
  names.sort((a, b) => totals[b]! - totals[a]! || (a < b ? -1 : 1))
  const hasOthers = names.length > mostLabels || otherLabel in totals
  const shown = names.slice(0, mostLabels).sort()
  return hasOthers ? [...shown, otherLabel] : shown
}

/** The counts of `labels`; all others under `other`. */
export function grouped(
  counts: Readonly<Record<string, number>>,
  labels: readonly string[],
): Record<string, number> {
  const sums: Record<string, number> = Object.fromEntries(labels.map((label) => [label, 0]))
  for (const [label, count] of Object.entries(counts)) {
    const name = label in sums ? label : otherLabel
    if (name in sums) sums[name]! += count
  }
  return sums
}

/** How often a `predict` step answered each label, a second, averaged over some seconds each. */
export function predictionSeries(
  points: readonly HistoryPoint[],
  step: string,
  labels: readonly string[],
): TimeSeries {
  const window = windowOf(points.map((point) => point.atMs))
  const bucketMs = (window.toMs - window.fromMs) / 60
  const buckets = new Map<number, Record<string, number>>()
  for (const point of points) {
    const bucket = Math.floor(point.atMs / bucketMs)
    const sums = buckets.get(bucket) ?? grouped({}, labels)
    for (const [label, count] of Object.entries(grouped(point.predictions[step] ?? {}, labels))) {
      sums[label] = (sums[label] ?? 0) + count
    }
    buckets.set(bucket, sums)
  }
  // The first and the last are cut off somewhere in the middle.
  const whole = [...buckets].slice(1, -1)
  return {
    window,
    timesMs: whole.map(([bucket]) => (bucket + 1) * bucketMs),
    series: labels.map((name) => ({
      name,
      values: whole.map(([, sums]) => ((sums[name] ?? 0) * 1000) / bucketMs),
    })),
  }
}

/** The newest value of a series that is one. */
export const newest = ({ values }: Series) => values.findLast((value) => value !== null) ?? null

/** At most `most` moments, evenly, with the newest: for the table beside a chart. */
export function sampledTimes(count: number, most: number): number[] {
  const stride = Math.max(1, Math.ceil(count / most))
  const indexes: number[] = []
  for (let index = count - 1; index >= 0; index -= stride) indexes.push(index)
  return indexes
}
