/**
 * The state of a one-to-one join in one partition: the first of a pair waits under its key until
 * the other comes. Changes commit with the offsets; until then they are seen through an overlay.
 * A pair is the same whichever side came first: the left value goes through JSON in any case, and
 * the right one is decoded from what its topic holds (as JSON, also where the topic has a format).
 */

import type { Codec } from '../formats/format.ts'
import type { Log, StateChange } from '../log/log.ts'
import type { Codecs } from './codecs.ts'
import { Invalid } from './decode.ts'
import type { Step } from './definition.ts'
import { decodePair, leftJson, pairEntry, rightJson } from './pair-json.ts'
import { deleted, type JoinEntry, type RowIdentity, type Rows, type ToldEntry } from './rows.ts'
import { stateStore } from './state-store.ts'
import { addFailure, type StepContext, stepRow } from './step-context.ts'

export type Side = 'left' | 'right'
export type JoinStep = Step & { readonly kind: 'join' }

/** One side of a pair, as it waits: the right value as it stands in its topic. */
interface Half {
  readonly identity: RowIdentity
  readonly json: string
}

interface Pending {
  readonly bytes: Buffer | null
  readonly commit: number
}

/** The row that `apply` looks at, and what it takes to tell of it. */
interface Here {
  readonly rows: Rows
  readonly row: number
  readonly index: number
  readonly side: Side
  readonly context: StepContext
}

export class JoinState {
  readonly #log: Log
  readonly #store: string
  readonly #partition: number
  readonly #step: JoinStep
  readonly #codec: Codec | undefined
  /** Changes that are not known to be committed yet, by key. */
  readonly #overlay = new Map<string, Pending>()
  #changes = new Map<string, Buffer | null>()
  #commit: number

  /** Its first changes go with commit number `commit`; `codec` is that of the other side's topic. */
  constructor(
    log: Log,
    store: string,
    partition: number,
    step: JoinStep,
    commit = 0,
    codec?: Codec,
  ) {
    this.#codec = codec
    this.#log = log
    this.#store = store
    this.#partition = partition
    this.#step = step
    this.#commit = commit
  }

  /** Joins rows of one side in place: pairs stay, what has to wait is absorbed. */
  async apply(rows: Rows, side: Side, index: number, context: StepContext): Promise<void> {
    const keys = this.#keys(rows, index, context)
    const known = await this.#load(keys)
    const entries: JoinEntry[] = []
    let kept = 0
    for (let row = 0; row < rows.count; row++) {
      const key = keys[row]
      if (key === undefined) continue
      const pair = this.#pair({ rows, row, index, side, context }, key, known)
      if (pair === undefined) continue
      rows.keep(row, kept)
      rows.values[kept] = pair.value
      rows.identities ??= []
      rows.identities[kept] = pair.entry.identity
      entries[kept] = pair.entry
      kept++
    }
    rows.count = kept
    rows.entries = entries
    context.counters.add(stepRow(index), 'passed', kept)
  }

  #pair(
    here: Here,
    key: string,
    known: Map<string, Buffer>,
  ): { value: unknown; entry: JoinEntry } | undefined {
    const { rows, row, side, index, context } = here
    const own = `${side}:${key}`
    const other = `${side === 'left' ? 'right' : 'left'}:${key}`
    const count = (name: 'absorbed' | 'duplicate') => context.counters.add(stepRow(index), name, 1)
    if (rows.values[row] === deleted) {
      this.#put(own, null)
      count('absorbed')
      return undefined
    }
    const json = attempt(here, () =>
      side === 'left' ? leftJson(rows, row) : rightJson(rows, row, this.#codec),
    )
    if (json === undefined) return undefined
    const half = { identity: identityOf(rows, row), json }
    const partner = this.#get(other, known)
    if (partner !== undefined) {
      const [left, right] = side === 'left' ? [half, partner] : [partner, half]
      const entry = entryOf(this.#step.name, left, right)
      // A schema may have changed since the other side came: then it waits on.
      const value = attempt(here, () => decodePair(JSON.parse(entry.json), this.#step))
      if (value === undefined) return undefined
      this.#put(other, null)
      return { value, entry }
    }
    if (this.#get(own, known)?.identity.id === half.identity.id) {
      count('duplicate')
      return undefined
    }
    this.#put(own, toBytes(half))
    count('absorbed')
    return undefined
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

  #get(key: string, known: Map<string, Buffer>): Half | undefined {
    const pending = this.#overlay.get(key)
    const bytes = pending === undefined ? known.get(key) : pending.bytes
    return bytes ? fromBytes(bytes) : undefined
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

/** What a user's value or schema throws is a failure of the row: then undefined. */
function attempt<Result>(
  { context, rows, row, index }: Here,
  work: () => Result,
): Result | undefined {
  try {
    return work()
  } catch (error) {
    addFailure(context, rows, row, index, error)
    return undefined
  }
}

function identityOf(rows: Rows, row: number): RowIdentity {
  return { id: rows.id(row), version: rows.version(row), time: rows.time(row) }
}

const valueMark = ',"value":'

const entryOf = (name: string, left: Half, right: Half): ToldEntry =>
  pairEntry(name, waitingOf(left), waitingOf(right))

const waitingOf = ({ identity, json }: Half) => {
  const { id, version, time } = identity
  return { id, version, timeMs: time, json }
}

/** An object with the value last, so that it is told apart without being parsed. */
function toBytes({ identity, json }: Half): Buffer {
  return Buffer.from(`${JSON.stringify(identity).slice(0, -1)}${valueMark}${json}}`)
}

function fromBytes(bytes: Buffer): Half {
  const text = bytes.toString()
  // Within a text, a quote has a backslash before it: the first mark is the right one.
  const at = text.indexOf(valueMark)
  const identity = JSON.parse(`${text.slice(0, at)}}`) as RowIdentity
  return { identity, json: text.slice(at + valueMark.length, -1) }
}

/** The joins of a lane, by step and partition: an exclusive lane works on all partitions. */
export class Joins {
  readonly #log: Log
  readonly #pipeline: string
  readonly #codecs: Codecs | undefined
  readonly #states = new Map<string, JoinState>()
  #taken = 0
  #committed = 0

  constructor(log: Log, pipeline: string, codecs?: Codecs) {
    this.#log = log
    this.#pipeline = pipeline
    this.#codecs = codecs
  }

  of(step: JoinStep, partition: number): JoinState {
    const name = `${step.name} ${partition}`
    let state = this.#states.get(name)
    if (state === undefined) {
      const store = stateStore(this.#pipeline, step.name)
      const codec = this.#codecs?.of(step.other.name)
      state = new JoinState(this.#log, store, partition, step, this.#taken, codec)
      this.#states.set(name, state)
    }
    return state
  }

  /** The changes of all since the last call, for the next commit; every call has its `committed`. */
  take(): StateChange[] {
    this.#taken++
    return [...this.#states.values()].flatMap((state) => state.take())
  }

  /** The next of the commits that were taken for is through. */
  committed(): void {
    this.#committed++
    for (const state of this.#states.values()) state.committed(this.#committed)
  }
}
