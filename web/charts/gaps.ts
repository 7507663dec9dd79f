/** Lines over times that are not all there: where a line breaks, and over which stretch it is drawn. */
import type { TimeSeries, Window } from './series.ts'

/**
 * Points are neighbours when no point is missing between them. Where most are missing, that would
 * leave dots without a line: then only what is far longer than the usual distance is a gap.
 */
function widestStepMs(timesMs: readonly number[], everyMs: number): number {
  const steps = timesMs.slice(1).map((timeMs, index) => timeMs - timesMs[index]!)
  steps.sort((a, b) => a - b)
  const usual = steps[Math.floor(steps.length / 2)] ?? everyMs
  return usual <= everyMs * 1.5 ? everyMs * 1.5 : usual * 4
}

/** The same with an empty point in each gap, so that no line is drawn over it. */
export function withGaps({ timesMs, series, ...rest }: TimeSeries, everyMs: number): TimeSeries {
  const widestMs = widestStepMs(timesMs, everyMs)
  /** Places after which there is a gap. */
  const breaks = new Set<number>()
  for (let place = 0; place < timesMs.length - 1; place++) {
    if (timesMs[place + 1]! - timesMs[place]! > widestMs) breaks.add(place)
  }
  const broken = <Value>(values: readonly Value[], empty: (place: number) => Value) =>
    values.flatMap((value, place) => (breaks.has(place) ? [value, empty(place)] : [value]))
  return {
    ...rest,
    timesMs: broken(timesMs, (place) => timesMs[place]! + everyMs),
    series: series.map((one) => ({ ...one, values: broken(one.values, () => null) })),
  }
}

/** From the first point to the last; a single one stands in the middle. */
export function windowOfPoints(timesMs: readonly number[], everyMs: number): Window {
  const [fromMs = 0, toMs = 0] = [timesMs[0], timesMs.at(-1)]
  return fromMs < toMs ? { fromMs, toMs } : { fromMs: fromMs - everyMs, toMs: toMs + everyMs }
}

/** Whether a point has none beside it: no line leads to it, it is to be drawn by itself. */
export const isLonely = (values: readonly (number | null)[], place: number) =>
  values[place] !== null &&
  (values[place - 1] ?? null) === null &&
  (values[place + 1] ?? null) === null
