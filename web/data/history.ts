/** What charts show: the last 15 minutes, a point a second, from the server's ring and then from its events. */
import type { HistoryPoint, State } from '../../src/server/state.ts'

export const historyLength = 900

type Counts = Readonly<Record<string, number>>

/** The point of a second, from the states before and after it. */
export function pointOf(before: State | undefined, now: State): HistoryPoint {
  const { pipelines } = now
  const by = <Value>(value: (pipeline: State['pipelines'][number]) => Value) =>
    Object.fromEntries(pipelines.map((pipeline) => [pipeline.name, value(pipeline)]))
  return {
    atMs: now.atMs,
    messagesPerSecond: by((pipeline) => pipeline.messagesPerSecond),
    lagMessages: by((pipeline) => pipeline.lagMessages),
    p50Ms: by((pipeline) => pipeline.latencyMs?.p50 ?? null),
    p99Ms: by((pipeline) => pipeline.latencyMs?.p99 ?? null),
    predictions: predictionsBetween(before, now),
    figures: now.figures,
  }
}

/** Labels by `pipeline/step`, as they are counted since the processes started. */
export function labelsOf(state: State): ReadonlyMap<string, Counts> {
  const labels = new Map<string, Counts>()
  for (const pipeline of state.pipelines) {
    for (const step of pipeline.steps) {
      if (step.labels !== null) labels.set(`${pipeline.name}/${step.name}`, step.labels)
    }
  }
  return labels
}

function predictionsBetween(before: State | undefined, now: State): HistoryPoint['predictions'] {
  const earlier = before === undefined ? undefined : labelsOf(before)
  const steps = [...labelsOf(now)].map(([step, counts]) => {
    const old = earlier?.get(step)
    return [step, earlier === undefined ? {} : difference(old ?? {}, counts)] as const
  })
  return Object.fromEntries(steps)
}

/** A process that starts again counts from zero: then all that it says is new. */
function difference(old: Counts, now: Counts): Counts {
  return Object.fromEntries(
    Object.entries(now).map(([label, count]) => {
      const earlier = old[label] ?? 0
      return [label, count >= earlier ? count - earlier : count]
    }),
  )
}

/** Appends a point; one of the same moment or an older one is known already. */
export function withPoint(
  points: readonly HistoryPoint[],
  point: HistoryPoint,
): readonly HistoryPoint[] {
  const last = points.at(-1)
  if (last !== undefined && last.atMs >= point.atMs) return points
  return [...points.slice(-(historyLength - 1)), point]
}
