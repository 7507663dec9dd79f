/**
 * The state of a one-to-one join in one partition: the first of a pair waits under its key until
 * the other comes. Changes commit with the offsets; until then they are seen through an overlay.
 */
import type { Log, StateChange } from '../log/log.ts'
import { Invalid } from './decode.ts'
import { deleted, type Rows } from './rows.ts'
import { addFailure, type StepContext, stepRow } from './run-steps.ts'

export type Side = 'left' | 'right'

interface Waiting {
  readonly id: string
  readonly version: number
  readonly time: number
  readonly value: unknown
}

interface Pending {
  readonly bytes: Buffer | null
  readonly commit: number
}

export class JoinState {
  readonly #log: Log
  readonly #store: string
  readonly #partition: number
  readonly #field: string
  /** Changes that are not known to be committed yet, by key. */
  readonly #overlay = new Map<string, Pending>()
  #changes = new Map<string, Buffer | null>()
  #commit = 0

  constructor(log: Log, store: string, partition: number, field: string) {
    this.#log = log
    this.#store = store
    this.#partition = partition
    this.#field = field
  }

  /** Joins rows of one side in place: pairs stay, what has to wait is absorbed. */
  async apply(rows: Rows, side: Side, index: number, context: StepContext): Promise<void> {
    const keys = this.#keys(rows, index, context)
    const known = await this.#load(keys)
    const entries: unknown[] = []
    let kept = 0
    for (let row = 0; row < rows.count; row++) {
      const key = keys[row]
      if (key === undefined) continue
      const pair = this.#pair(rows, row, key, side, known, index, context)
      if (pair === undefined) continue
      rows.keep(row, kept)
      rows.values[kept] = pair.value
      rows.identities ??= []
      rows.identities[kept] = pair
      entries[kept] = pair.value
      kept++
    }
    rows.count = kept
    rows.entries = entries
    context.counters.add(stepRow(index), 'passed', kept)
  }

  #pair(
    rows: Rows,
    row: number,
    key: string,
    side: Side,
    known: Map<string, Buffer>,
    index: number,
    context: StepContext,
  ): Waiting | undefined {
    const own = `${side}:${key}`
    const other = `${side === 'left' ? 'right' : 'left'}:${key}`
    const count = (name: 'absorbed' | 'duplicate') => context.counters.add(stepRow(index), name, 1)
    if (rows.values[row] === deleted) {
      this.#put(own, null)
      count('absorbed')
      return undefined
    }
    const here: Waiting = {
      id: rows.id(row),
      version: rows.version(row),
      time: rows.time(row),
      value: rows.values[row],
    }
    const partner = this.#get(other, known)
    if (partner !== undefined) {
      this.#put(other, null)
      return this.#join(side === 'left' ? here : partner, side === 'left' ? partner : here)
    }
    const before = this.#get(own, known)
    if (before?.id === here.id) {
      count('duplicate')
      return undefined
    }
    this.#put(own, Buffer.from(JSON.stringify(here)))
    count('absorbed')
    return undefined
  }

  #join(left: Waiting, right: Waiting): Waiting {
    return {
      id: `${left.id}+${right.id}`,
      version: left.version,
      time: Math.max(left.time, right.time),
      value: { ...(left.value as object), [this.#field]: right.value },
    }
  }

  /** The key of each row; a row without one fails. */
  #keys(rows: Rows, index: number, context: StepContext): (string | undefined)[] {
    const keys: (string | undefined)[] = []
    for (let row = 0; row < rows.count; row++) {
      const origin = rows.origins[row]!
      const start = rows.batch.keyStarts[origin]!
      if (start < 0) {
        const reason = new Invalid('the message has no key to join by; declare one with its topic')
        addFailure(context, rows, row, index, reason)
        keys.push(undefined)
      } else {
        keys.push(rows.batch.bytes.toString('latin1', start, rows.batch.keyEnds[origin]!))
      }
    }
    return keys
  }

  /**
   * The values of both sides of the keys: what the overlay has, else what is committed. Both are
   * taken now: while the log is asked, a commit may end and take its changes from the overlay.
   */
  async #load(keys: readonly (string | undefined)[]): Promise<Map<string, Buffer>> {
    const wanted = new Set<string>()
    const known = new Map<string, Buffer>()
    for (const key of keys) {
      if (key === undefined) continue
      for (const side of [`left:${key}`, `right:${key}`]) {
        const pending = this.#overlay.get(side)
        if (pending === undefined) wanted.add(side)
        else if (pending.bytes !== null) known.set(side, pending.bytes)
      }
    }
    if (wanted.size === 0) return known
    const committed = await this.#log.state(this.#store, this.#partition, [...wanted])
    for (const [key, value] of committed) known.set(key, value)
    return known
  }

  #get(key: string, known: Map<string, Buffer>): Waiting | undefined {
    const pending = this.#overlay.get(key)
    const bytes = pending === undefined ? known.get(key) : pending.bytes
    return bytes ? (JSON.parse(bytes.toString()) as Waiting) : undefined
  }

  #put(key: string, bytes: Buffer | null): void {
    this.#overlay.set(key, { bytes, commit: this.#commit })
    this.#changes.set(key, bytes)
  }

  /** The changes since the last call, for the next commit. */
  take(): StateChange[] {
    const changes = [...this.#changes].map(([key, value]) => ({
      store: this.#store,
      partition: this.#partition,
      key,
      value,
    }))
    this.#changes = new Map()
    this.#commit++
    return changes
  }

  /** The `count`th commit is through: what it held can be read from the log. */
  committed(count: number): void {
    for (const [key, pending] of this.#overlay) {
      if (pending.commit < count) this.#overlay.delete(key)
    }
  }
}
