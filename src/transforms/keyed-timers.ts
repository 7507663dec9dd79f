/**
 * Entries of a key, and of the moment at which something of it is due: what steps keep that wait for
 * event time by key. Each key has one timer at most, so that what is due is the beginning of a scan.
 */
import type { Json } from './aggregator.ts'
import type { KeyedState, StateForm } from './keyed-state.ts'
import { readNumber, unreadable } from './saved.ts'
import { readTimeKey, timeKey, timeKeyLength } from './time-key.ts'
import { jsonBytes, readJson } from './window-form.ts'
import type { WindowInput } from './window-step.ts'

/** What is kept under a timer: that it is there. */
export const timer = 1

const keyPrefix = 'k/'
const timerPrefix = 't/'
const behindTimers = 't0'
const timerKeyAt = timerPrefix.length + timeKeyLength + 1

/** Bounds of a scan over the entries of all keys. */
export const firstKey = keyPrefix
export const behindKeys = 'k0'

export const keyEntry = (key: string): string => keyPrefix + key
export const keyOfEntry = (entry: string): string => entry.slice(keyPrefix.length)

/** What an entry knows of its timer. */
interface Timed {
  /** Where it is in the state. NaN: nowhere. */
  timerMs: number
}

/** The timers of all keys of a step. */
export class Timers {
  readonly #name: string
  /** A hint: no timer is before this one. */
  #from = timerPrefix
  #fromMs = Number.NEGATIVE_INFINITY
  #isMore = false

  /** `name` is that of the step's form. */
  constructor(name: string) {
    this.#name = name
  }

  /**
   * The keys whose timers are due with their entries, at most `limit`. Each of these timers is moved
   * then, and `passed` called. Throws `STATE_UNREADABLE` for a timer of a key that has no entry.
   */
  async due<Entry>(
    state: KeyedState<Entry | typeof timer>,
    watermarkMs: number,
    limit: number,
  ): Promise<readonly (readonly [string, Entry])[]> {
    this.#isMore = false
    if (watermarkMs < this.#fromMs) return []
    await state.load([])
    const found = await state.scan(this.#from, timerEntry(watermarkMs + 1, ''), limit)
    if (found.length === 0) {
      const next = await state.scan(timerEntry(watermarkMs + 1, ''), behindTimers, 1)
      this.#begin(next[0] === undefined ? Number.POSITIVE_INFINITY : timeOf(next[0][0]))
      return []
    }
    this.#isMore = found.length >= limit
    this.#begin(timeOf(found[0]![0]))
    return this.#entriesOf(state, found)
  }

  /**
   * The keys that have a timer, whenever it is due, with their entries: at most `limit`, from a place on
   * ('': the first). `next`: where to go on; undefined: that was all.
   */
  async walk<Entry>(
    state: KeyedState<Entry | typeof timer>,
    from: string,
    limit: number,
  ): Promise<{
    readonly found: readonly (readonly [string, Entry])[]
    readonly next: string | undefined
  }> {
    await state.load([])
    const found = await state.scan(from === '' ? timerPrefix : from, behindTimers, limit)
    const entries = await this.#entriesOf(state, found)
    const last = found.length < limit ? undefined : found.at(-1)![0]
    // Nothing lies between a text and the same with a zero behind it.
    return { found: entries, next: last === undefined ? undefined : `${last}\0` }
  }

  async #entriesOf<Entry>(
    state: KeyedState<Entry | typeof timer>,
    found: readonly (readonly [string, unknown])[],
  ): Promise<readonly (readonly [string, Entry])[]> {
    const keys = found.map(([entry]) => entry.slice(timerKeyAt))
    await state.load(keys.map(keyEntry))
    return keys.map((key) => {
      const entry = state.get(keyEntry(key))
      if (entry === undefined) throw unreadable(this.#name, `has a timer of '${key}' alone`)
      return [key, entry as Entry] as const
    })
  }

  /** All that `due` gave was seen to. True: there may be more. */
  passed(watermarkMs: number): boolean {
    if (!this.#isMore && watermarkMs >= this.#fromMs) this.#begin(watermarkMs + 1)
    return this.#isMore
  }

  /** Moves the timer of a key from `atMs` to `toMs`. NaN: nowhere. */
  move<Value>(
    state: KeyedState<Value | typeof timer>,
    key: string,
    atMs: number,
    toMs: number,
  ): void {
    if (atMs === toMs) return
    if (!Number.isNaN(atMs)) state.delete(timerEntry(atMs, key))
    if (Number.isNaN(toMs)) return
    state.set(timerEntry(toMs, key), timer)
    if (toMs < this.#fromMs) this.#begin(toMs)
  }

  /** Moves the timer of an entry, which is still to be set. NaN: nowhere. */
  arm<Value>(
    state: KeyedState<Value | typeof timer>,
    key: string,
    entry: Timed,
    toMs: number,
  ): void {
    this.move(state, key, entry.timerMs, toMs)
    entry.timerMs = toMs
  }

  /** The same, but a timer that comes sooner stays: it is put where it belongs when it comes. */
  armBy<Value>(
    state: KeyedState<Value | typeof timer>,
    key: string,
    entry: Timed,
    byMs: number,
  ): void {
    if (!(entry.timerMs <= byMs)) this.arm(state, key, entry, byMs)
  }

  #begin(timeMs: number): void {
    this.#fromMs = timeMs
    this.#from = timerEntry(timeMs, '')
  }
}

const timeOf = (entry: string) => readTimeKey(entry, timerPrefix.length)
export const timerEntry = (timeMs: number, key: string) => `${timerPrefix}${timeKey(timeMs)}/${key}`

/** How entries of keys are written, beside timers; `save` and `load` know nothing of these. */
export function entryForm<Entry>({
  name,
  version = 1,
  save,
  load,
}: {
  readonly name: string
  readonly version?: number
  save(entry: Entry): Json
  /** Throws `STATE_UNREADABLE`. */
  load(saved: Json): Entry
}): StateForm<Entry | typeof timer> {
  return {
    ...{ name, version },
    encode: (entry) => jsonBytes(entry === timer ? timer : save(entry as Entry)),
    decode(bytes) {
      const saved = readJson(name, bytes)
      return saved === timer ? timer : load(saved)
    },
  }
}

/** Where a timer is, as it was saved: NaN is null in JSON. */
export const readTimer = (name: string, saved: Json | undefined): number =>
  saved === null ? Number.NaN : readNumber(name, saved)

/** The keys of a batch, each in one place, and the place of each row. */
export class KeyPlaces {
  readonly keys: string[] = []
  readonly stateKeys: string[] = []
  /** By row. */
  readonly places: number[] = []
  readonly #byKey = new Map<string, number>()

  find({ count, keys }: Pick<WindowInput, 'count' | 'keys'>): void {
    this.keys.length = 0
    this.stateKeys.length = 0
    this.places.length = 0
    this.#byKey.clear()
    for (let row = 0; row < count; row++) {
      const key = keys[row]!
      let place = this.#byKey.get(key)
      if (place === undefined) {
        place = this.keys.length
        this.#byKey.set(key, place)
        this.keys.push(key)
        this.stateKeys.push(keyEntry(key))
      }
      this.places.push(place)
    }
  }
}
