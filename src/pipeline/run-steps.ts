/**
 * Sends rows through the steps of a pipeline, a step at a time over all rows. What a user's function
 * throws on a row is a failure of that row alone; what Millrace's own code throws goes up.
 */
import { fail, type MillraceError, orderOf } from '../core/errors.ts'
import { Message } from '../core/message.ts'
import type { Model } from '../models/model.ts'
import type { Meter } from '../monitoring/meter.ts'
import type { Codecs } from './codecs.ts'
import { describeError, type Failure, Invalid, isOurs } from './decode.ts'
import type { KeepingStep, RekeyStep, Step } from './definition.ts'
import type { Counters } from './ledger.ts'
import { deleted, type Rows } from './rows.ts'

/** What a step needs beside its rows; made once for a lane and batch. */
export interface StepContext {
  readonly pipeline: string
  readonly counters: Counters
  readonly failures: Failure[]
  readonly models: ReadonlyMap<string, Model<unknown, unknown>>
  readonly codecs: Codecs
  /** Undefined: nobody measures, as with replays, which would count twice. */
  readonly meter?: Meter | undefined
  /** The model asked to try later: waits and says whether to try again. */
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
    const failed = context.failures.length - failuresBefore
    context.counters.add(row, 'deadLettered', failed)
    context.counters.add(row, 'emitted', rows.count)
    if (step.kind === 'predict' && rows.appended !== undefined) {
      rows.appended = [...rows.appended, step.name]
    } else if (makesValues.has(step.kind)) {
      rows.appended = undefined
    }
    if (step.kind === 'map' || step.kind === 'predict' || step.kind === 'to') {
      context.counters.add(row, 'passed', before - failed)
    } else if (step.kind === 'filter') {
      context.counters.add(row, 'passed', rows.count)
      context.counters.add(row, 'filtered', before - failed - rows.count)
    }
  }
}

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

async function predict(
  step: Step & { kind: 'predict' },
  index: number,
  rows: Rows,
  context: StepContext,
): Promise<void> {
  const input = step.input as (value: unknown) => unknown
  const inputs: unknown[] = []
  const places: number[] = []
  const failed = new Set<number>()
  for (let row = 0; row < rows.count; row++) {
    if (rows.values[row] === deleted) continue
    try {
      const value = rows.values[row]
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        throw new Invalid(`predict adds a field to an object, the value is ${kindOf(value)}`)
      }
      // What replaces a field cannot be written behind the others.
      if (step.name in value) rows.appended = undefined
      const asked = input(value)
      if (isThenable(asked)) throw asynchronous(context, step.name, asked)
      inputs.push(asked)
      places.push(row)
    } catch (error) {
      failed.add(row)
      addFailure(context, rows, row, index, error)
    }
  }
  const model = context.models.get(step.name)!
  const answers = await answersOf(model, inputs, context, step.name)
  context.meter?.answered(step.name, answers)
  for (let place = 0; place < answers.length; place++) {
    const row = places[place]!
    const answer = answers[place]
    if (answer instanceof NoAnswer) {
      failed.add(row)
      addFailure(context, rows, row, index, answer.thrown)
    } else {
      // A new object: a user's function may still hold the old one.
      rows.values[row] = { ...(rows.values[row] as object), [step.name]: answer }
    }
  }
  if (failed.size > 0) drop(rows, failed)
}

/** Why a model gave no answer to one input. */
class NoAnswer {
  readonly thrown: unknown

  constructor(thrown: unknown) {
    this.thrown = thrown
  }
}

/**
 * An answer or a `NoAnswer` for each input. What a model refuses is left out; a batch that throws
 * anything else is halved until the bad input stands alone.
 */
async function answersOf(
  model: Model<unknown, unknown>,
  inputs: readonly unknown[],
  context: StepContext,
  name: string,
): Promise<readonly unknown[]> {
  if (inputs.length === 0) return []
  try {
    const answers = await context.retry(`model ${name}`, () => model.predict(inputs))
    if (answers.length === inputs.length) return answers
    throw new Error(`the model gave ${answers.length} answers to ${inputs.length} inputs`)
  } catch (thrown) {
    const refused = refusalsOf(thrown)
    if (refused.size > 0) {
      const rest = inputs.filter((_, index) => !refused.has(index))
      const answers = (await answersOf(model, rest, context, name)).values()
      return inputs.map((_, index) => refused.get(index) ?? answers.next().value)
    }
    // An order (give up, stop, join again) is not about one input.
    const order = orderOf(thrown)
    if (isOurs(thrown) || (order !== undefined && order !== 'refused')) throw thrown
    if (inputs.length === 1) return [new NoAnswer(thrown)]
    const middle = inputs.length >> 1
    return [
      ...(await answersOf(model, inputs.slice(0, middle), context, name)),
      ...(await answersOf(model, inputs.slice(middle), context, name)),
    ]
  }
}

/** By index, the inputs that a model refuses; none when it threw something else. */
function refusalsOf(thrown: unknown): Map<number, NoAnswer> {
  if (orderOf(thrown) !== 'refused') return new Map()
  const { refused } = thrown as MillraceError
  return new Map(refused.map(({ index, reason }) => [index, new NoAnswer(new Invalid(reason))]))
}

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

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  )
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`
}

function asynchronous(context: StepContext, name: string, result: PromiseLike<unknown>): Error {
  result.then(undefined, () => undefined)
  return fail(
    'STEP_ASYNCHRONOUS',
    `pipeline ${context.pipeline}, step '${name}': the function gave a promise; steps are synchronous, work that waits belongs into a model (predict) or a sink`,
  )
}
