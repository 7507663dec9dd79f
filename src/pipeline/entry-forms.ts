/**
 * The forms in which a store's entries were written, the oldest first: what a step whose state has
 * changed its form reads lazily. Entries of the first form stand as they are; those of a later one
 * begin with its number. So old ones stay until their key is written again, and nothing is ever
 * guessed about any of them.
 */
import { fail, messageOf } from '../core/errors.ts'
import type { StateForm } from '../transforms/keyed-state.ts'

export type Form = Pick<StateForm<unknown>, 'name' | 'version'>

/** JSON begins with none. */
const mark = '@'

/** Of what is stored under the form's own key; undefined: it is none. */
export function readForms(bytes: Buffer): readonly Form[] | undefined {
  try {
    const { before = [], ...last } = JSON.parse(bytes.toString()) as Form & { before?: Form[] }
    const forms = [...before, last].map(({ name, version }) => ({ name, version }))
    const isForm = ({ name, version }: Form) =>
      typeof name === 'string' && typeof version === 'number'
    return forms.every(isForm) ? forms : undefined
  } catch {
    return undefined
  }
}

export class EntryForms<Value> {
  /** What is stored says so; else it is to be written with the first change. */
  readonly isWritten: boolean
  readonly #form: StateForm<Value>
  readonly #store: string
  readonly #before: readonly Form[]
  readonly #older: readonly Pick<StateForm<Value>, 'decode'>[]
  readonly #prefix: Buffer

  /** `written`: empty where nothing is stored. Undefined: the step cannot read the last of them. */
  static of<Value>(
    form: StateForm<Value>,
    written: readonly Form[],
    store: string,
  ): EntryForms<Value> | undefined {
    const last = written.at(-1)
    const isWritten = last?.name === form.name && last.version === form.version
    const before = isWritten ? written.slice(0, -1) : written
    const older = before.map((one) => form.older?.(one))
    if (older.includes(undefined)) return undefined
    const readers = older as Pick<StateForm<Value>, 'decode'>[]
    return new EntryForms(form, { isWritten, before, readers }, store)
  }

  private constructor(
    form: StateForm<Value>,
    found: {
      readonly isWritten: boolean
      readonly before: readonly Form[]
      readonly readers: readonly Pick<StateForm<Value>, 'decode'>[]
    },
    store: string,
  ) {
    this.isWritten = found.isWritten
    this.#form = form
    this.#store = store
    this.#before = found.before
    this.#older = found.readers
    this.#prefix = Buffer.from(found.before.length === 0 ? '' : `${mark}${found.before.length} `)
  }

  /** What is stored under the form's own key. */
  get bytes(): Buffer {
    const { name, version } = this.#form
    const before = this.#before.length === 0 ? {} : { before: this.#before }
    return Buffer.from(JSON.stringify({ name, version, ...before }))
  }

  encode(value: Value): Uint8Array {
    const bytes = this.#form.encode(value)
    return this.#prefix.length === 0 ? bytes : Buffer.concat([this.#prefix, bytes])
  }

  /** Throws `STATE_UNREADABLE`, and `STATE_MIGRATION_FAILED` with what the user's function threw. */
  decode(key: string, bytes: Buffer): Value {
    if (this.#older.length === 0) return this.#form.decode(bytes)
    const { number, rest } = unmarked(bytes)
    const older = this.#older[number]
    if (older === undefined) return this.#form.decode(rest)
    try {
      return older.decode(rest)
    } catch (cause) {
      const { version } = this.#before[number]!
      const words = `entry ${key} of form ${version} cannot be brought into the step's own: ${messageOf(cause)}`
      const hint = 'nothing was changed; correct migrate and start again'
      throw fail('STATE_MIGRATION_FAILED', `state of ${this.#store}: ${words}; ${hint}`, { cause })
    }
  }

  /** An entry as the step writes it now. */
  current(key: string, bytes: Buffer): Buffer {
    if (this.#older.length === 0) return bytes
    const { number, rest } = unmarked(bytes)
    if (number === this.#older.length) return rest
    return Buffer.from(this.#form.encode(this.decode(key, bytes)))
  }
}

function unmarked(bytes: Buffer): { readonly number: number; readonly rest: Buffer } {
  if (bytes[0] !== mark.charCodeAt(0)) return { number: 0, rest: bytes }
  const end = bytes.indexOf(' ')
  return { number: Number(bytes.toString('latin1', 1, end)), rest: bytes.subarray(end + 1) }
}
