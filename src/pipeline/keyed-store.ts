/**
 * The keyed state of one step in one partition, decoded: what is asked for is brought here once and
 * kept while there is room, and what changed goes with the next commit. Only whoever owns the
 * partition changes it, so what is here is right until the lane ends; after a failed commit the lane
 * and its stores are dropped whole.
 */

import { compareKeys } from '../core/key-order.ts'
import type { OwnedState, StateChange, StateEntry } from '../log/log.ts'
import type { KeyedState, StateForm } from '../transforms/keyed-state.ts'
import type { EntryForms } from './entry-forms.ts'
import { Recency } from './recency.ts'
import { checkForm, formKey, isReserved } from './state-form.ts'

export interface KeyedStoreOptions<Value> {
  readonly state: OwnedState
  readonly form: StateForm<Value>
  /** `<pipeline>.<step>`. */
  readonly store: string
  readonly partition: number
  /** How many values stay here beside those in use or in commits under way; 100,000. */
  readonly mostKept?: (() => number) | undefined
}

interface Kept<Value> {
  readonly key: string
  /** Undefined: the key has none. */
  value: Value | undefined
  /** Number of the commit that takes its last change; -1: it never changed here. */
  commit: number
  /** False: no commit ever held a value of it, so there is nothing to delete. */
  isStored: boolean
  /** False: it was only written, as timers are, so it need not stay once that is committed. */
  isAsked: boolean
  /** Number of the `load` that asked for it last. */
  loaded: number
  before: Kept<Value> | undefined
  after: Kept<Value> | undefined
}

const defaultMostKept = 100_000

export class KeyedStore<Value> implements KeyedState<Value> {
  readonly #state: OwnedState
  readonly #forms: EntryForms<Value>
  readonly #store: string
  readonly #partition: number
  readonly #mostKept: () => number
  readonly #kept = new Map<string, Kept<Value>>()
  readonly #recency = new Recency<Kept<Value>>()
  /** What the commits under way hold, the oldest first; the last is what the next one will. */
  readonly #changes: Kept<Value>[][] = [[]]
  /** What nobody needs once its commit is through, to be forgotten when nobody is at it any more. */
  #done: Kept<Value>[] = []
  #taken = 0
  #committed = 0
  #loads = 0
  #isFormWritten: boolean

  private constructor(options: KeyedStoreOptions<Value>, forms: EntryForms<Value>) {
    this.#state = options.state
    this.#forms = forms
    this.#store = options.store
    this.#partition = options.partition
    this.#mostKept = options.mostKept ?? (() => defaultMostKept)
    this.#isFormWritten = forms.isWritten
  }

  /**
   * Looks whether what is there was written in this form, or in one that it can read. Throws
   * `STATE_DIFFERS`, and what the state throws; then the state is as it was, and not closed.
   */
  static async open<Value>(options: KeyedStoreOptions<Value>): Promise<KeyedStore<Value>> {
    return new KeyedStore(options, await checkForm(options.state, options.form, options.store))
  }

  /** Values that are here, for tests and figures. */
  get size(): number {
    return this.#kept.size
  }

  /** The next commit has something to take. */
  get hasChanges(): boolean {
    return this.#changes.at(-1)!.length > 0
  }

  async load(keys: Iterable<string>): Promise<void> {
    this.#forgetDone()
    this.#loads++
    const missing: string[] = []
    for (const key of keys) {
      const known = this.#kept.get(key)
      if (known === undefined) missing.push(key)
      else this.#use(known)
    }
    this.#makeRoom(missing.length)
    if (missing.length === 0) return
    const found = await this.#state.get(missing)
    for (const key of missing) {
      // The same key may be asked for twice.
      if (!this.#kept.has(key)) this.#bring(key, found.get(key))
    }
  }

  get(key: string): Value | undefined {
    const kept = this.#kept.get(key)
    if (kept === undefined) throw new Error(`state of ${this.#store}: ${key} is not loaded`)
    return kept.value
  }

  set(key: string, value: Value): void {
    this.#change(key, value)
  }

  delete(key: string): void {
    this.#change(key, undefined)
  }

  async scan(
    from: string,
    to: string,
    limit: number,
  ): Promise<readonly (readonly [string, Value])[]> {
    const found: Kept<Value>[] = []
    // Taken before the log is asked: while it is, a commit may end.
    const pending = this.#pending(from, to)
    let next = from
    for (let at = 0; found.length < limit; ) {
      const wanted = limit - found.length
      const committed = await this.#state.scan({ from: next, to, limit: wanted })
      const isAll = committed.length < wanted
      const last = committed.at(-1)?.[0]
      const begin = at
      // Behind the last of a cut answer there may be more before what is only here.
      while (at < pending.length && (isAll || compareKeys(pending[at]!.key, last!) <= 0)) at++
      this.#merge(committed, pending.slice(begin, at), found)
      if (isAll) break
      next = `${last}\0`
    }
    if (found.length > limit) found.length = limit
    return found.map((kept) => {
      this.#use(kept)
      return [kept.key, kept.value as Value] as const
    })
  }

  /** The changes since the last call, for the next commit; every call has its `committed`. */
  take(): StateChange[] {
    const store = this.#store
    const partition = this.#partition
    const forms = this.#forms
    const changes: StateChange[] = []
    for (const kept of this.#changes.at(-1)!) {
      const { key, value } = kept
      if (value === undefined && !kept.isStored) continue
      const bytes = value === undefined ? null : forms.encode(value)
      changes.push({ store, partition, key, value: bytes })
      kept.isStored = value !== undefined
    }
    if (!this.#isFormWritten && changes.length > 0) {
      this.#isFormWritten = true
      changes.unshift({ store, partition, key: formKey, value: forms.bytes })
    }
    this.#changes.push([])
    this.#taken++
    return changes
  }

  /** The next of the commits that were taken for is through. */
  committed(): void {
    for (const kept of this.#changes.shift()!) {
      if (kept.value === undefined || !kept.isAsked) this.#done.push(kept)
    }
    this.#committed++
  }

  /** Safe to call twice. */
  async close(): Promise<void> {
    await this.#state.close()
  }

  /** What is only here and has a value, in order. */
  #pending(from: string, to: string): Kept<Value>[] {
    const pending: Kept<Value>[] = []
    let commit = this.#committed
    for (const changes of this.#changes) {
      for (const kept of changes) {
        // What changed again is told of where it changed last.
        if (kept.value === undefined || kept.commit !== commit) continue
        if (compareKeys(kept.key, from) >= 0 && compareKeys(kept.key, to) < 0) pending.push(kept)
      }
      commit++
    }
    return pending.sort((one, other) => compareKeys(one.key, other.key))
  }

  /** Appends, in order, what is committed, as it is here now, and what is only here. */
  #merge(
    committed: readonly StateEntry[],
    own: readonly Kept<Value>[],
    found: Kept<Value>[],
  ): void {
    let next = 0
    for (const [key, bytes] of committed) {
      while (next < own.length && compareKeys(own[next]!.key, key) < 0) found.push(own[next++]!)
      if (next < own.length && own[next]!.key === key) {
        found.push(own[next++]!)
        continue
      }
      if (isReserved(key)) continue
      const kept = this.#kept.get(key) ?? this.#bring(key, bytes)
      if (kept.value !== undefined) found.push(kept)
    }
    while (next < own.length) found.push(own[next++]!)
  }

  #bring(key: string, bytes: Buffer | undefined): Kept<Value> {
    const value = bytes === undefined ? undefined : this.#forms.decode(key, bytes)
    return this.#keep(key, value, bytes !== undefined, true)
  }

  #keep(key: string, value: Value | undefined, isStored: boolean, isAsked: boolean): Kept<Value> {
    if (isReserved(key)) throw new Error(`state of ${this.#store}: ${key} is reserved`)
    const kept = {
      key,
      value,
      commit: -1,
      ...{ isStored, isAsked },
      loaded: this.#loads,
      before: undefined,
      after: undefined,
    }
    this.#kept.set(key, kept)
    this.#recency.add(kept)
    return kept
  }

  #use(kept: Kept<Value>): void {
    kept.loaded = this.#loads
    kept.isAsked = true
    this.#recency.touch(kept)
  }

  #change(key: string, value: Value | undefined): void {
    // Of what was never asked for, there may be anything.
    const kept = this.#kept.get(key) ?? this.#keep(key, undefined, true, false)
    kept.value = value
    if (kept.commit === this.#taken) return
    kept.commit = this.#taken
    this.#changes.at(-1)!.push(kept)
  }

  /** Closed windows and timers are seldom asked for again, and there are many of them. */
  #forgetDone(): void {
    if (this.#done.length === 0) return
    for (const kept of this.#done) {
      if (kept.value !== undefined && kept.isAsked) continue
      if (kept.commit >= this.#committed || this.#kept.get(kept.key) !== kept) continue
      this.#kept.delete(kept.key)
      this.#recency.remove(kept)
    }
    this.#done = []
  }

  /** What is in no commit under way can be asked for again; the rest waits for its commit. */
  #makeRoom(coming: number): void {
    let surplus = this.#kept.size + coming - this.#mostKept()
    while (surplus-- > 0) {
      const oldest = this.#recency.oldest
      if (oldest === undefined || oldest.loaded === this.#loads) return
      if (oldest.commit >= this.#committed) return
      this.#kept.delete(oldest.key)
      this.#recency.remove(oldest)
    }
  }
}
