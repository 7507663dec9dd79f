/**
 * Whose turn it is among the inputs of a lane. Tables go first: nothing is looked up in one before it
 * was read to where it ended when the lane began, and what it has to say then is heard before the rest.
 */
import type { Log } from '../log/log.ts'
import type { LaneInput } from './lane-input.ts'

export class LaneTurns {
  readonly #log: Log
  readonly #tables: readonly LaneInput[]
  readonly #others: readonly LaneInput[]
  /** Tables that were not read so far yet, and how far that is; undefined: nobody asked. */
  #behind: readonly { readonly input: LaneInput; readonly end: number }[] | undefined
  #next = 0

  constructor(log: Log, inputs: readonly LaneInput[], tables: readonly string[]) {
    this.#log = log
    this.#tables = inputs.filter(({ topic, isReplay }) => !isReplay && tables.includes(topic))
    this.#others = inputs.filter((input) => !this.#tables.includes(input))
  }

  /** The inputs to be asked now, in this order. */
  async order(): Promise<readonly LaneInput[]> {
    if (this.#tables.length > 0 && !(await this.#areTablesRead())) return this.#tables
    const others = this.#others.length
    const first = this.#others[this.#next % others]
    if (this.#tables.length === 0 && others === 1) return this.#others
    const turn = this.#others.map((_, place) => this.#others[(this.#next + place) % others]!)
    return first === undefined ? this.#tables : [...this.#tables, ...turn]
  }

  /** It was asked: the one behind it is the next. */
  took(input: LaneInput): void {
    const place = this.#others.indexOf(input)
    if (place >= 0) this.#next = (place + 1) % this.#others.length
  }

  async #areTablesRead(): Promise<boolean> {
    this.#behind ??= await Promise.all(
      this.#tables.map(async (input) => {
        return { input, end: (await this.#log.offsets(input.topic, input.partition)).end }
      }),
    )
    if (this.#behind.length > 0) {
      this.#behind = this.#behind.filter(({ input, end }) => input.offset() < end)
    }
    return this.#behind.length === 0
  }
}
