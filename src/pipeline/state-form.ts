/**
 * What a store's state was written by: it stands in the state itself, under a key of its own, so that
 * a step that became another one is refused instead of reckoning with what it does not understand.
 */
import { fail } from '../core/errors.ts'
import type { OwnedState } from '../log/log.ts'
import type { StateForm } from '../transforms/keyed-state.ts'

/** Steps have no keys that begin so. */
const reserved = '!'
export const formKey = `${reserved}form`

export const isReserved = (key: string) => key.startsWith(reserved)

type Form = Pick<StateForm<unknown>, 'name' | 'version'>

export const formBytes = ({ name, version }: Form): Buffer =>
  Buffer.from(JSON.stringify({ name, version }))

/** True when the state says that it has this form, false when it is empty. Throws `STATE_DIFFERS`. */
export async function checkForm(
  state: Pick<OwnedState, 'get' | 'scan'>,
  form: Form,
  store: string,
): Promise<boolean> {
  const bytes = (await state.get([formKey])).get(formKey)
  if (bytes === undefined) {
    if ((await state.scan({ limit: 1 })).length === 0) return false
    throw differs(store, 'something that did not say what it is', form)
  }
  const found = readForm(bytes)
  if (found === undefined) throw differs(store, `something unreadable (${bytes})`, form)
  if (found.name === form.name && found.version === form.version) return true
  throw differs(store, told(found), form)
}

/** Undefined: it is none. */
export function readForm(bytes: Buffer): Form | undefined {
  try {
    const { name, version } = JSON.parse(bytes.toString()) as Partial<Form>
    return typeof name === 'string' && typeof version === 'number' ? { name, version } : undefined
  } catch {
    return undefined
  }
}

const told = ({ name, version }: Form) => `${name}, form ${version}`

function differs(store: string, writer: string, form: Form) {
  const both = `it was written by ${writer}; the step is now ${told(form)}`
  const hint = 'Give the step another name, start over with --fresh, or undo the change'
  return fail('STATE_DIFFERS', `state of ${store}: ${both}. ${hint}`)
}
