/**
 * Takes replayed dead letters in again: the message goes through the steps as it did at first, but
 * nothing is written a second time and only what failed goes on from the step that failed.
 */
import { Batch } from '../core/batch.ts'
import { decodeHeaders } from '../core/headers.ts'
import { deadHeaders } from './dead-letters.ts'
import { decodeRows } from './decode.ts'
import type { Definition } from './definition.ts'
import type { LaneInput } from './lane-input.ts'
import { Counters } from './ledger.ts'
import { Rows } from './rows.ts'
import { drop, runSteps, type StepContext, stepRow } from './run-steps.ts'

/** Rows of the replay topic, one after the other: each has an entry of its own. */
export async function runReplays(
  definition: Definition,
  inputs: readonly LaneInput[],
  rows: Rows,
  context: StepContext,
): Promise<void> {
  for (let index = 0; index < rows.batch.count; index++) {
    await runReplay(definition, inputs, rows.batch, index, context)
  }
}

async function runReplay(
  definition: Definition,
  inputs: readonly LaneInput[],
  batch: Batch,
  index: number,
  context: StepContext,
): Promise<void> {
  const headers = decodeHeaders(batch.bytes, batch.headerStarts[index]!, batch.headerEnds[index]!)
  const text = (name: string) => headers.find((one) => one.key === name)?.value?.toString()
  const stepOf = (name: string | undefined) =>
    definition.steps.findIndex((step) => step.name === name)
  const behind = text(deadHeaders.entry)
  const origin = inputs.find((input) => input.topic === text(deadHeaders.topic))
  const entry = behind === undefined ? (origin?.entry ?? 0) : stepOf(behind) + 1
  const resume = Math.max(entry, stepOf(text(deadHeaders.step)))
  const rows = new Rows(one(batch, index))
  const { counters } = context
  const failures = decodeRows(rows, behind === undefined ? origin?.schema : undefined)
  for (const failure of failures) context.failures.push({ ...failure, origin: index })
  counters.add(0, 'deadLettered', failures.length)
  if (rows.count === 0) return
  const before = context.failures.length
  await runSteps(definition.steps.slice(0, resume), rows, muted(definition, context), entry)
  const id = text(deadHeaders.id)
  if (id !== undefined && resume > entry) {
    drop(
      rows,
      new Set(
        Array.from({ length: rows.count }, (_, row) => row).filter((row) => rows.id(row) !== id),
      ),
    )
  }
  const failedEarlier = context.failures.length - before
  counters.add(0, 'deadLettered', failedEarlier)
  counters.add(0, rows.count > 0 ? 'passed' : 'filtered', failedEarlier > 0 ? 0 : 1)
  counters.add(0, 'emitted', rows.count)
  counters.add(stepRow(resume), 'entered', rows.count)
  await runSteps(definition.steps, rows, context, resume)
  for (let place = before; place < context.failures.length; place++) {
    context.failures[place] = { ...context.failures[place]!, origin: index }
  }
}

/** The same steps, counted apart and without a trace: they did their part when it failed. */
function muted(definition: Definition, context: StepContext): StepContext {
  return {
    ...context,
    counters: new Counters(definition.steps.map((step) => step.name)),
    write: () => undefined,
  }
}

/** One message of a batch as a batch of its own. */
function one(batch: Batch, index: number): Batch {
  const at = <Column extends Float64Array | Int32Array>(column: Column) =>
    column.slice(index, index + 1) as Column
  return new Batch({
    ...batch,
    count: 1,
    offsets: at(batch.offsets),
    times: at(batch.times),
    keyStarts: at(batch.keyStarts),
    keyEnds: at(batch.keyEnds),
    valueStarts: at(batch.valueStarts),
    valueEnds: at(batch.valueEnds),
    headerStarts: at(batch.headerStarts),
    headerEnds: at(batch.headerEnds),
  })
}
