/** Whether fields that somebody named are there at all: a name that nothing has is a slip of the hand. */
import { fail, suggestion } from '../core/errors.ts'

/** So many names are kept to find one that is near; messages may have any number of them. */
const mostNames = 1000

export class SeenFields {
  readonly #missing: Set<string>
  readonly #names: Set<string>
  #count = 0

  /** `names` are known to be there, as if seen; `wanted` is what is looked for. */
  constructor(wanted: Iterable<string>, names: Iterable<string> = []) {
    this.#names = new Set(names)
    this.#missing = new Set(wanted).difference(this.#names)
  }

  /** Looks at a message; one that is no object has no fields. */
  note(value: unknown): void {
    this.#count++
    if (this.#missing.size === 0 || typeof value !== 'object' || value === null) return
    for (const name of Object.keys(value)) {
      this.#missing.delete(name)
      if (this.#names.size < mostNames) this.#names.add(name)
    }
  }

  /** Throws `OPTIONS_INVALID` for a field that none had; where there was no message nothing is known. */
  check(where: string): void {
    const [name] = this.#missing
    if (name === undefined || this.#count === 0) return
    const some = [...this.#names].slice(0, 20).join(', ')
    const hint =
      suggestion(name, this.#names) || (some === '' ? 'none has fields' : `there are ${some}`)
    throw fail('OPTIONS_INVALID', `${where} has the field '${name}'; ${hint}`)
  }
}
