/**
 * Entries of a key, and of the moment at which something of it is due: what sessions and sliding
 * windows keep. Each key has one timer at most, so that what is due is the beginning of a scan.
 */
import type { KeyedState } from './keyed-state.ts'
import { readTimeKey, timeKey, timeKeyLength } from './time-key.ts'
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

/** The timers of all keys of a step. */
export class Timers {
  /** A hint: no timer is before this one. */
  #from = timerPrefix
  #fromMs = Number.NEGATIVE_INFINITY
  #isMore = false

  /**
   * The keys whose timers are due, at most `limit`, their entries loaded. Each of these timers is moved
   * then, and `passed` called.
   */
  async due<Value>(
    state: KeyedState<Value | typeof timer>,
    watermarkMs: number,
    limit: number,
  ): Promise<readonly string[]> {
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
    const keys = found.map(([entry]) => entry.slice(timerKeyAt))
    await state.load(keys.map(keyEntry))
    return keys
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

  #begin(timeMs: number): void {
    this.#fromMs = timeMs
    this.#from = timerEntry(timeMs, '')
  }
}

const timeOf = (entry: string) => readTimeKey(entry, timerPrefix.length)
export const timerEntry = (timeMs: number, key: string) => `${timerPrefix}${timeKey(timeMs)}/${key}`

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
