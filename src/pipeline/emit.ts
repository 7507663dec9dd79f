/**
 * What steps with state give of their own accord, when time comes for it: messages that go on behind
 * the step, and that belong to no message of an input.
 */
import type { Batch } from '../core/batch.ts'
import { BatchBuilder } from '../core/batch-builder.ts'
import { idHeader, idOf, versionHeader, versionOf } from '../core/identity.ts'
import type { Definition } from './definition.ts'
import { deleted, type JoinEntry, type RowIdentity, Rows } from './rows.ts'
import { runSteps } from './run-steps.ts'
import { addFailure, type StepContext, stepRow } from './step-context.ts'

export interface Result {
  readonly key: string
  readonly id: string
  readonly revision: number
  readonly timeMs: number
  /** `deleted`: what was given before is taken back. */
  readonly value: unknown
}

export interface Emission {
  /** The number of the step. */
  readonly index: number
  readonly partition: number
  readonly results: readonly Result[]
  /** What went on from the step until now had no time before this. */
  readonly outMs: number
}

/** Sends results on. What fails behind the step is a failure of the result. */
export async function emit(
  { name, steps }: Definition,
  emission: Emission,
  context: StepContext,
): Promise<void> {
  if (emission.results.length === 0) return
  const { index } = emission
  const rows = rowsOf(name, steps[index]!.name, emission)
  context.counters.add(stepRow(index), 'emitted', rows.count)
  const before = context.failures.length
  await runSteps(steps, rows, context, index + 1)
  for (let place = before; place < context.failures.length; place++) {
    context.failures[place] = { batch: rows.batch, ...context.failures[place]! }
  }
}

/** A step threw when time came for a key: what it would have gone on with is a failure of that step. */
export function emitFailure(
  { name, steps }: Definition,
  emission: Emission,
  error: unknown,
  context: StepContext,
): void {
  const { index } = emission
  const rows = rowsOf(name, steps[index]!.name, emission)
  addFailure(context, rows, 0, index, error)
  const last = context.failures.length - 1
  context.failures[last] = { ...context.failures[last]!, batch: rows.batch }
  // It came in by itself, so that it has a disposition like whatever comes in.
  context.counters.add(0, 'emitted', 1)
  context.counters.add(stepRow(index), 'entered', 1)
  context.counters.add(stepRow(index), 'in', 1)
}

/** Results as messages: each with its key, id and version, and what a replay of it needs. */
function rowsOf(pipeline: string, step: string, { partition, results, outMs }: Emission): Rows {
  const builder = new BatchBuilder(`${pipeline}.${step}`, partition)
  for (const { key, id, revision, timeMs, value } of results) {
    const headers = [
      { key: idHeader, value: Buffer.from(id) },
      { key: versionHeader, value: Buffer.from(String(revision)) },
    ]
    builder.append(key, value === deleted ? null : '', timeMs, headers)
  }
  const rows = new Rows(builder.build())
  rows.watermarks = new Float64Array(results.length).fill(outMs)
  rows.entries = []
  for (let row = 0; row < results.length; row++) {
    const { id, revision, timeMs, value } = results[row]!
    rows.values[row] = value
    rows.origins[row] = row
    const identity = { id, version: revision, time: timeMs }
    rows.entries[row] = new ResultEntry(step, identity, value)
  }
  rows.count = results.length
  return rows
}

/** Its JSON is only made for those that fail behind it. */
class ResultEntry implements JoinEntry {
  readonly step: string
  readonly identity: JoinEntry['identity']
  readonly #value: unknown

  constructor(step: string, identity: JoinEntry['identity'], value: unknown) {
    this.step = step
    this.identity = identity
    this.#value = value
  }

  get json(): string | undefined {
    return jsonOf(this.#value)
  }
}

/**
 * Rows that a step with state let go on: what it made of them is not made again by a replay, as the
 * state is another one by then.
 */
export function comeFrom(rows: Rows, step: string): void {
  rows.entries = []
  for (let row = 0; row < rows.count; row++) rows.entries.push(new PassedEntry(rows, row, step))
}

/** Made for each message, so it keeps what it is made of. */
class PassedEntry implements JoinEntry {
  readonly step: string
  readonly #batch: Batch
  readonly #origin: number
  readonly #identity: RowIdentity | undefined
  readonly #value: unknown

  constructor({ batch, origins, identities, values }: Rows, row: number, step: string) {
    this.step = step
    this.#batch = batch
    this.#origin = origins[row]!
    this.#identity = identities?.[row]
    this.#value = values[row]
  }

  get identity(): RowIdentity {
    if (this.#identity !== undefined) return this.#identity
    const [batch, origin] = [this.#batch, this.#origin]
    const time = batch.times[origin]!
    return { id: idOf(batch, origin), version: versionOf(batch, origin), time }
  }

  get json(): string | undefined {
    return jsonOf(this.#value)
  }
}

function jsonOf(value: unknown): string | undefined {
  if (value === deleted) return 'null'
  try {
    return JSON.stringify(value) as string | undefined
  } catch {
    return undefined
  }
}
