/**
 * Rows are what flows through the steps of a pipeline: the decoded values of one batch, as columns.
 * Steps work in place, so that a batch costs no array a step and a message nothing at all.
 */
import type { Batch } from '../core/batch.ts'
import { type Identity, idOf, versionOf } from '../core/identity.ts'

/** The value of a message that deletes its key: it goes past the steps and is written as a delete. */
export const deleted: unique symbol = Symbol('deleted')

/** What a flatMap or a join gives a row in place of what its message has. */
export interface RowIdentity extends Identity {
  readonly time: number
}

/** A row as it left a step with state: a replay of what fails behind it goes on from there. */
export interface JoinEntry {
  /** The name of the step. */
  readonly step: string
  readonly identity: RowIdentity
  /**
   * The result, or the pair: its other side as it stands in its topic, to be decoded anew. Undefined:
   * it is more than JSON can hold, so that no replay goes on from it.
   */
  readonly json: string | undefined
}

export interface ToldEntry extends JoinEntry {
  readonly json: string
}

export class Rows {
  readonly batch: Batch
  count = 0
  values: unknown[]
  /** For each row the index of its message in the batch. */
  origins: Int32Array
  /** Rows that are not simply their message; undefined while all are. */
  identities: (RowIdentity | undefined)[] | undefined
  /**
   * Fields that were added to what the message holds, when nothing else was done to it: then its
   * bytes are written on as they are, numbers beyond 2^53 included. Undefined: it is another value.
   */
  appended: readonly string[] | undefined
  /** By message of the batch, the watermark before it; undefined: nobody asks, or none is late. */
  watermarks: Float64Array | undefined
  /** Of rows that left a step with state: as what. */
  entries: (JoinEntry | undefined)[] | undefined

  constructor(batch: Batch) {
    this.batch = batch
    this.values = new Array(batch.count)
    this.origins = new Int32Array(batch.count)
  }

  push(value: unknown, origin: number, identity?: RowIdentity, entry?: JoinEntry): void {
    if (this.count === this.origins.length) {
      const larger = new Int32Array(Math.max(16, this.count * 2))
      larger.set(this.origins)
      this.origins = larger
    }
    this.values[this.count] = value
    this.origins[this.count] = origin
    if (identity !== undefined) this.identities ??= []
    if (this.identities !== undefined) this.identities[this.count] = identity
    if (this.entries !== undefined) this.entries[this.count] = entry
    this.count++
  }

  /** Rows of the same batch that can be dropped without a change to these. */
  copy(): Rows {
    const copy = new Rows(this.batch)
    copy.count = this.count
    copy.values = this.values.slice(0, this.count)
    copy.origins = this.origins.slice()
    copy.identities = this.identities?.slice()
    copy.appended = this.appended
    copy.watermarks = this.watermarks
    copy.entries = this.entries?.slice()
    return copy
  }

  /** Moves row `from` to the place `to`, when rows between are dropped. */
  keep(from: number, to: number): void {
    if (from === to) return
    this.values[to] = this.values[from]
    this.origins[to] = this.origins[from]!
    if (this.identities !== undefined) this.identities[to] = this.identities[from]
    if (this.entries !== undefined) this.entries[to] = this.entries[from]
  }

  id(row: number): string {
    return this.identities?.[row]?.id ?? idOf(this.batch, this.origins[row]!)
  }

  version(row: number): number {
    return this.identities?.[row]?.version ?? versionOf(this.batch, this.origins[row]!)
  }

  time(row: number): number {
    return this.identities?.[row]?.time ?? this.batch.times[this.origins[row]!]!
  }
}
