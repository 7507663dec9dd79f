/**
 * The steps of a lane that let messages go on in the light of those with the same key before them: by
 * step and partition, with the state that they need for it.
 */
import type { RowStep } from '../transforms/row-step.ts'
import type { KeyedRowStep } from './definition.ts'
import { neverLate } from './event-time.ts'
import { repartitionTopic } from './inputs.ts'
import { handOnLate, keyedInput, type LateRows, tableInput } from './keyed-rows.ts'
import type { KeyedStore } from './keyed-store.ts'
import { type KeyedStores, Openings } from './keyed-stores.ts'
import type { Rows } from './rows.ts'
import { addFailure, drop, type StepContext, stepRow } from './step-context.ts'

/** So many entries at most are forgotten with one commit. */
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
  if (!isShared) rows.count = 0
}

interface Open {
  readonly rows: RowStep
  readonly store: KeyedStore<unknown>
  forgottenMs: number
}

export class RowSteps {
  readonly #stores: KeyedStores
  readonly #open = new Openings<Open>()

  constructor(stores: KeyedStores) {
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
    if (step.table !== undefined && rows.batch.topic === step.table.name) {
      const changes = tableInput(rows, index, context)
      await context.retry('state', () => keyed.takeTable!(store, changes, forgottenMs))
      context.counters.add(stepRow(index), 'absorbed', changes.count)
      rows.count = 0
      return
    }
    if (isFrom(step, rows, context)) return takeFrom(step, open, index, rows, context)
    const input = keyedInput(rows, index, context)
    const passed: number[] = []
    const values: unknown[] = []
    const late = new Set<number>()
    let duplicates = 0
    let filtered = 0
    // What it needs is brought here before anything is changed, so it may be asked again.
    await context.retry('state', () => {
      return keyed.take(store, input, forgottenMs, {
        passes: (row, value) => {
          passed.push(row)
          values.push(value)
        },
        duplicate: () => duplicates++,
        filtered: () => filtered++,
        late: (row) => late.add(row),
        failed: (row, error) => addFailure(context, rows, row, index, error),
      })
    })
    const { counters } = context
    counters.add(stepRow(index), 'duplicate', duplicates)
    counters.add(stepRow(index), 'filtered', filtered)
    counters.add(stepRow(index), 'passed', passed.length)
    counters.add(stepRow(index), 'late', await handOnLate(rows, late, step.late && lateRows))
    // They come in the order of the rows, so none is overwritten before it was moved.
    for (let kept = 0; kept < passed.length; kept++) {
      rows.keep(passed[kept]!, kept)
      rows.values[kept] = values[kept]
    }
    rows.count = passed.length
  }

  /** True: there is more to be forgotten, to be asked for with the next commit. */
  async advance(step: KeyedRowStep, partition: number, atMs: number): Promise<boolean> {
    const open = await this.#of(step, partition)
    if (atMs > open.forgottenMs) open.forgottenMs = atMs
    if (!Number.isFinite(open.forgottenMs)) return false
    return open.rows.forget(open.store, open.forgottenMs, mostForgotten)
  }

  #of(step: KeyedRowStep, partition: number): Promise<Open> {
    return this.#open.of(step.name, partition, () => this.#begin(step, partition))
  }

  async #begin(step: KeyedRowStep, partition: number): Promise<Open> {
    const rows = step.make()
    return {
      rows,
      store: await this.#stores.open(step.name, partition, rows.form),
      forgottenMs: neverLate,
    }
  }
}
