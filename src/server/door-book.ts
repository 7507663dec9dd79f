/**
 * What was answered to which Idempotency-Key, kept in the state of the log in the same commit as the
 * messages. One process at a time writes in the book: whoever has the turn holds its page.
 *
 * Under `a/...` stands an answer by its key; under `n/<number>` the key of each entry in the order
 * they were made, so that the oldest are found and swept a few at a time; under `m` where both end.
 */
import { gunzipSync, gzipSync } from 'node:zlib'
import type { Clock } from '../core/clock.ts'
import type { Checkpoint, Log, Membership, StateChange } from '../log/log.ts'
import type { DoorLimits } from './door-limits.ts'

/** Also the name of the turn, and of the state. */
export const bookName = 'millrace.door'
const ends = 'm'
/** Rows of the oldest entries read at once. */
const rowsAtOnce = 64
/** An entry that is made sweeps so many that are due, so that a backlog shrinks. */
const sweptPerEntry = 2
const packedBytes = 1024

/** The right of one request to write down its answer. */
export interface Claim {
  readonly page: Page
  readonly name: string
  /** Hash of the request: another one under the same key is refused. */
  readonly print: string
  /** Number of an entry of that name that is too old to count. */
  readonly replaces: number | undefined
}

export interface Entry {
  readonly atMs: number
  readonly number: number
  readonly print: string
  readonly answer: string
}

interface Row {
  readonly number: number
  readonly atMs: number
  readonly name: string
}

/** Topics are told apart by identity: one that is deleted and made anew has answered nothing yet. */
export const nameOf = (topicIdentity: string, key: string) => `a/${topicIdentity}/${key}`

interface PageOptions {
  readonly log: Log
  readonly member: Membership
  readonly limits: DoorLimits
  readonly clock: Clock
}

export class Page {
  readonly member: Membership
  readonly #options: PageOptions
  /** Entries from `first` to before `next` may be there; some numbers in between were never used. */
  #first: number
  #next: number
  /** The oldest entries, as far as they were read. */
  #rows: readonly Row[] = []

  private constructor(options: PageOptions, first: number, next: number) {
    this.member = options.member
    this.#options = options
    this.#first = first
    this.#next = next
  }

  /** To be called by whoever has just got the turn. */
  static async open(options: PageOptions): Promise<Page> {
    const found = (await options.log.state(bookName, 0, [ends])).get(ends)
    const [first, next] = found === undefined ? [0, 0] : (JSON.parse(String(found)) as number[])
    return new Page(options, first!, next!)
  }

  /** How many entries there may be. */
  get size(): number {
    return this.#next - this.#first
  }

  /** Commits with it are refused once somebody else has the turn. */
  checkpoint(): Checkpoint {
    return { topic: bookName, partition: 0, offset: this.#next, metadata: '' }
  }

  /** The entry of that name; `isDue`: it is too old to count. */
  async find(name: string): Promise<{ entry: Entry; isDue: boolean } | undefined> {
    const found = (await this.#options.log.state(bookName, 0, [name])).get(name)
    if (found === undefined) return undefined
    const entry = decoded(found)
    return { entry, isDue: this.#isOld(entry.atMs) }
  }

  /** Reads the oldest entries where none are known. Not to be called while a draft is unsettled. */
  async refill(): Promise<void> {
    while (this.#rows.length === 0 && this.#first < this.#next) {
      const end = Math.min(this.#first + rowsAtOnce, this.#next)
      const numbers = Array.from({ length: end - this.#first }, (_, index) => this.#first + index)
      const found = await this.#options.log.state(bookName, 0, numbers.map(rowName))
      this.#rows = numbers.flatMap((number) => {
        const row = found.get(rowName(number))
        if (row === undefined) return []
        const [atMs, name] = JSON.parse(String(row)) as [number, string]
        return [{ number, atMs, name }]
      })
      this.#first = this.#rows[0]?.number ?? end
    }
  }

  /** The changes that write down these answers; `settle` once they are committed. */
  draft(
    claims: readonly Claim[],
    answers: readonly string[],
  ): { changes: StateChange[]; settle: () => void } {
    const atMs = this.#options.clock.now()
    const due = this.#due(claims.length)
    const changes = due.flatMap(({ number, name }) => [change(rowName(number)), change(name)])
    const replaced = new Set<number>()
    claims.forEach(({ name, print, replaces }, index) => {
      if (replaces !== undefined) {
        changes.push(change(rowName(replaces)))
        replaced.add(replaces)
      }
      const number = this.#next + index
      const entry = encoded({ atMs, number, print, answer: answers[index]! })
      changes.push(change(name, entry), change(rowName(number), json([atMs, name])))
    })
    const next = this.#next + claims.length
    const rows = this.#rows.slice(due.length).filter(({ number }) => !replaced.has(number))
    const first = due.length === 0 ? this.#first : due.at(-1)!.number + 1
    changes.push(change(ends, json([first, next])))
    const settle = () => {
      this.#first = first
      this.#next = next
      this.#rows = rows
    }
    return { changes, settle }
  }

  /** The oldest entries that have to go to make room, or are too old. */
  #due(newEntries: number): readonly Row[] {
    let count = 0
    while (count < newEntries * sweptPerEntry && count < this.#rows.length) {
      const { number, atMs } = this.#rows[count]!
      const size = this.#next + newEntries - number
      if (size <= this.#options.limits.keys && !this.#isOld(atMs)) break
      count++
    }
    return this.#rows.slice(0, count)
  }

  #isOld(atMs: number): boolean {
    return atMs + this.#options.limits.keyMs <= this.#options.clock.now()
  }
}

const rowName = (number: number) => `n/${number}`
const json = (value: unknown) => Buffer.from(JSON.stringify(value))

function change(key: string, value: Uint8Array | null = null): StateChange {
  return { store: bookName, partition: 0, key, value }
}

/** A byte that tells whether the rest is packed, then JSON. */
function encoded({ atMs, number, print, answer }: Entry): Buffer {
  const plain = json([atMs, number, print, answer])
  if (plain.length < packedBytes) return Buffer.concat([Buffer.from([0]), plain])
  return Buffer.concat([Buffer.from([1]), gzipSync(plain, { level: 1 })])
}

function decoded(bytes: Buffer): Entry {
  const rest = bytes.subarray(1)
  const plain = bytes[0] === 1 ? gunzipSync(rest) : rest
  const [atMs, number, print, answer] = JSON.parse(String(plain)) as [
    number,
    number,
    string,
    string,
  ]
  return { atMs, number, print, answer }
}
