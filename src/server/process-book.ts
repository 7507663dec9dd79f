/** What processes told of themselves, put together: who is here, what runs, how fast it was. */

import type { PipelineFigures, ProcessFigures } from '../monitoring/figures.ts'
import { Latency } from '../monitoring/latency.ts'
import {
  figuresSince,
  type MeasuredFigures,
  type StandbyFigures,
  sumFigures,
  sumStandby,
} from '../monitoring/meter.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { HistoryPoint, ProcessState } from './state.ts'

/** Who told nothing for this long has ended, whatever ended it. */
const silentAfterMs = 10_000
const recentMs = 10_000
/** So many ended processes are remembered, so that totals do not fall when one ends. */
const mostProcesses = 100

/** What was measured between two tellings of one process. */
interface Delta {
  readonly atMs: number
  readonly pipelines: ReadonlyMap<string, MeasuredFigures>
  readonly figures: Readonly<Record<string, number>>
}

export class ProcessBook {
  /** In the order in which they were heard last. */
  readonly #latest = new Map<string, ProcessFigures>()
  readonly #plans = new Map<string, PipelinePlan>()
  #order: readonly string[] = []
  #about: string | null = null
  #recent: Delta[] = []
  #news: Delta[] = []
  #figures: Record<string, number> = {}

  add(told: ProcessFigures): void {
    const before = this.#latest.get(told.id)
    // Of a process that was here long before this one listened, only what comes from now on counts.
    const isWhole = before !== undefined || told.atMs - told.startedAtMs < 3000
    const pipelines = Object.entries(told.pipelines).map(
      ([name, now]) => [name, figuresSince(now, before?.pipelines[name])] as const,
    )
    if (isWhole) {
      const delta = { atMs: told.atMs, pipelines: new Map(pipelines), figures: told.figures }
      this.#recent.push(delta)
      this.#news.push(delta)
    }
    this.#latest.delete(told.id)
    this.#latest.set(told.id, told)
    const oldest = this.#latest.keys().next().value
    if (this.#latest.size > mostProcesses && oldest !== undefined) this.#latest.delete(oldest)
    this.#figures = { ...this.#figures, ...told.figures }
    if (told.app !== undefined) this.#addApp(told.app)
  }

  /** What came since it was last asked. */
  takeNews(): readonly Delta[] {
    const news = this.#news
    this.#news = []
    return news
  }

  get about(): string | null {
    return this.#about
  }

  get figures(): Readonly<Record<string, number>> {
    return this.#figures
  }

  plan(pipeline: string): PipelinePlan | null {
    return this.#plans.get(pipeline) ?? null
  }

  /** Pipelines that were told of, writers before readers. */
  get pipelines(): readonly string[] {
    return [...new Set([...this.#order, ...this.#plans.keys()])]
  }

  present(nowMs: number): ProcessState[] {
    return this.#living(nowMs).map(({ id, pid, startedAtMs, atMs, memoryBytes }) => ({
      ...{ id, pid, startedAtMs, seenAtMs: atMs, memoryBytes },
    }))
  }

  /** Of a pipeline, what those who run it now wait for. */
  waiting(pipeline: string, nowMs: number): string[] {
    return [
      ...new Set(this.#living(nowMs).flatMap((one) => one.pipelines[pipeline]?.waiting ?? [])),
    ]
  }

  /** True when a living process says that it runs the pipeline. */
  isRun(pipeline: string, nowMs: number): boolean {
    return this.#living(nowMs).some((one) => one.pipelines[pipeline] !== undefined)
  }

  /** Measured by all processes that are remembered; undefined when none told of the pipeline. */
  totals(pipeline: string): MeasuredFigures | undefined {
    const all = [...this.#latest.values()]
      .map((one) => one.pipelines[pipeline])
      .filter((one): one is PipelineFigures => one !== undefined)
    return all.length === 0 ? undefined : sumFigures(all)
  }

  /** Answers that the look-up of a step remembers in the processes that run now. */
  remembered(pipeline: string, step: string, nowMs: number): number {
    const all = this.#living(nowMs).map((one) => one.pipelines[pipeline]?.lookups?.[step]?.entries)
    return all.reduce<number>((sum, entries = 0) => sum + entries, 0)
  }

  /** Copies of state that the processes that run now keep warm for each other; undefined: none. */
  standby(pipeline: string, nowMs: number): StandbyFigures | undefined {
    return sumStandby(this.#living(nowMs).flatMap((one) => one.pipelines[pipeline] ?? []))
  }

  /** Over the last ten seconds. */
  latency(pipeline: string, nowMs: number): { p50: number; p99: number } | null {
    this.#recent = this.#recent.filter(({ atMs }) => atMs > nowMs - recentMs)
    return quantiles(this.#recent, pipeline)
  }

  #living(nowMs: number): ProcessFigures[] {
    return [...this.#latest.values()].filter(
      ({ atMs, ended }) => ended !== true && nowMs - atMs < silentAfterMs,
    )
  }

  #addApp(app: NonNullable<ProcessFigures['app']>): void {
    const plans = (app.plans as readonly unknown[]).filter(isPlan)
    for (const plan of plans) this.#plans.set(plan.name, plan)
    const names = plans.map(({ name }) => name)
    this.#order = [...names, ...this.#order.filter((name) => !names.includes(name))]
    this.#about = app.about ?? this.#about
  }
}

/** What a process of another version tells may look different. */
function isPlan(value: unknown): value is PipelinePlan {
  const plan = value as Partial<PipelinePlan>
  const lists = [plan.inputs, plan.steps, plan.outputs]
  return typeof plan.hash === 'string' && lists.every(Array.isArray)
}

/** Of latencies told by several processes; null when nothing was measured. */
export function quantiles(
  deltas: readonly Delta[],
  pipeline: string,
): { p50: number; p99: number } | null {
  const latency = new Latency()
  for (const { pipelines } of deltas) {
    const measured = pipelines.get(pipeline)
    if (measured !== undefined) latency.addSaved(measured.latency)
  }
  const [p50, p99] = [latency.quantile(0.5), latency.quantile(0.99)]
  return p50 === null || p99 === null ? null : { p50, p99 }
}

/** The part of a point of the history that processes tell. */
export function measuredPoint(
  atMs: number,
  deltas: readonly Delta[],
  pipelines: readonly string[],
): Pick<HistoryPoint, 'atMs' | 'p50Ms' | 'p99Ms' | 'predictions'> {
  const predictions: Record<string, Readonly<Record<string, number>>> = {}
  const p50Ms: Record<string, number | null> = {}
  const p99Ms: Record<string, number | null> = {}
  for (const name of pipelines) {
    const own = quantiles(deltas, name)
    p50Ms[name] = own?.p50 ?? null
    p99Ms[name] = own?.p99 ?? null
    const { labels } = sumFigures(deltas.flatMap((one) => one.pipelines.get(name) ?? []))
    for (const [step, counts] of Object.entries(labels)) predictions[`${name}/${step}`] = counts
  }
  return { atMs, p50Ms, p99Ms, predictions }
}

/** Points of the time before this server started, a second each, from what processes told then. */
export function pointsOf(
  deltas: readonly Delta[],
  pipelines: readonly string[],
  range: { readonly fromMs: number; readonly toMs: number },
): HistoryPoint[] {
  const seconds = new Map<number, Delta[]>()
  for (const delta of deltas) {
    if (delta.atMs < range.fromMs || delta.atMs >= range.toMs) continue
    const second = Math.floor(delta.atMs / 1000)
    seconds.set(second, [...(seconds.get(second) ?? []), delta])
  }
  return [...seconds]
    .sort(([a], [b]) => a - b)
    .map(([second, own]) => ({
      ...measuredPoint(second * 1000, own, pipelines),
      messagesPerSecond: Object.fromEntries(pipelines.map((name) => [name, messagesOf(own, name)])),
      lagMessages: {},
      figures: own.at(-1)!.figures,
    }))
}

function messagesOf(deltas: readonly Delta[], pipeline: string): number {
  const latency = new Latency()
  for (const { pipelines } of deltas) {
    const measured = pipelines.get(pipeline)
    if (measured !== undefined) latency.addSaved(measured.latency)
  }
  return latency.count
}
