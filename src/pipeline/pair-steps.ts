/**
 * The joins of a lane that pair messages of two streams within a time: by step and partition. Each
 * message finds all of the other side that are near enough, in whichever order they come.
 */
import { type Alone, type Half, PairStep, type Side } from '../transforms/pair-step.ts'
import type { Definition, PairJoinStep } from './definition.ts'
import { emit, type Result } from './emit.ts'
import { neverLate } from './event-time.ts'
import { handOnLate, keepOnly, keyedInput, type LateRows } from './keyed-rows.ts'
import type { KeyedStore } from './keyed-store.ts'
import { type KeyedStores, Openings } from './keyed-stores.ts'
import { decodePair, leftJson, pairEntry, rightJson } from './pair-json.ts'
import { Rows } from './rows.ts'
import { addFailure, type StepContext, stepRow } from './step-context.ts'
import type { Advanced } from './window-steps.ts'

/** So many keys at most are looked at for one commit. */
const mostKeys = 5000

interface Open {
  readonly pairs: PairStep
  readonly store: KeyedStore<unknown>
  /** At the end: how far it has told who waits. Undefined: of all. */
  flushedTo: string | undefined
  /** Who is alone, and not sent on yet: what is asked behind that may have to be asked again. */
  results: Result[]
  closedMs: number
  outMs: number
}

type Stored = Parameters<PairStep['take']>[0]

export class PairSteps {
  readonly #definition: Definition
  readonly #stores: KeyedStores
  readonly #open = new Openings<Open>()

  constructor(definition: Definition, stores: KeyedStores) {
    this.#definition = definition
    this.#stores = stores
  }

  /** In the place of the rows come the pairs that they make. */
  async take(
    step: PairJoinStep,
    index: number,
    rows: Rows,
    context: StepContext,
    lateRows: LateRows,
  ): Promise<void> {
    const side: Side = rows.batch.topic === step.other.name ? 'right' : 'left'
    const open = await context.retry('state', () => this.#of(step, rows.batch.partition))
    const input = halvesOf(rows, side, index, context)
    const pairs = new FoundPairs(step, rows)
    const late = new Set<number>()
    let duplicates = 0
    // What it needs is brought here before anything is changed, so it may be asked again.
    await context.retry('state', () =>
      open.pairs.take(open.store as Stored, side, input, open.closedMs, {
        pair: (row, left, right) => pairs.add(row, left, right),
        duplicate: () => duplicates++,
        late: (row) => late.add(row),
      }),
    )
    for (const [row, error] of pairs.errors) addFailure(context, rows, row, index, error)
    const { counters } = context
    counters.add(stepRow(index), 'duplicate', duplicates)
    // Late ones of the other side have no place that takes them.
    const takesLate = side === 'left' && step.late !== undefined
    const countLate = await handOnLate(rows, late, takesLate ? lateRows : undefined)
    counters.add(stepRow(index), 'late', countLate)
    const { passed, errors } = pairs
    counters.add(stepRow(index), 'passed', passed)
    const given = duplicates + late.size + passed + errors.size
    counters.add(stepRow(index), 'absorbed', input.count - given)
    pairs.replace(rows)
  }

  /** Forgets what finds no other half any more, and sends on who stays alone. */
  async advance(
    { step, index, partition }: { step: PairJoinStep; index: number; partition: number },
    { atMs, isEnd }: { readonly atMs: number; readonly isEnd: boolean },
    context: StepContext,
  ): Promise<Advanced> {
    const open = await this.#of(step, partition)
    if (atMs > open.closedMs) open.closedMs = atMs
    const alone = (key: string, left: Half) => open.results.push(aloneResult(step, key, left))
    const hasMore = await close(open, isEnd, alone)
    const { results } = open
    open.results = []
    await emit(this.#definition, { index, partition, results, outMs: open.outMs }, context)
    if (!hasMore) open.outMs = open.closedMs - open.pairs.closesAfterMs
    return { hasMore, outMs: open.outMs }
  }

  #of(step: PairJoinStep, partition: number): Promise<Open> {
    return this.#open.of(step.name, partition, () => this.#begin(step, partition))
  }

  async #begin(step: PairJoinStep, partition: number): Promise<Open> {
    const pairs = new PairStep({ withinMs: step.withinMs, tellsAlone: step.how === 'left' })
    const store = await this.#stores.open(step.name, partition, pairs.form as never)
    return { pairs, store, flushedTo: '', results: [], closedMs: neverLate, outMs: neverLate }
  }
}

/** At most so many keys at a time. True: there is more. At the end who waits is told of, and kept. */
async function close(open: Open, isEnd: boolean, alone: Alone): Promise<boolean> {
  const { pairs, closedMs } = open
  const store = open.store as Stored
  if (Number.isFinite(closedMs) && (await pairs.close(store, closedMs, mostKeys, alone)))
    return true
  if (!isEnd) open.flushedTo = ''
  else if (open.flushedTo !== undefined) {
    open.flushedTo = await pairs.flush(store, open.flushedTo, mostKeys, alone)
  }
  return isEnd && open.flushedTo !== undefined
}

/** The pairs that the rows of a batch make. */
class FoundPairs {
  /** Rows that made a pair whose value does not fit: they made none. */
  readonly errors = new Map<number, unknown>()
  readonly #step: PairJoinStep
  readonly #rows: Rows
  readonly #pairs: Rows
  /** The row that makes pairs just now, and how many there were before it. */
  #row = -1
  #before = 0
  #making = 0

  constructor(step: PairJoinStep, rows: Rows) {
    this.#step = step
    this.#rows = rows
    this.#pairs = new Rows(rows.batch)
    this.#pairs.entries = []
  }

  /** How many rows made a pair. */
  get passed(): number {
    return this.#making - this.errors.size
  }

  /** False: its value does not fit, and the row makes none. */
  add(row: number, left: Half, right: Half): boolean {
    if (row !== this.#row) {
      this.#row = row
      this.#before = this.#pairs.count
      this.#making++
    }
    const entry = pairEntry(this.#step.name, left, right)
    try {
      const value = decodePairOf(this.#step, JSON.parse(entry.json))
      this.#pairs.push(value, this.#rows.origins[row]!, entry.identity, entry)
      return true
    } catch (error) {
      this.errors.set(row, error)
      this.#pairs.count = this.#before
      return false
    }
  }

  /** They take the place of the rows that made them. */
  replace(rows: Rows): void {
    const { count, values, origins, identities, entries } = this.#pairs
    Object.assign(rows, { count, values, origins, identities, entries })
  }
}

/** The value of a pair, or of who stayed alone. Throws `Invalid`. */
export function decodePairOf(step: PairJoinStep, pair: unknown): unknown {
  const isAlone = (pair as { readonly [field: string]: unknown })[step.name] === null
  return isAlone ? pair : decodePair(pair, step)
}

function aloneResult({ name }: PairJoinStep, key: string, left: Half): Result {
  const { id, version, timeMs, json } = left
  const value = { ...(JSON.parse(json) as object), [name]: null }
  return { key, id: `${id}+`, revision: version, timeMs, value }
}

function halvesOf(rows: Rows, side: Side, index: number, context: StepContext) {
  const { count, keys, watermarksMs } = keyedInput(rows, index, context)
  const codec = side === 'right' ? context.codecs.of(rows.batch.topic) : undefined
  const halves: Half[] = []
  const failed = new Set<number>()
  for (let row = 0; row < count; row++) {
    try {
      const json = side === 'left' ? leftJson(rows, row) : rightJson(rows, row, codec)
      const identity = { id: rows.id(row), version: rows.version(row), timeMs: rows.time(row) }
      halves.push({ ...identity, json })
    } catch (error) {
      failed.add(row)
      addFailure(context, rows, row, index, error)
    }
  }
  if (failed.size === 0) return { count, keys, halves, watermarksMs }
  const kept = (_: unknown, row: number) => !failed.has(row)
  keepOnly(rows, new Set(keys.keys().filter((row) => !failed.has(row))))
  return {
    ...{ count: halves.length, keys: keys.filter(kept), halves },
    watermarksMs: [...(watermarksMs as Float64Array)].filter(kept),
  }
}
