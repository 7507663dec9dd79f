/**
 * The steps of a lane that let messages go on in the light of those with the same key before them: by
 * step and partition, with the state that they need for it.
 */
import type { CalledTimer, RowStep } from '../transforms/row-step.ts'
import type { Definition, KeyedRowStep } from './definition.ts'
import { comeFrom } from './emit.ts'
import { neverLate } from './event-time.ts'
import { repartitionTopic } from './inputs.ts'
import { handOnLate, keyedInput, type LateRows, tableInput } from './keyed-rows.ts'
import type { KeyedStore } from './keyed-store.ts'
import { type KeyedStores, Openings } from './keyed-stores.ts'
import type { Rows } from './rows.ts'
import { addFailure, drop, type StepContext, stepRow } from './step-context.ts'
import { sendTimers, TimedRows } from './timed-rows.ts'
import type { Advanced } from './window-steps.ts'

/** So many entries at most are forgotten, and timers called, with one commit. */
const mostForgotten = 5000

/** Rows of another topic, with which the step reckons: none of them goes on behind such steps. */
const isFrom = ({ from }: KeyedRowStep, { batch }: Rows, { pipeline }: StepContext): boolean =>
  from !== undefined && batch.topic === repartitionTopic(pipeline, from.step)

async function takeFrom(
  step: KeyedRowStep,
  { rows: keyed, store, forgottenMs }: Open,
  index: number,
  rows: Rows,
  context: StepContext,
): Promise<void> {
  const input = keyedInput(rows, index, context)
  const failed = new Map<number, unknown>()
  await context.retry('state', () =>
    keyed.takeFrom!(store, input, forgottenMs, {
      failed: (row, error) => failed.set(row, error),
    }),
  )
  for (const [row, error] of failed) addFailure(context, rows, row, index, error)
  if (failed.size > 0) drop(rows, new Set(failed.keys()))
  const { isShared } = step.from!
  context.counters.add(stepRow(index), isShared ? 'passed' : 'absorbed', rows.count)
  if (isShared) comeFrom(rows, step.name)
  else rows.count = 0
}

interface Open {
  readonly rows: RowStep
  readonly store: KeyedStore<unknown>
  forgottenMs: number
  /** What its timers give from here on has no time before this. */
  outMs: number
  /** How far timers were called at the end; undefined: all. */
  endedTo: string | undefined
  /** Called, and not sent on yet: what is asked of the log behind them may have to be asked again. */
  called: CalledTimer[]
}

export class RowSteps {
  readonly #definition: Definition
  readonly #stores: KeyedStores
  readonly #open = new Openings<Open>()

  constructor(definition: Definition, stores: KeyedStores) {
    this.#definition = definition
    this.#stores = stores
  }

  /** Rows that go on stay, with what they have become. */
  async take(
    step: KeyedRowStep,
    index: number,
    rows: Rows,
    context: StepContext,
    lateRows: LateRows,
  ): Promise<void> {
    const open = await context.retry('state', () => this.#of(step, rows.batch.partition))
    const { rows: keyed, store, forgottenMs } = open
    open.endedTo = ''
    if (step.table !== undefined && rows.batch.topic === step.table.name) {
      const changes = tableInput(rows, index, context)
      await context.retry('state', () => keyed.takeTable!(store, changes, forgottenMs))
      context.counters.add(stepRow(index), 'absorbed', changes.count)
      rows.count = 0
      return
    }
    if (isFrom(step, rows, context)) return takeFrom(step, open, index, rows, context)
    const input = keyedInput(rows, index, context)
    const passed = new TimedRows(input.keys)
    const late = new Set<number>()
    let duplicates = 0
    let filtered = 0
    // What it needs is brought here before anything is changed, so it may be asked again.
    await context.retry('state', () => {
      return keyed.take(store, input, forgottenMs, {
        passes: (row, value) => passed.add(row, value),
        called: (timer) => passed.called(timer),
        duplicate: () => duplicates++,
        filtered: () => filtered++,
        late: (row) => late.add(row),
        failed: (row, error) => addFailure(context, rows, row, index, error),
      })
    })
    const { counters } = context
    counters.add(stepRow(index), 'duplicate', duplicates)
    counters.add(stepRow(index), 'filtered', filtered)
    counters.add(stepRow(index), 'passed', passed.count)
    counters.add(stepRow(index), 'late', await handOnLate(rows, late, step.late && lateRows))
    const { partition } = rows.batch
    await passed.sendOn(rows, this.#definition, { index, partition, outMs: open.outMs }, context)
  }

  /** Calls timers that are due and sends on what they give, and forgets what nobody asks for. */
  async advance(
    { step, index, partition }: { step: KeyedRowStep; index: number; partition: number },
    { atMs, isEnd }: { readonly atMs: number; readonly isEnd: boolean },
    context: StepContext,
  ): Promise<Advanced> {
    const open = await this.#of(step, partition)
    const { rows, store } = open
    if (atMs > open.forgottenMs) open.forgottenMs = atMs
    if (!Number.isFinite(open.forgottenMs)) return { hasMore: false, outMs: atMs }
    const called = (timer: CalledTimer) => open.called.push(timer)
    let hasMore = await rows.forget(store, open.forgottenMs, mostForgotten, called)
    if (!isEnd) open.endedTo = ''
    else if (!hasMore && rows.end !== undefined && open.endedTo !== undefined) {
      open.endedTo = await rows.end(store, open.endedTo, mostForgotten, called)
      hasMore = open.endedTo !== undefined
    }
    const timers = open.called
    open.called = []
    const place = { index, partition, outMs: open.outMs }
    await sendTimers(timers, this.#definition, place, context)
    const failed = timers.filter((timer) => 'error' in timer).length
    context.counters.add(stepRow(index), 'deadLettered', failed)
    if (!hasMore) open.outMs = open.forgottenMs
    return { hasMore, outMs: open.outMs }
  }

  #of(step: KeyedRowStep, partition: number): Promise<Open> {
    return this.#open.of(step.name, partition, () => this.#begin(step, partition))
  }

  async #begin(step: KeyedRowStep, partition: number): Promise<Open> {
    const rows = step.make()
    return {
      rows,
      store: await this.#stores.open(step.name, partition, rows.form),
      ...{ forgottenMs: neverLate, outMs: neverLate, endedTo: '', called: [] },
    }
  }
}
