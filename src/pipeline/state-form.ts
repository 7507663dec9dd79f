/**
 * What a store's state was written by: it stands in the state itself, under a key of its own, so that
 * a step that became another one is refused instead of reckoning with what it does not understand.
 */
import { fail } from '../core/errors.ts'
import type { OwnedState } from '../log/log.ts'
import type { StateForm } from '../transforms/keyed-state.ts'
import { EntryForms, type Form, readForms } from './entry-forms.ts'
import { formDifference } from './form-difference.ts'

/** Steps have no keys that begin so. */
const reserved = '!'
export const formKey = `${reserved}form`

export const isReserved = (key: string) => key.startsWith(reserved)

/** How what is stored is read, and what comes is written. Throws `STATE_DIFFERS`. */
export async function checkForm<Value>(
  state: Pick<OwnedState, 'get' | 'scan'>,
  form: StateForm<Value>,
  store: string,
): Promise<EntryForms<Value>> {
  const bytes = (await state.get([formKey])).get(formKey)
  if (bytes === undefined) {
    if ((await state.scan({ limit: 1 })).length === 0) return EntryForms.of(form, [], store)!
    throw differs(store, 'it does not say what wrote it', undo)
  }
  const written = readForms(bytes)
  if (written === undefined) throw differs(store, `what it says of itself is '${bytes}'`, undo)
  const forms = EntryForms.of(form, written, store)
  if (forms !== undefined) return forms
  const { words, hint } = differenceOf(written, form)
  throw differs(store, words, hint)
}

/** What a step says of state that it cannot read. */
export function differenceOf(written: readonly Form[], form: StateForm<unknown>) {
  const last = written.at(-1)!
  const isLast = last.name === form.name && last.version === form.version
  const unknown = written.find((one) => form.older?.(one) === undefined)
  // Where it knows the last, it is an older one whose entries may still be there.
  return formDifference((isLast ? unknown : last) ?? last, form)
}

const undo = 'give the step another name, start over with --fresh, or restore the state'

function differs(store: string, words: string, hint: string) {
  return fail('STATE_DIFFERS', `state of ${store}: ${words}; ${hint}`)
}
