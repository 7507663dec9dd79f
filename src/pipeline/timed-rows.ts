/**
 * What a step with keyed state lets go on, in its order: messages, and between them what timers gave
 * of the same keys. Of different keys the order does not matter, so there are few stretches of each.
 */
import type { CalledTimer } from '../transforms/row-step.ts'
import type { Definition } from './definition.ts'
import { comeFrom, type Emission, emit, emitFailure, type Result } from './emit.ts'
import type { Rows } from './rows.ts'
import { runSteps } from './run-steps.ts'
import { type StepContext, stepRow } from './step-context.ts'

/** Where timers were called. */
type Place = Omit<Emission, 'results'>

/** Messages, then timers of keys of which no message comes behind them. */
interface Stretch {
  readonly rows: number[]
  readonly values: unknown[]
  readonly timers: CalledTimer[]
}

export class TimedRows {
  readonly #keys: readonly string[]
  readonly #stretches: Stretch[] = [{ rows: [], values: [], timers: [] }]
  /** Keys of the timers of the last stretch. */
  readonly #timed = new Set<string>()
  /** How many messages go on. */
  count = 0

  /** By row. */
  constructor(keys: readonly string[]) {
    this.#keys = keys
  }

  add(row: number, value: unknown): void {
    if (this.#timed.size > 0 && this.#timed.has(this.#keys[row]!)) {
      this.#timed.clear()
      this.#stretches.push({ rows: [], values: [], timers: [] })
    }
    const last = this.#stretches.at(-1)!
    last.rows.push(row)
    last.values.push(value)
    this.count++
  }

  called(timer: CalledTimer): void {
    this.#stretches.at(-1)!.timers.push(timer)
    this.#timed.add(timer.key)
  }

  /** Messages behind which no timer was called stay in `rows`; the others were sent on. */
  async sendOn(
    rows: Rows,
    definition: Definition,
    place: Place,
    context: StepContext,
  ): Promise<void> {
    const { index } = place
    const { name } = definition.steps[index]!
    for (const stretch of this.#stretches) {
      if (stretch.timers.length === 0) {
        choose(rows, stretch, name)
        return
      }
      const part = rows.copy()
      choose(part, stretch, name)
      part.appended = undefined
      context.counters.add(stepRow(index), 'emitted', part.count)
      await runSteps(definition.steps, part, context, index + 1)
      await sendTimers(stretch.timers, definition, place, context)
    }
    rows.count = 0
  }
}

/** Sends on what timers gave; those that threw are failures of their step. */
export async function sendTimers(
  timers: readonly CalledTimer[],
  definition: Definition,
  place: Place,
  context: StepContext,
): Promise<void> {
  const { name } = definition.steps[place.index]!
  const results: Result[] = []
  for (const timer of timers) {
    if ('value' in timer) results.push(resultOf(name, timer, timer.value))
    else {
      const failed = [resultOf(name, timer, timer.state)]
      emitFailure(definition, { ...place, results: failed }, timer.error, context)
    }
  }
  await emit(definition, { ...place, results }, context)
}

/** A timer is called once for a time, so there is one version of what it gives. */
const resultOf = (step: string, { key, timeMs }: CalledTimer, value: unknown): Result => ({
  ...{ key, id: `${step}/${key}/${timeMs}`, revision: 1, timeMs, value },
})

/** They come in the order of the rows, so none is overwritten before it was moved. */
function choose(rows: Rows, { rows: chosen, values }: Stretch, step: string): void {
  for (let kept = 0; kept < chosen.length; kept++) {
    rows.keep(chosen[kept]!, kept)
    rows.values[kept] = values[kept]
  }
  rows.count = chosen.length
  comeFrom(rows, step)
}
