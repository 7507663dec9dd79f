/**
 * Reads open windows back from the state of a step, for whoever looks and does not own it. It lets a
 * step of its own close them all over what it read, so that each gives what it would give now; what is
 * stored stays as it is.
 */
import { compareKeys } from '../core/key-order.ts'
import type { Aggregator } from './aggregator.ts'
import type { KeyedState, StateForm } from './keyed-state.ts'
import { behindKeys, keyEntry, keyOfEntry, timer, timerEntry } from './keyed-timers.ts'
import { readTimeKey, timeKey } from './time-key.ts'
import type { Window } from './window.ts'
import { isAligned } from './window-assign.ts'
import { type WindowResult, windowStep } from './window-step.ts'

/** Stored state of one partition. */
export interface StoredState {
  get(keys: readonly string[]): Promise<ReadonlyMap<string, Buffer>>
  /** In the order of the keys' UTF-8 bytes. */
  scan(range: {
    readonly from?: string | undefined
    readonly to?: string | undefined
    readonly limit: number
  }): Promise<readonly (readonly [key: string, value: Buffer])[]>
}

export interface WindowReader {
  readonly form: StateForm<unknown>
  /** The first keys, in order, from one on: all that have a window, and some that only had one. */
  keys(stored: StoredState, from: string, limit: number): Promise<readonly string[]>
  /** The windows of some keys: key after key, each by start. Throws `STATE_UNREADABLE`. */
  windows(stored: StoredState, keys: readonly string[]): Promise<readonly WindowResult[]>
}

export function windowReader(
  window: Window,
  aggregator: Aggregator<unknown, unknown>,
): WindowReader {
  const step = () => windowStep({ ...window, emit: 'final' }, aggregator)
  const { form } = step()
  const { find, entries } = isAligned(window) ? byTime : byKey
  return {
    form,
    keys: find,
    async windows(stored, keys) {
      const results: WindowResult[] = []
      const noRows = { late: () => undefined, failed: () => undefined, gone: () => undefined }
      const output = { ...noRows, result: (result: WindowResult) => void results.push(result) }
      for (const [index, own] of (await entries(stored, keys)).entries()) {
        const state = new ReadState(stored, form, own)
        await state.open()
        if (state.isEmpty(keys[index]!)) continue
        await step().close(state, Infinity, Infinity, output)
      }
      return results
    },
  }
}

/** How keys, and the entries of each, are found. */
interface Layout {
  find: WindowReader['keys']
  /** By key, the entries that a scan of the step gives. */
  entries(stored: StoredState, keys: readonly string[]): Promise<readonly (readonly string[])[]>
}

/** Entries are by start, then key. There are far fewer starts than windows: they are gone through. */
const byTime: Layout = {
  async find(stored, from, limit) {
    const found = new Set<string>()
    for (const start of await startsOf(stored)) {
      const range = { from: `${start}/${from}`, to: `${start}0`, limit }
      for (const [entry] of await stored.scan(range)) found.add(entry.slice(start.length + 1))
    }
    return [...found].sort(compareKeys).slice(0, limit)
  },
  async entries(stored, keys) {
    const starts = await startsOf(stored)
    return keys.map((key) => starts.map((start) => `${start}/${key}`))
  },
}

/** All is under the key; a timer says that something of it will close. */
const byKey: Layout = {
  async find(stored, from, limit) {
    const entries = await stored.scan({ from: keyEntry(from), to: behindKeys, limit })
    return entries.map(([entry]) => keyOfEntry(entry))
  },
  entries: async (_, keys) => keys.map((key) => [keyEntry(key)]),
}

/** The starts of all open windows, as they stand in keys. */
async function startsOf(stored: StoredState): Promise<string[]> {
  const starts: string[] = []
  const to = timeKey(Infinity)
  for (let from = timeKey(-Infinity); ; ) {
    const [first] = await stored.scan({ from, to, limit: 1 })
    if (first === undefined) return starts
    const startMs = readTimeKey(first[0])
    starts.push(timeKey(startMs))
    from = timeKey(startMs + 1)
  }
}

/** What a step asks for, decoded; what it changes goes nowhere. */
class ReadState implements KeyedState<unknown> {
  readonly #stored: StoredState
  readonly #form: StateForm<unknown>
  readonly #scanned: readonly string[]
  readonly #values = new Map<string, unknown>()

  /** `scanned`: the entries that a scan gives, where they have a value. */
  constructor(stored: StoredState, form: StateForm<unknown>, scanned: readonly string[]) {
    this.#stored = stored
    this.#form = form
    this.#scanned = scanned
  }

  open(): Promise<void> {
    return this.load(this.#scanned)
  }

  /** True where nothing is there; else the key is due. */
  isEmpty(key: string): boolean {
    if (this.#values.size === 0) return true
    if (this.#values.has(keyEntry(key))) this.#values.set(timerEntry(0, key), timer)
    return false
  }

  async load(keys: Iterable<string>): Promise<void> {
    const missing = [...keys].filter((key) => !this.#values.has(key))
    if (missing.length === 0) return
    for (const [key, bytes] of await this.#stored.get(missing)) {
      this.#values.set(key, this.#form.decode(bytes))
    }
  }

  get(key: string): unknown {
    return this.#values.get(key)
  }

  set(key: string, value: unknown): void {
    this.#values.set(key, value)
  }

  delete(key: string): void {
    this.#values.delete(key)
  }

  async scan(
    from: string,
    to: string,
    limit: number,
  ): Promise<readonly (readonly [string, unknown])[]> {
    return [...this.#values]
      .filter(([key]) => compareKeys(key, from) >= 0 && compareKeys(key, to) < 0)
      .sort(([one], [other]) => compareKeys(one, other))
      .slice(0, limit)
  }
}
