/** Adds what a model says of each row. What it throws on one row is a failure of that row alone. */
import { type MillraceError, orderOf } from '../core/errors.ts'
import type { Model } from '../models/model.ts'
import { Invalid, isOurs } from './decode.ts'
import type { Step } from './definition.ts'
import { deleted, type Rows } from './rows.ts'
import {
  addFailure,
  asynchronous,
  drop,
  fieldsOf,
  isThenable,
  type StepContext,
} from './step-context.ts'

export async function predict(
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
      const value = fieldsOf(rows.values[row], 'predict')
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
