/**
 * What a pipeline measures while it works, for one thread: how long messages took, how long each
 * step worked, which labels models answered. Called a few times a batch; makes nothing a message.
 */
import { Latency, type SavedLatency } from './latency.ts'

/** Plain data, cumulative since the thread started. */
export interface MeasuredFigures {
  /** From reading a message to its commit. */
  readonly latency: SavedLatency
  /** By step, seconds that it worked. */
  readonly busySeconds: Readonly<Record<string, number>>
  /** By predicting step, by label, how often it was answered. */
  readonly labels: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** By step that looks up; undefined: none does. */
  readonly lookups?: Readonly<Record<string, LookupFigures>>
  /** Undefined: none are kept here. */
  readonly standby?: StandbyFigures
}

/** Copies of the state of partitions that others work on, now. */
export interface StandbyFigures {
  /** One a step and partition. */
  readonly copies: number
  /** Changes that they are behind, all together. */
  readonly lag: number
}

export interface LookupFigures {
  /** Messages answered by what was remembered, or by the same question. */
  readonly hits: number
  /** Keys that were asked for. */
  readonly misses: number
  /** Answers remembered now. */
  readonly entries: number
}

export const noFigures: MeasuredFigures = {
  latency: { sumMs: 0, buckets: [] },
  busySeconds: {},
  labels: {},
}

/** So many labels of a step are counted by name, the rest together as `other`. */
const mostLabels = 50
export const otherLabel = 'other'
const longestLabel = 100

export class Meter {
  readonly #latency = new Latency()
  readonly #busyMs = new Map<string, number>()
  readonly #labels = new Map<string, LabelCounts>()
  readonly #lookups = new Map<string, LookupFigures>()
  readonly #nowMs: () => number
  #standby: StandbyFigures | undefined

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs
  }

  /** Milliseconds that only rise; to be given back to the others. */
  start(): number {
    return this.#nowMs()
  }

  /** A batch of so many messages was read at `startMs` and is committed now. */
  committed(startMs: number, messages: number): void {
    if (messages > 0) this.#latency.add(this.#nowMs() - startMs, messages)
  }

  /** A step worked from `startMs` until now. */
  worked(step: string, startMs: number): void {
    this.#busyMs.set(step, (this.#busyMs.get(step) ?? 0) + this.#nowMs() - startMs)
  }

  /** Counts the labels of what a model answered to a batch; answers without a label do not count. */
  answered(step: string, answers: readonly unknown[]): void {
    let counts = this.#labels.get(step)
    if (counts === undefined) {
      counts = new LabelCounts()
      this.#labels.set(step, counts)
    }
    counts.add(answers)
  }

  /** What a step that looks up has counted, which is cumulative. */
  lookedUp(step: string, counts: LookupFigures): void {
    this.#lookups.set(step, counts)
  }

  /** What is kept warm just now for others. */
  standsBy(standby: StandbyFigures): void {
    this.#standby = standby
  }

  figures(): MeasuredFigures {
    const busy = [...this.#busyMs].map(([step, busyMs]) => [step, busyMs / 1000] as const)
    const labels = [...this.#labels]
      .map(([step, counts]) => [step, counts.save()] as const)
      .filter(([, counts]) => Object.keys(counts).length > 0)
    return {
      latency: this.#latency.save(),
      busySeconds: Object.fromEntries(busy),
      labels: Object.fromEntries(labels),
      ...(this.#lookups.size === 0 ? {} : { lookups: Object.fromEntries(this.#lookups) }),
      ...(this.#standby === undefined ? {} : { standby: this.#standby }),
    }
  }
}

class LabelCounts {
  readonly #slots = new Map<string, number>()
  readonly #counts = new Float64Array(mostLabels + 1)

  add(answers: readonly unknown[]): void {
    let known: unknown
    let slot = mostLabels
    for (let index = 0; index < answers.length; index++) {
      const label = (answers[index] as { label?: unknown } | null | undefined)?.label
      if (typeof label !== 'string') continue
      // Neighbours are often alike: then no name is looked up.
      if (label !== known) {
        known = label
        slot = this.#slots.get(label) ?? this.#newSlot(label)
      }
      this.#counts[slot]! += 1
    }
  }

  save(): Record<string, number> {
    const saved = new Map<string, number>()
    const add = (name: string, count: number) => saved.set(name, (saved.get(name) ?? 0) + count)
    for (const [label, slot] of this.#slots) add(label.slice(0, longestLabel), this.#counts[slot]!)
    const others = this.#counts[mostLabels]!
    if (others > 0) add(otherLabel, others)
    return Object.fromEntries(saved)
  }

  #newSlot(label: string): number {
    const slot = this.#slots.size
    if (slot >= mostLabels) return mostLabels
    this.#slots.set(label, slot)
    return slot
  }
}

/** Figures of several threads or processes together. */
export function sumFigures(all: readonly MeasuredFigures[]): MeasuredFigures {
  const latency = new Latency()
  const labels: Record<string, Record<string, number>> = {}
  for (const one of all) {
    latency.addSaved(one.latency)
    for (const [step, counts] of Object.entries(one.labels)) {
      labels[step] = addCounts(labels[step] ?? {}, counts)
    }
  }
  const busySeconds = all.reduce<Record<string, number>>(
    (sum, one) => addCounts(sum, one.busySeconds),
    {},
  )
  const [lookups, standby] = [sumLookups(all), sumStandby(all)]
  const more = { ...(lookups && { lookups }), ...(standby && { standby }) }
  return { latency: latency.save(), busySeconds, labels, ...more }
}

/** Undefined: none of them keeps copies. */
export function sumStandby(all: readonly MeasuredFigures[]): StandbyFigures | undefined {
  const told = all.flatMap(({ standby }) => standby ?? [])
  if (told.length === 0) return undefined
  return {
    copies: told.reduce((sum, { copies }) => sum + copies, 0),
    lag: told.reduce((sum, { lag }) => sum + lag, 0),
  }
}

function sumLookups(all: readonly MeasuredFigures[]): MeasuredFigures['lookups'] {
  const sum = new Map<string, LookupFigures>()
  for (const [step, counts] of all.flatMap(({ lookups = {} }) => Object.entries(lookups))) {
    const { hits, misses, entries } = sum.get(step) ?? { hits: 0, misses: 0, entries: 0 }
    sum.set(step, {
      hits: hits + counts.hits,
      misses: misses + counts.misses,
      entries: entries + counts.entries,
    })
  }
  return sum.size === 0 ? undefined : Object.fromEntries(sum)
}

/** What was counted between two tellings of one process; all of it where there is no earlier one. */
export function figuresSince(
  now: MeasuredFigures,
  before: MeasuredFigures | undefined,
): MeasuredFigures {
  if (before === undefined) return now
  const latency = new Latency()
  latency.addSaved(now.latency)
  latency.addSaved(before.latency, -1)
  const labels: Record<string, Record<string, number>> = {}
  for (const [step, counts] of Object.entries(now.labels)) {
    labels[step] = addCounts({ ...counts }, before.labels[step] ?? {}, -1)
  }
  const busySeconds = addCounts({ ...now.busySeconds }, before.busySeconds, -1)
  return { latency: latency.save(), busySeconds, labels }
}

/** Adds to `sum` and gives it back. */
function addCounts(
  sum: Record<string, number>,
  counts: Readonly<Record<string, number>>,
  times: 1 | -1 = 1,
): Record<string, number> {
  for (const [name, count] of Object.entries(counts)) {
    // A label may be called `__proto__`; it is one like any other.
    const known = Object.hasOwn(sum, name) ? sum[name]! : 0
    Object.defineProperty(sum, name, {
      ...{ value: known + times * count, enumerable: true, writable: true, configurable: true },
    })
  }
  return sum
}
