/** The stores of keyed state that a lane has open, whose changes go with its commits. */
import type { Log, Membership, StateChange } from '../log/log.ts'
import type { StateForm } from '../transforms/keyed-state.ts'
import { KeyedStore } from './keyed-store.ts'

interface Opened {
  readonly store: KeyedStore<unknown>
  /** Number of the first commit that may hold changes of it. */
  readonly firstCommit: number
}

export class KeyedStores {
  readonly #log: Log
  readonly #member: Membership
  readonly #opened: Opened[] = []
  #taken = 0
  #committed = 0

  constructor(log: Log, member: Membership) {
    this.#log = log
    this.#member = member
  }

  /** Throws `STATE_DIFFERS` where what is there was written by another step. */
  async open(
    store: string,
    partition: number,
    form: StateForm<unknown>,
  ): Promise<KeyedStore<unknown>> {
    const state = await this.#log.openState(store, partition, { member: this.#member })
    try {
      const opened = await KeyedStore.open({ state, form, store, partition })
      this.#opened.push({ store: opened, firstCommit: this.#taken })
      return opened
    } catch (error) {
      await state.close()
      throw error
    }
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
