/**
 * The joins of a lane that pair messages of two streams within a time: by step and partition. Each
 * message finds all of the other side that are near enough, in whichever order they come.
 */
import { type Half, PairStep, type Side } from '../transforms/pair-step.ts'
import { check } from './decode.ts'
import type { Definition, PairJoinStep } from './definition.ts'
import { emit, type Result } from './emit.ts'
import { neverLate } from './event-time.ts'
import { keepOnly, keyedInput } from './keyed-rows.ts'
import type { KeyedStore } from './keyed-store.ts'
import type { KeyedStores } from './keyed-stores.ts'
import { leftJson, pairEntry, rightJson } from './pair-json.ts'
import { type JoinEntry, Rows } from './rows.ts'
import { addFailure, type StepContext, stepRow } from './run-steps.ts'
import type { Advanced } from './window-steps.ts'

/** So many keys at most are looked at for one commit. */
const mostKeys = 5000

interface Open {
  readonly pairs: PairStep
  readonly store: KeyedStore<unknown>
  closedMs: number
  outMs: number
}

type Stored = Parameters<PairStep['take']>[0]

export class PairSteps {
  readonly #definition: Definition
  readonly #stores: KeyedStores
  readonly #open = new Map<string, Promise<Open>>()

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
    lateRows: (rows: Rows) => void | Promise<void>,
  ): Promise<void> {
    const side: Side = rows.batch.topic === step.other.name ? 'right' : 'left'
    const open = await context.retry('state', () => this.#of(step, rows.batch.partition))
    const input = halvesOf(rows, side, index, context)
    const found: { readonly row: number; readonly entry: JoinEntry }[] = []
    const paired = new Set<number>()
    const late = new Set<number>()
    let duplicates = 0
    // What it needs is brought here before anything is changed, so it may be asked again.
    await context.retry('state', () =>
      open.pairs.take(open.store as Stored, side, input, open.closedMs, {
        pair: (row, left, right) => {
          paired.add(row)
          found.push({ row, entry: pairEntry(step.name, left, right) })
        },
        duplicate: () => duplicates++,
        late: (row) => late.add(row),
      }),
    )
    const { counters } = context
    counters.add(stepRow(index), 'duplicate', duplicates)
    counters.add(stepRow(index), 'late', await this.#late(step, side, rows, late, lateRows))
    counters.add(stepRow(index), 'passed', paired.size)
    counters.add(stepRow(index), 'absorbed', input.count - duplicates - late.size - paired.size)
    this.#put(step, index, rows, found, context)
  }

  /** Forgets what finds no other half any more, and sends on who stays alone. */
  async advance(
    { step, index, partition }: { step: PairJoinStep; index: number; partition: number },
    { atMs, isEnd }: { readonly atMs: number; readonly isEnd: boolean },
    context: StepContext,
  ): Promise<Advanced> {
    const open = await this.#of(step, partition)
    if (atMs > open.closedMs) open.closedMs = atMs
    const results: Result[] = []
    const alone = (key: string, left: Half) => results.push(aloneResult(step, key, left))
    // At the end nothing comes any more: whoever waits is alone.
    const closeMs = isEnd ? Number.MAX_SAFE_INTEGER : open.closedMs
    const hasMore =
      Number.isFinite(closeMs) &&
      (await open.pairs.close(open.store as Stored, closeMs, mostKeys, alone))
    await emit(this.#definition, { index, partition, results, outMs: open.outMs }, context)
    if (!hasMore) open.outMs = open.closedMs - open.pairs.closesAfterMs
    return { hasMore, outMs: open.outMs }
  }

  /** Left ones go where late messages go; those of the other side are only counted. */
  async #late(
    step: PairJoinStep,
    side: Side,
    rows: Rows,
    late: ReadonlySet<number>,
    lateRows: (rows: Rows) => void | Promise<void>,
  ): Promise<number> {
    if (late.size === 0 || step.late === undefined || side === 'right') return late.size
    const copy = rows.copy()
    keepOnly(copy, late)
    await lateRows(copy)
    return copy.count
  }

  /** Pairs whose value cannot be read any more fail, one by one. */
  #put(
    step: PairJoinStep,
    index: number,
    rows: Rows,
    found: readonly { readonly row: number; readonly entry: JoinEntry }[],
    context: StepContext,
  ): void {
    const pairs = new Rows(rows.batch)
    pairs.entries = []
    for (const { row, entry } of found) {
      try {
        const value = decodePairOf(step, JSON.parse(entry.json))
        pairs.push(value, rows.origins[row]!, entry.identity, entry)
      } catch (error) {
        addFailure(context, rows, row, index, error)
      }
    }
    rows.count = pairs.count
    rows.values = pairs.values
    rows.origins = pairs.origins
    rows.identities = pairs.identities
    rows.entries = pairs.entries
  }

  #of(step: PairJoinStep, partition: number): Promise<Open> {
    const name = `${step.name} ${partition}`
    let opening = this.#open.get(name)
    if (opening === undefined) {
      opening = this.#begin(step, partition)
      this.#open.set(name, opening)
      opening.catch(() => this.#open.delete(name))
    }
    return opening
  }

  async #begin(step: PairJoinStep, partition: number): Promise<Open> {
    const pairs = new PairStep({ withinMs: step.withinMs, tellsAlone: step.how === 'left' })
    const store = await this.#stores.open(step.name, partition, pairs.form as never)
    return { pairs, store, closedMs: neverLate, outMs: neverLate }
  }
}

/** The value of a pair, or of who stayed alone. Throws `Invalid`. */
export function decodePairOf({ name, other }: PairJoinStep, pair: unknown): unknown {
  const object = pair as { readonly [field: string]: unknown }
  if (other.schema === undefined || object[name] === null) return pair
  return { ...object, [name]: check(other.schema, object[name]) }
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
