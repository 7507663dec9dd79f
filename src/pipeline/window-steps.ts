/**
 * The windows of a lane: by step and partition, what takes messages in, closes what is due and gives
 * results, which go on as messages of their own. All state of a step commits with what it gave.
 */
import { windowId } from '../transforms/window-id.ts'
import {
  type WindowOutput,
  type WindowResult,
  type WindowStep,
  windowStep,
} from '../transforms/window-step.ts'
import type { AggregateStep, Definition } from './definition.ts'
import { emit, type Result } from './emit.ts'
import { neverLate } from './event-time.ts'
import { handOnLate, keyedInput, type LateRows } from './keyed-rows.ts'
import type { KeyedStore } from './keyed-store.ts'
import { type KeyedStores, Openings } from './keyed-stores.ts'
import { deleted, type Rows } from './rows.ts'
import { addFailure, type StepContext, stepRow } from './step-context.ts'

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
}

/** What came of a watermark. */
export interface Advanced {
  /** There is more, to be asked for with the next commit. */
  readonly hasMore: boolean
  /** What goes on from the step has no time before this. */
  readonly outMs: number
}

export class WindowSteps {
  readonly #definition: Definition
  readonly #stores: KeyedStores
  readonly #windows = new Openings<Windows>()

  constructor(definition: Definition, stores: KeyedStores) {
    this.#definition = definition
    this.#stores = stores
  }

  /** Takes rows in, which go no further; results wait for `advance`. */
  async take(
    step: AggregateStep,
    index: number,
    rows: Rows,
    context: StepContext,
    lateRows: LateRows,
  ): Promise<void> {
    const { partition } = rows.batch
    const windows = await context.retry('state', () => this.#of(step, index, partition))
    const input = keyedInput(rows, index, context)
    const late = new Set<number>()
    let failed = 0
    const output = outputOf(windows, {
      late: (row) => late.add(row),
      failed: (row, error) => {
        failed++
        addFailure(context, rows, row, index, error)
      },
    })
    // What it needs is brought here before anything is changed, so it may be asked again.
    await context.retry('state', () => {
      return windows.windows.take(windows.store, input, windows.closedMs, output)
    })
    context.counters.add(stepRow(index), 'absorbed', input.count - late.size - failed)
    const lateCount = await handOnLate(rows, late, step.late && lateRows)
    context.counters.add(stepRow(index), 'late', lateCount)
    rows.count = 0
  }

  /**
   * Closes what is due in one partition, and sends on what that gave. `isEnd`: nothing comes any more,
   * and what is open is told as it stands.
   */
  async advance(
    { step, index, partition }: { step: AggregateStep; index: number; partition: number },
    { atMs, isEnd }: { readonly atMs: number; readonly isEnd: boolean },
    context: StepContext,
  ): Promise<Advanced> {
    const windows = await this.#of(step, index, partition)
    const hasMore = await this.#close(windows, atMs, isEnd)
    const { results } = windows
    windows.results = []
    await emit(this.#definition, { index, partition, results, outMs: windows.outMs }, context)
    // What is still to come of it holds back those behind.
    if (!hasMore) windows.outMs = windows.closedMs - windows.windows.closesAfterMs
    return { hasMore, outMs: windows.outMs }
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

  #of(step: AggregateStep, index: number, partition: number): Promise<Windows> {
    return this.#windows.of(step.name, partition, () => this.#open(step, index, partition))
  }

  async #open(step: AggregateStep, index: number, partition: number): Promise<Windows> {
    const windows = windowStep(step.window, step.aggregator)
    const store = await this.#stores.open(step.name, partition, windows.form)
    return {
      ...{ step, index, partition, windows, store, results: [], flushedTo: '' },
      ...{ closedMs: neverLate, outMs: neverLate },
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

/** Windows that close together mostly begin together, so the last two texts are kept. */
const isoTimes = [Number.NaN, Number.NaN]
const isoTexts = ['', '']

function isoOf(timeMs: number): string {
  if (timeMs === isoTimes[0]) return isoTexts[0]!
  if (timeMs === isoTimes[1]) return isoTexts[1]!
  isoTimes.copyWithin(1, 0)
  isoTexts.copyWithin(1, 0)
  isoTimes[0] = timeMs
  isoTexts[0] = new Date(timeMs).toISOString()
  return isoTexts[0]
}
