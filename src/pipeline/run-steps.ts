/**
 * Sends rows through the steps of a pipeline, a step at a time over all rows. What a user's function
 * throws on a row is a failure of that row alone; what Millrace's own code throws goes up.
 */
import { Message } from '../core/message.ts'
import { failuresAt } from './decode.ts'
import type { Step } from './definition.ts'
import { lookUp } from './lookup-step.ts'
import { predict } from './predict-step.ts'
import { deleted, type Rows } from './rows.ts'
import { addFailure, asynchronous, isThenable, type StepContext, stepRow } from './step-context.ts'

/** Runs the steps from number `from` on. Rows are used up. */
export async function runSteps(
  steps: readonly Step[],
  rows: Rows,
  context: StepContext,
  from = 0,
): Promise<void> {
  for (let index = from; index < steps.length; index++) {
    const step = steps[index]!
    const [row, before] = [stepRow(index), rows.count]
    context.counters.add(row, 'in', before)
    const failuresBefore = context.failures.length
    const startMs = context.meter?.start() ?? 0
    const work = runStep(step, index, rows, context)
    if (work !== undefined) await work
    context.meter?.worked(step.name, startMs)
    const failed = failuresAt(row, context.failures, failuresBefore)
    context.counters.add(row, 'deadLettered', failed)
    context.counters.add(row, 'emitted', rows.count)
    if (addsField.has(step.kind) && rows.appended !== undefined) {
      rows.appended = [...rows.appended, step.name]
    } else if (makesValues.has(step.kind)) {
      rows.appended = undefined
    }
    if (step.kind === 'map' || step.kind === 'predict' || step.kind === 'to') {
      context.counters.add(row, 'passed', before - failed)
    } else if (step.kind === 'filter' || step.kind === 'lookup') {
      context.counters.add(row, 'passed', rows.count)
      context.counters.add(row, 'filtered', before - failed - rows.count)
    }
  }
}

/** What goes on is the value with one field more. */
const addsField = new Set<Step['kind']>(['predict', 'lookup'])

/** What goes on is another value than what came. */
const makesValues = new Set<Step['kind']>(['map', 'flatMap', 'join', 'keyed', 'pair'])

function runStep(
  step: Step,
  index: number,
  rows: Rows,
  context: StepContext,
): void | Promise<void> {
  switch (step.kind) {
    case 'map':
      return map(step, index, rows, context)
    case 'filter':
      return filter(step, index, rows, context)
    case 'flatMap':
      return flatMap(step, index, rows, context)
    case 'predict':
      return predict(step, index, rows, context)
    case 'lookup':
      return lookUp(step, index, rows, context)
    case 'join':
      return context.join(step, index, rows, context)
    case 'keyBy':
    case 'origin':
      return context.repartition(step, index, rows, context)
    case 'aggregate':
    case 'keyed':
    case 'pair':
      return context.keep(step, index, rows, context)
    case 'to':
      return context.write(step, index, rows)
  }
}

/** A view is only made where the function may ask for it: not with exactly one parameter. */
const noMessage = undefined as unknown as Message

function map(step: Step & { kind: 'map' }, index: number, rows: Rows, context: StepContext): void {
  const apply = step.apply as (value: unknown, message: Message) => unknown
  const wantsMessage = apply.length !== 1
  let kept = 0
  for (let row = 0; row < rows.count; row++) {
    const value = rows.values[row]
    if (value === deleted) {
      rows.keep(row, kept++)
      continue
    }
    try {
      const message = wantsMessage ? new Message(rows.batch, rows.origins[row]!) : noMessage
      const result = apply(value, message)
      if (isThenable(result)) throw asynchronous(context, step.name, result)
      rows.keep(row, kept)
      rows.values[kept++] = result
    } catch (error) {
      addFailure(context, rows, row, index, error)
    }
  }
  rows.count = kept
}

function filter(
  step: Step & { kind: 'filter' },
  index: number,
  rows: Rows,
  context: StepContext,
): void {
  const test = step.test as (value: unknown, message: Message) => unknown
  const wantsMessage = test.length !== 1
  let kept = 0
  for (let row = 0; row < rows.count; row++) {
    const value = rows.values[row]
    try {
      const message = wantsMessage ? new Message(rows.batch, rows.origins[row]!) : noMessage
      const result = value === deleted || test(value, message)
      if (isThenable(result)) throw asynchronous(context, step.name, result)
      if (result) rows.keep(row, kept++)
    } catch (error) {
      addFailure(context, rows, row, index, error)
    }
  }
  rows.count = kept
}

function flatMap(
  step: Step & { kind: 'flatMap' },
  index: number,
  rows: Rows,
  context: StepContext,
): void {
  const apply = step.apply as (value: unknown, message: Message) => Iterable<unknown>
  const { values, origins, identities, entries, count } = rows
  const taken = {
    values: values.slice(0, count),
    origins: origins.slice(0, count),
    identities,
    entries,
  }
  const source = Object.assign(Object.create(rows) as Rows, taken)
  const results: (unknown[] | undefined)[] = []
  for (let row = 0; row < count; row++) {
    results.push(spread(apply, source, row, step.name, index, context))
  }
  rows.count = 0
  rows.identities = []
  rows.values = []
  if (entries !== undefined) rows.entries = []
  for (let row = 0; row < count; row++) {
    const result = results[row]
    if (result === undefined) continue
    context.counters.add(stepRow(index), result.length > 0 ? 'passed' : 'filtered', 1)
    const id = source.id(row)
    const version = source.version(row)
    const time = source.time(row)
    for (const [place, value] of result.entries()) {
      const identity = { id: `${id}/${step.name}/${place}`, version, time }
      rows.push(value, taken.origins[row]!, identity, entries?.[row])
    }
  }
}

/** What one message becomes; a delete becomes nothing. Undefined when it failed. */
function spread(
  apply: (value: unknown, message: Message) => Iterable<unknown>,
  rows: Rows,
  row: number,
  name: string,
  index: number,
  context: StepContext,
): unknown[] | undefined {
  if (rows.values[row] === deleted) return []
  try {
    const result = apply(rows.values[row], new Message(rows.batch, rows.origins[row]!))
    if (isThenable(result)) throw asynchronous(context, name, result)
    return [...result]
  } catch (error) {
    addFailure(context, rows, row, index, error)
    return undefined
  }
}
