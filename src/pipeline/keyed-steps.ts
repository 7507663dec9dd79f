/**
 * The windows of a lane: by step and partition, what takes messages in, closes what is due and gives
 * results, which go on as messages of their own. All state of a step commits with what it gave.
 */
import { isUtf8 } from 'node:buffer'
import { BatchBuilder } from '../core/batch-builder.ts'
import { idHeader, versionHeader } from '../core/identity.ts'
import type { Log, Membership, StateChange } from '../log/log.ts'
import type { StateForm } from '../transforms/keyed-state.ts'
import { windowId } from '../transforms/window-id.ts'
import {
  type WindowOutput,
  type WindowResult,
  type WindowStep,
  windowStep,
} from '../transforms/window-step.ts'
import { Invalid } from './decode.ts'
import type { AggregateStep, Definition } from './definition.ts'
import { neverLate } from './event-time.ts'
import { KeyedStore } from './keyed-store.ts'
import { deleted, type JoinEntry, Rows } from './rows.ts'
import { addFailure, drop, runSteps, type StepContext, stepRow } from './run-steps.ts'
import { stateStore } from './state-store.ts'

/** So many results at most go with one commit. */
const mostResults = 5000

interface Windows {
  readonly step: AggregateStep
  readonly index: number
  readonly partition: number
  readonly windows: WindowStep
  readonly store: KeyedStore<unknown>
  /** All that closes up to this watermark is closed or being closed. */
  closedMs: number
  /** What went on from here until now had no time before this. */
  outMs: number
  results: Result[]
  /** How far the results of open windows were given; undefined: all. */
  flushedTo: string | undefined
  /** Number of the first commit that may hold changes of it. */
  readonly firstCommit: number
}

interface Result {
  readonly key: string
  readonly id: string
  readonly revision: number
  readonly timeMs: number
  /** `deleted`: a session that was taken back. */
  readonly value: unknown
}

export interface KeyedStepsOptions {
  readonly definition: Definition
  readonly log: Log
  readonly member: Membership
  readonly onProgress?: (words: string | undefined) => void
}

export class KeyedSteps {
  readonly #options: KeyedStepsOptions
  readonly #windows = new Map<string, Promise<Windows>>()
  readonly #opened: Windows[] = []
  #taken = 0
  #committed = 0

  constructor(options: KeyedStepsOptions) {
    this.#options = options
  }

  /** Takes rows in, which go no further; results wait for `advance`. */
  async take(
    step: AggregateStep,
    index: number,
    rows: Rows,
    context: StepContext,
    lateRows: (rows: Rows) => void | Promise<void>,
  ): Promise<void> {
    const { partition } = rows.batch
    const windows = await context.retry('state', () => this.#of(step, index, partition))
    const keys = keysOf(rows, index, context)
    const late = new Set<number>()
    let failed = 0
    const output = outputOf(windows, {
      late: (row) => late.add(row),
      failed: (row, error) => {
        failed++
        addFailure(context, rows, row, index, error)
      },
    })
    const { count } = rows
    const input = { count, keys, values: rows.values, ...timesOf(rows) }
    // What it needs is brought here before anything is changed, so it may be asked again.
    await context.retry('state', () => {
      return windows.windows.take(windows.store, input, windows.closedMs, output)
    })
    context.counters.add(stepRow(index), 'late', late.size)
    context.counters.add(stepRow(index), 'absorbed', count - late.size - failed)
    if (late.size > 0 && step.late !== undefined) {
      const others = new Set(
        Array.from({ length: count }, (_, row) => row).filter((row) => !late.has(row)),
      )
      drop(rows, others)
      await lateRows(rows)
    }
    rows.count = 0
  }

  /**
   * Closes what is due in one partition for the steps from `from` up to `to`, and sends on what they
   * gave. True: there is more, to be asked for with the next commit. `isEnd`: nothing comes any more,
   * and what is open is told as it stands.
   */
  async advance(
    {
      from,
      to,
      partition,
    }: { readonly from: number; readonly to: number; readonly partition: number },
    { atMs, isEnd }: { readonly atMs: number; readonly isEnd: boolean },
    context: StepContext,
  ): Promise<boolean> {
    let hasMore = false
    let watermarkMs = atMs
    for (let index = from; index < to; index++) {
      const step = this.#options.definition.steps[index]!
      if (step.kind !== 'aggregate') continue
      const windows = await this.#of(step, index, partition)
      if (await this.#close(windows, watermarkMs, isEnd && !hasMore)) hasMore = true
      await this.#emit(windows, context)
      // What is still to come of it holds back those behind.
      if (!hasMore) windows.outMs = windows.closedMs - windows.windows.closesAfterMs
      watermarkMs = windows.outMs
    }
    return hasMore
  }

  get hasChanges(): boolean {
    return this.#opened.some(({ store }) => store.hasChanges)
  }

  /** The changes since the last call, for the next commit; every call has its `committed`. */
  takeChanges(): StateChange[] {
    this.#taken++
    return this.#opened.flatMap(({ store }) => store.take())
  }

  /** The next of the commits that were taken for is through. */
  committed(): void {
    const number = this.#committed++
    for (const { store, firstCommit } of this.#opened) {
      if (number >= firstCommit) store.committed()
    }
  }

  async close(): Promise<void> {
    for (const opening of this.#windows.values()) {
      const windows = await opening.catch(() => undefined)
      await windows?.store.close()
    }
  }

  async #close(windows: Windows, watermarkMs: number, isEnd: boolean): Promise<boolean> {
    const output = outputOf(windows, noRows)
    const room = () => mostResults - windows.results.length
    if (watermarkMs > windows.closedMs) windows.closedMs = watermarkMs
    if (windows.closedMs > neverLate && Number.isFinite(windows.closedMs)) {
      if (await windows.windows.close(windows.store, windows.closedMs, room(), output)) return true
    }
    if (!isEnd) {
      windows.flushedTo = ''
      return false
    }
    while (windows.flushedTo !== undefined) {
      if (room() <= 0) return true
      windows.flushedTo = await windows.windows.flush(
        windows.store,
        windows.flushedTo,
        room(),
        output,
      )
    }
    return false
  }

  async #emit(windows: Windows, context: StepContext): Promise<void> {
    const { results, step, index } = windows
    if (results.length === 0) return
    windows.results = []
    const rows = rowsOf(`${this.#options.definition.name}.${step.name}`, windows, results)
    context.counters.add(stepRow(index), 'emitted', rows.count)
    const before = context.failures.length
    await runSteps(this.#options.definition.steps, rows, context, index + 1)
    for (let place = before; place < context.failures.length; place++) {
      context.failures[place] = { batch: rows.batch, ...context.failures[place]! }
    }
  }

  #of(step: AggregateStep, index: number, partition: number): Promise<Windows> {
    const name = `${step.name} ${partition}`
    let opening = this.#windows.get(name)
    if (opening === undefined) {
      opening = this.#open(step, index, partition)
      this.#windows.set(name, opening)
      opening.catch(() => this.#windows.delete(name))
    }
    return opening
  }

  async #open(step: AggregateStep, index: number, partition: number): Promise<Windows> {
    const { definition } = this.#options
    const windows = windowStep(step.window, step.aggregator)
    const store = await this.#store(stateStore(definition.name, step.name), partition, windows.form)
    const opened = {
      ...{ step, index, partition, windows, store, results: [], flushedTo: '' },
      ...{ closedMs: neverLate, outMs: neverLate, firstCommit: this.#taken },
    }
    this.#opened.push(opened)
    return opened
  }

  async #store(
    store: string,
    partition: number,
    form: StateForm<unknown>,
  ): Promise<KeyedStore<unknown>> {
    const { log, member } = this.#options
    const state = await log.openState(store, partition, { member })
    try {
      return await KeyedStore.open({ state, form, store, partition })
    } catch (error) {
      await state.close()
      throw error
    }
  }
}

const noRows = {
  late: () => undefined,
  failed: (_: number, error: unknown) => {
    throw error
  },
}

function outputOf(windows: Windows, rows: Pick<WindowOutput, 'late' | 'failed'>): WindowOutput {
  const { step, results } = windows
  return {
    ...rows,
    result: (result) => results.push(resultOf(step, result)),
    gone: (key, startMs, revision) => {
      const id = windowId(step.name, key, startMs)
      results.push({ key, id, revision: revision + 1, timeMs: startMs, value: deleted })
    },
  }
}

/** A window's time is the last that it holds. */
function resultOf({ name, window }: AggregateStep, result: WindowResult): Result {
  const { key, startMs, endMs, revision, value } = result
  const isOpenEnd = window.kind !== 'sliding' && window.kind !== 'session'
  return {
    ...{ key, revision, id: windowId(name, key, startMs) },
    timeMs: isOpenEnd ? endMs - 1 : endMs,
    value: { key, start: isoOf(startMs), end: isoOf(endMs), ...(value as object) },
  }
}

const isoOf = (timeMs: number) => new Date(timeMs).toISOString()

/** Results as messages: each with its key, id and version, and what a replay of it needs. */
function rowsOf(name: string, windows: Windows, results: readonly Result[]): Rows {
  const builder = new BatchBuilder(name, windows.partition)
  for (const { key, id, revision, timeMs, value } of results) {
    const headers = [
      { key: idHeader, value: Buffer.from(id) },
      { key: versionHeader, value: Buffer.from(String(revision)) },
    ]
    builder.append(key, value === deleted ? null : '', timeMs, headers)
  }
  const rows = new Rows(builder.build())
  rows.watermarks = new Float64Array(results.length).fill(windows.outMs)
  rows.entries = []
  for (const [row, { id, revision, timeMs, value }] of results.entries()) {
    rows.values[row] = value
    rows.origins[row] = row
    rows.entries[row] = entryOf(windows.step.name, { id, version: revision, time: timeMs }, value)
  }
  rows.count = results.length
  return rows
}

/** Its JSON is only made for those that fail behind it. */
function entryOf(step: string, identity: JoinEntry['identity'], value: unknown): JoinEntry {
  return {
    ...{ step, identity },
    get json() {
      return value === deleted ? 'null' : JSON.stringify(value)
    },
  }
}

function timesOf(rows: Rows): { timesMs: Float64Array; watermarksMs: Float64Array } {
  const timesMs = new Float64Array(rows.count)
  const watermarksMs = new Float64Array(rows.count)
  for (let row = 0; row < rows.count; row++) {
    timesMs[row] = rows.time(row)
    watermarksMs[row] = rows.watermarks?.[rows.origins[row]!] ?? neverLate
  }
  return { timesMs, watermarksMs }
}

/** The keys of rows; those that have none fail, and deletes have nothing to be reckoned with. */
function keysOf(rows: Rows, index: number, context: StepContext): string[] {
  const keys: string[] = []
  const dropped = new Set<number>()
  const { batch } = rows
  let deletes = 0
  for (let row = 0; row < rows.count; row++) {
    const origin = rows.origins[row]!
    const start = batch.keyStarts[origin]!
    if (rows.values[row] === deleted) {
      deletes++
      dropped.add(row)
    } else if (start < 0) {
      const words = 'the message has no key; declare one with its topic, or give keyBy a function'
      addFailure(context, rows, row, index, new Invalid(words))
      dropped.add(row)
    } else {
      const key = batch.bytes.toString('utf8', start, batch.keyEnds[origin]!)
      if (!key.includes('\ufffd') || isUtf8(batch.bytes.subarray(start, batch.keyEnds[origin]!))) {
        keys.push(key)
        continue
      }
      const words = 'the key is not valid UTF-8; give keyBy a function'
      addFailure(context, rows, row, index, new Invalid(words))
      dropped.add(row)
    }
  }
  context.counters.add(stepRow(index), 'filtered', deletes)
  if (dropped.size > 0) drop(rows, dropped)
  return keys
}
