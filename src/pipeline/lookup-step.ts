/**
 * Adds what another system knows of a key: from what is remembered, else by asking for all keys of the
 * batch that are missing, each once. A batch whose keys are all known has no promise.
 */
import { type MillraceError, orderOf } from '../core/errors.ts'
import { keyText } from '../lookups/key.ts'
import type { LookupKey } from '../lookups/lookup.ts'
import { Invalid, isOurs } from './decode.ts'
import type { LookupStep } from './definition.ts'
import { type Found, nothing, type OpenLookup } from './open-lookups.ts'
import { Stopped } from './retry.ts'
import { deleted, type Rows } from './rows.ts'
import { addFailure, asynchronous, fieldsOf, isThenable, type StepContext } from './step-context.ts'

/** A key that nothing is remembered of, and the rows that wait for it. */
interface Missing {
  readonly text: string
  readonly key: LookupKey
  readonly rows: number[]
  found: Found | undefined
}

/** What stands where a row is asked for nothing: a delete, or what has failed already. */
type Place = Found | 'passes' | 'failed' | undefined

export function lookUp(
  step: LookupStep,
  index: number,
  rows: Rows,
  context: StepContext,
): void | Promise<void> {
  const open = context.lookups.get(step.name)!
  const found: Place[] = new Array(rows.count)
  const missing = new Map<string, Missing>()
  let hits = 0
  for (let row = 0; row < rows.count; row++) {
    if (rows.values[row] === deleted) {
      found[row] = 'passes'
      continue
    }
    try {
      const key = keyOf(step, rows, row, context)
      if (key === null || key === undefined) {
        found[row] = nothing
        continue
      }
      const text = keyText(key)
      const waiting = missing.get(text)
      const known = waiting === undefined ? open.cached(text) : undefined
      if (known !== undefined || waiting !== undefined) hits++
      found[row] = known
      if (waiting !== undefined) waiting.rows.push(row)
      else if (known === undefined) missing.set(text, { text, key, rows: [row], found: undefined })
    } catch (error) {
      found[row] = 'failed'
      addFailure(context, rows, row, index, error)
    }
  }
  open.count(hits, missing.size)
  if (missing.size === 0) {
    context.meter?.lookedUp(step.name, open.counts)
    settle(step, index, rows, found, context)
    return
  }
  return askForAll(open, step, [...missing.values()], context).then((answered) => {
    for (const one of answered) for (const row of one.rows) found[row] = one.found
    context.meter?.lookedUp(step.name, open.counts)
    settle(step, index, rows, found, context)
  })
}

function keyOf(step: LookupStep, rows: Rows, row: number, context: StepContext) {
  const value = fieldsOf(rows.values[row], 'lookup')
  // What replaces a field cannot be written behind the others.
  if (step.name in value) rows.appended = undefined
  const key = (step.by as (value: unknown) => LookupKey | null | undefined)(value)
  if (isThenable(key)) throw asynchronous(context, step.name, key)
  return key
}

/** Adds the field, or leaves the row out; the order of rows is kept. */
function settle(
  { name, how }: LookupStep,
  index: number,
  rows: Rows,
  found: readonly Place[],
  context: StepContext,
): void {
  const { count } = rows
  let kept = 0
  for (let row = 0; row < count; row++) {
    const one = found[row]
    if (one === 'failed' || one === undefined) continue
    if (one === 'passes') {
      rows.keep(row, kept++)
    } else if (one.failure !== undefined) {
      addFailure(context, rows, row, index, one.failure)
    } else if (one.value !== null || how === 'left') {
      const value = rows.values[row] as object
      rows.keep(row, kept)
      // A new object: a user's function may still hold the old one.
      rows.values[kept++] = { ...value, [name]: one.value }
    }
  }
  rows.count = kept
}

/** Fills in what was found of each. */
async function askForAll(
  open: OpenLookup,
  step: LookupStep,
  missing: readonly Missing[],
  context: StepContext,
): Promise<readonly Missing[]> {
  const { maxKeys } = step.lookup
  for (let from = 0; from < missing.length; from += maxKeys) {
    await askFor(open, step, missing.slice(from, from + maxKeys), context)
  }
  return missing
}

/**
 * What is refused is a failure of that key, and so is what the look-up throws and is no order: then
 * the keys are halved until the bad one stands alone.
 */
async function askFor(
  open: OpenLookup,
  step: LookupStep,
  keys: readonly Missing[],
  context: StepContext,
): Promise<void> {
  let asked = keys
  try {
    await context.retry(`lookup ${step.name}`, async () => {
      asked = unanswered(keys)
      await ask(open, asked, context.signal)
    })
    const left = unanswered(keys)
    if (left.length > 0) {
      throw new Error(`the look-up gave no answer to ${left.length} of ${asked.length} keys`)
    }
  } catch (thrown) {
    if (context.signal.aborted) throw new Stopped()
    const order = orderOf(thrown)
    if (isOurs(thrown) || (order !== undefined && order !== 'refused')) throw thrown
    const { refused = [] } = thrown as Partial<MillraceError>
    for (const { index, reason } of order === 'refused' ? refused : []) {
      const one = asked[index]
      if (one !== undefined) one.found = open.failed(one.text, new Invalid(reason))
    }
    const left = unanswered(keys)
    if (left.length === 0) return
    const [one] = left
    if (left.length === 1) {
      one!.found = open.failed(one!.text, thrown)
      return
    }
    const middle = left.length >> 1
    await askFor(open, step, left.slice(0, middle), context)
    await askFor(open, step, left.slice(middle), context)
  }
}

const unanswered = (keys: readonly Missing[]) => keys.filter(({ found }) => found === undefined)

/** What was answered is kept, also where the rest has to be asked for again. */
async function ask(
  open: OpenLookup,
  asked: readonly Missing[],
  signal: AbortSignal,
): Promise<void> {
  const keys = asked.map(({ key }) => key)
  const answers: { readonly index: number; readonly value: unknown }[] = []
  try {
    const answer = (index: number, value: unknown) => answers.push({ index, value })
    await open.lookup.find(keys, { signal, answer })
  } finally {
    for (const { index, value } of answers) {
      const one = asked[index]
      if (one !== undefined) one.found ??= open.answered(one.text, value)
    }
  }
}
