/**
 * The ledger: every message that a step takes in has exactly one disposition, and what a step emits
 * is what the next takes in. Counters commit with the offsets, so they survive kill -9.
 */

/** In the order in which a checkpoint stores them; only ever append. */
export const dispositions = [
  'passed',
  'filtered',
  'duplicate',
  'absorbed',
  'late',
  'deadLettered',
  'expired',
] as const

export type Disposition = (typeof dispositions)[number]

/**
 * What one step counted: messages in, one disposition for each, messages out. `entered` are those
 * that did not come from the step before: replayed ones, and the other side of a join.
 */
export type StepCounts = { [Name in Column]: number }

const columns = ['in', 'emitted', 'entered', ...dispositions] as const
export type Column = (typeof columns)[number]

export const column = Object.fromEntries(columns.map((name, index) => [name, index])) as {
  readonly [Name in Column]: number
}

/** The name under which a pipeline counts what it reads, before its first step. */
export const readStep = 'read'

/** Counters of one input partition, a row of columns a step; row 0 is `read`. */
export class Counters {
  readonly names: readonly string[]
  readonly #counts: Float64Array

  constructor(stepNames: readonly string[]) {
    this.names = [readStep, ...stepNames]
    this.#counts = new Float64Array(this.names.length * columns.length)
  }

  add(step: number, name: Column, count: number): void {
    if (count !== 0) this.#counts[step * columns.length + column[name]]! += count
  }

  get(step: number, name: Column): number {
    return this.#counts[step * columns.length + column[name]]!
  }

  /** Step names to numbers, trailing zeros left out: it has to fit into a checkpoint. */
  save(): SavedCounters {
    const saved: { [step: string]: number[] } = {}
    this.names.forEach((name, step) => {
      const start = step * columns.length
      const counts = [...this.#counts.subarray(start, start + columns.length)]
      while (counts.length > 0 && counts.at(-1) === 0) counts.pop()
      if (counts.length > 0) saved[name] = counts
    })
    return saved
  }

  load(saved: SavedCounters): void {
    for (const [name, counts] of Object.entries(saved)) {
      const step = this.names.indexOf(name)
      if (step >= 0) this.#counts.set(counts, step * columns.length)
    }
  }
}

export type SavedCounters = { readonly [step: string]: readonly number[] }

export function emptyCounts(): StepCounts {
  return Object.fromEntries(columns.map((name) => [name, 0])) as StepCounts
}

/** Adds what one partition saved to what others did. */
export function addSaved(total: Map<string, StepCounts>, saved: SavedCounters): void {
  for (const [name, counts] of Object.entries(saved)) {
    let sum = total.get(name)
    if (sum === undefined) {
      sum = emptyCounts()
      total.set(name, sum)
    }
    counts.forEach((count, index) => {
      const key = columns[index]
      if (key !== undefined) sum[key] += count
    })
  }
}

/** What a step took in and gave no disposition to; 0 when it is balanced. */
export function unaccounted(counts: StepCounts): number {
  return counts.in - dispositions.reduce((sum, name) => sum + counts[name], 0)
}
