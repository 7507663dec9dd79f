/** What steps have in common: what they are given beside rows, and what becomes of rows that fail. */
import { fail } from '../core/errors.ts'
import type { Model } from '../models/model.ts'
import type { Meter } from '../monitoring/meter.ts'
import type { Codecs } from './codecs.ts'
import { describeError, type Failure, Invalid, isOurs } from './decode.ts'
import type { KeepingStep, RekeyStep, Step } from './definition.ts'
import type { Counters } from './ledger.ts'
import type { OpenLookup } from './open-lookups.ts'
import type { Rows } from './rows.ts'

/** What a step needs beside its rows; made once for a lane and batch. */
export interface StepContext {
  readonly pipeline: string
  readonly counters: Counters
  readonly failures: Failure[]
  readonly models: ReadonlyMap<string, Model<unknown, unknown>>
  /** By the names of their steps. */
  readonly lookups: ReadonlyMap<string, OpenLookup>
  readonly codecs: Codecs
  /** Undefined: nobody measures, as with replays, which would count twice. */
  readonly meter?: Meter | undefined
  /** Aborted: the lane stops, and what this batch came to is dropped. */
  readonly signal: AbortSignal
  /** What asks to try later is waited for and tried again. */
  retry<Result>(what: string, work: () => Result | Promise<Result>): Promise<Result>
  /** Writes rows to the target of a `to` step. */
  write(step: Step & { kind: 'to' }, index: number, rows: Rows): void | Promise<void>
  /** Joins rows with what waits for them; counts and failures go to the context it is called in. */
  join(step: Step & { kind: 'join' }, index: number, rows: Rows, within: StepContext): Promise<void>
  /** Writes rows to the pipeline's own topic, by their new key. */
  repartition(step: RekeyStep, index: number, rows: Rows, within: StepContext): void
  /** Takes rows to where state is kept; counts and failures go to the context it is called in. */
  keep(step: KeepingStep, index: number, rows: Rows, within: StepContext): Promise<void>
}

/** Counters start with `read`, so step number `index` of a definition is row `index + 1`. */
export const stepRow = (index: number) => index + 1

/** Removes rows and keeps the order of the others. */
export function drop(rows: Rows, dropped: ReadonlySet<number>): void {
  let kept = 0
  for (let row = 0; row < rows.count; row++) {
    if (!dropped.has(row)) rows.keep(row, kept++)
  }
  rows.count = kept
}

/** Notes that a row failed at a step. An error of Millrace's own is not the row's fault: it goes up. */
export function addFailure(
  context: Pick<StepContext, 'failures'>,
  rows: Rows,
  row: number,
  index: number,
  error: unknown,
): void {
  if (isOurs(error)) throw error
  context.failures.push({
    origin: rows.origins[row]!,
    id: rows.id(row),
    step: stepRow(index),
    ...describeError(error),
    entry: rows.entries?.[row],
  })
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  )
}

/** The value as an object that a field can be added to. Throws `Invalid`; `who` begins its words. */
export function fieldsOf(value: unknown, who: string): object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new Invalid(`${who} adds a field to an object, the value is ${kindOf(value)}`)
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`
}

export function asynchronous(
  context: StepContext,
  name: string,
  result: PromiseLike<unknown>,
): Error {
  result.then(undefined, () => undefined)
  return fail(
    'STEP_ASYNCHRONOUS',
    `pipeline ${context.pipeline}, step '${name}': the function gave a promise; steps are synchronous, work that waits belongs into a model (predict) or a sink`,
  )
}
