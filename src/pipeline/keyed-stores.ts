/** The stores of keyed state that a lane has open, whose changes go with its commits. */
import type { Log, Membership, StateChange } from '../log/log.ts'
import type { StateForm } from '../transforms/keyed-state.ts'
import type { KeyedStore } from './keyed-store.ts'
import { openStore } from './open-store.ts'

interface Opened {
  readonly store: KeyedStore<unknown>
  /** Number of the first commit that may hold changes of it. */
  readonly firstCommit: number
}

export interface KeyedStoresOptions {
  readonly log: Log
  readonly member: Membership
  readonly pipeline: string
  /** Told while state is brought here; undefined: it is. */
  readonly onProgress?: ((words: string | undefined) => void) | undefined
}

/** What a lane's steps have open, by step and partition: each is opened when it is first asked for. */
export class Openings<Open> {
  readonly #all = new Map<string, Promise<Open>>()

  /** What failed to open is opened again by whoever asks next. */
  of(step: string, partition: number, open: () => Promise<Open>): Promise<Open> {
    const name = `${step} ${partition}`
    let opening = this.#all.get(name)
    if (opening === undefined) {
      opening = open()
      this.#all.set(name, opening)
      opening.catch(() => this.#all.delete(name))
    }
    return opening
  }
}

/** Values in memory of all stores of a lane together, and how many a store may have in any case. */
const mostKept = 250_000
const mostKeptOfEach = 5_000

export class KeyedStores {
  readonly #options: KeyedStoresOptions
  readonly #opened: Opened[] = []
  #taken = 0
  #committed = 0

  constructor(options: KeyedStoresOptions) {
    this.#options = options
  }

  /** Throws `STATE_DIFFERS` where what is there was written by another step. */
  async open(
    step: string,
    partition: number,
    form: StateForm<unknown>,
  ): Promise<KeyedStore<unknown>> {
    const store: KeyedStore<unknown> = await openStore({
      ...{ ...this.#options, step, partition, form },
      mostKept: () => this.#roomFor(store),
    })
    this.#opened.push({ store, firstCommit: this.#taken })
    return store
  }

  /** Whoever asks while all together have too many gives up so many of its own. */
  #roomFor({ size }: KeyedStore<unknown>): number {
    const all = this.#opened.reduce((sum, { store }) => sum + store.size, 0)
    return Math.max(mostKeptOfEach, size + mostKept - all)
  }

  get hasChanges(): boolean {
    return this.#opened.some(({ store }) => store.hasChanges)
  }

  /** The changes since the last call, for the next commit; every call has its `committed`. */
  takeChanges(): StateChange[] {
    this.#taken++
    return this.#opened.flatMap(({ store }) => store.take())
  }

  /** The next of the commits that were taken for is through. */
  committed(): void {
    const number = this.#committed++
    for (const { store, firstCommit } of this.#opened) {
      if (number >= firstCommit) store.committed()
    }
  }

  async close(): Promise<void> {
    for (const { store } of this.#opened) await store.close()
  }
}
