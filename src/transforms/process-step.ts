/**
 * State of a user's own for each key, with a timer and a time to live. What a user's function throws
 * changes nothing: it works on a copy, which takes the place of the state only when it returned.
 */
import { fail } from '../core/errors.ts'
import type { Json } from './aggregator.ts'
import type { KeyedState, StateForm } from './keyed-state.ts'
import { KeyPlaces, keyEntry, Timers } from './keyed-timers.ts'
import { begun, type Entry, type Kept, processForm } from './process-form.ts'
import type { Called, RowOutput, RowStep } from './row-step.ts'
import type { Versioned } from './versioned.ts'
import type { WindowInput } from './window-step.ts'

/** Whose state it is, and when. */
export interface At {
  readonly key: string
  /** Event time: of the message, or that for which the timer was set. */
  readonly timeMs: number
  /** Forgets the key's state, and its timer, when the function returns. */
  forget(): void
  /** For when the key's timer is set. Undefined: it is not. */
  readonly timerMs: number | undefined
  /**
   * Has `timer` called once event time has come there, in the place of what was set before. A time that
   * has passed already is now; in `timer` itself it has to be a later one than that of the call.
   */
  setTimer(timeMs: number): void
  clearTimer(): void
}

export interface ProcessStepOptions {
  /** Of the form of the state: raised by hand when that changes. */
  readonly version: number
  /** How state of an older version becomes one of this; without it such state is refused. */
  readonly migrate?: Versioned['migrate']
  start(): Json
  /** What goes on; undefined: nothing. The state may be changed. */
  message(state: Json, value: unknown, at: At): unknown
  /** The same, when time has come for a key. */
  readonly timer?: ((state: Json, at: At) => unknown) | undefined
  /** So long after a key's last call by event time it is forgotten. Infinity: never. */
  readonly timeToLiveMs: number
}

/** One call of a user's function. */
interface Call {
  readonly key: string
  readonly timeMs: number
  /** What there is of the key is dead. */
  readonly isNew: boolean
  /** A timer is set for this time at the earliest; undefined: it is not set at all. */
  readonly earliestMs: number | undefined
  /** True: `earliestMs` stands in for what is before it. */
  readonly isMoved: boolean
  run(state: Json, at: At): unknown
}

export class ProcessStep implements RowStep<Entry> {
  readonly form: StateForm<Entry>
  readonly #options: ProcessStepOptions
  readonly #places = new KeyPlaces()
  readonly #timers: Timers

  constructor(options: ProcessStepOptions) {
    this.#options = options
    this.form = processForm(options)
    this.#timers = new Timers(this.form.name)
  }

  /** The state, and where there are timers for when the key's is set. */
  told(entry: Entry): unknown {
    const { json, dueMs } = entry as Kept
    if (json === '') return undefined
    const state = JSON.parse(json) as Json
    if (this.#options.timer === undefined) return state
    return { state, timer: Number.isNaN(dueMs) ? null : new Date(dueMs).toISOString() }
  }

  async take(
    state: KeyedState<Entry>,
    input: WindowInput,
    forgottenMs: number,
    output: RowOutput,
  ): Promise<void> {
    const { timeToLiveMs, message } = this.#options
    const places = this.#places
    places.find(input)
    await state.load(places.stateKeys)
    for (let row = 0; row < input.count; row++) {
      const timeMs = input.timesMs[row]!
      const watermarkMs = Math.max(forgottenMs, input.watermarksMs[row]!)
      // What has no time to be believed is late for whatever there is.
      if (watermarkMs === Infinity || timeMs + timeToLiveMs < watermarkMs) {
        output.late(row)
        continue
      }
      const place = places.places[row]!
      const key = places.keys[place]!
      const kept = (state.get(places.stateKeys[place]!) as Kept | undefined) ?? begun()
      // Before the message, as if time had come there by itself: the same wherever batches begin.
      const nowMs = Math.max(timeMs, watermarkMs)
      const wasCalled = this.#callDue(kept, key, nowMs, output.called) > 0
      try {
        const isDead = Number.isNaN(kept.dueMs) && nowMs > kept.lastMs + timeToLiveMs
        const value = this.#call(kept, {
          ...{ key, timeMs, isNew: isDead, isMoved: true },
          earliestMs: Number.isNaN(kept.calledMs)
            ? watermarkMs
            : Math.max(watermarkMs, kept.calledMs + 1),
          run: (draft, at) => message(draft, input.values[row], at),
        })
        if (value === undefined) output.filtered(row)
        else output.passes(row, value)
      } catch (error) {
        output.failed(row, error)
        if (!wasCalled) continue
      }
      this.#callDue(kept, key, watermarkMs, output.called)
      this.#keep(state, key, kept, watermarkMs)
    }
  }

  async forget(
    state: KeyedState<Entry>,
    watermarkMs: number,
    limit: number,
    called: Called = ignored,
  ): Promise<boolean> {
    let room = limit
    for (const [key, kept] of await this.#timers.due(state, watermarkMs, limit)) {
      this.#timers.arm(state, key, kept, Number.NaN)
      room -= this.#callDue(kept, key, watermarkMs, called, room)
      const isSet = !Number.isNaN(kept.dueMs)
      if (!isSet && kept.lastMs + this.#options.timeToLiveMs < watermarkMs) kept.json = ''
      this.#keep(state, key, kept, watermarkMs)
    }
    return room <= 0 || this.#timers.passed(watermarkMs)
  }

  async end(
    state: KeyedState<Entry>,
    from: string,
    limit: number,
    called: Called,
  ): Promise<string | undefined> {
    const { found, next } = await this.#timers.walk<Kept>(state, from, limit)
    for (const [key, kept] of found) {
      if (Number.isNaN(kept.dueMs)) continue
      this.#callTimer(kept, key, called, undefined)
      this.#keep(state, key, kept, -Infinity)
    }
    return next
  }

  /** Calls the timer as often as it is set for a time up to `nowMs`. How often that was. */
  #callDue(kept: Kept, key: string, nowMs: number, called: Called, most = Infinity): number {
    let count = 0
    while (kept.dueMs <= nowMs && count < most) {
      this.#callTimer(kept, key, called, kept.dueMs + 1)
      count++
    }
    return count
  }

  /** It is called once, also where it throws. */
  #callTimer(kept: Kept, key: string, called: Called, earliestMs: number | undefined): void {
    const timeMs = kept.dueMs
    const { timer } = this.#options
    const before = kept.json
    kept.dueMs = Number.NaN
    kept.calledMs = timeMs
    kept.lastMs = Math.max(kept.lastMs, timeMs)
    // The step had a function for it when it was set, and has none any more.
    if (timer === undefined) return
    try {
      const how = { isNew: false, earliestMs, isMoved: false }
      const value = this.#call(kept, { key, timeMs, ...how, run: timer })
      if (value !== undefined) called({ key, timeMs, value })
    } catch (error) {
      called({ key, timeMs, state: before === '' ? null : JSON.parse(before), error })
    }
  }

  /** What the function did to its copy counts once it has returned. */
  #call(kept: Kept, { key, timeMs, isNew, earliestMs, isMoved, run }: Call): unknown {
    const isEmpty = isNew || kept.json === ''
    const draft = isEmpty ? this.#options.start() : (JSON.parse(kept.json) as Json)
    const canSet = this.#options.timer !== undefined
    let isForgotten = false
    let { dueMs } = kept
    const at: At = {
      ...{ key, timeMs },
      get timerMs() {
        return Number.isNaN(dueMs) ? undefined : dueMs
      },
      forget() {
        isForgotten = true
      },
      setTimer(atMs) {
        checkTimer(atMs, canSet, isMoved || earliestMs === undefined ? -Infinity : earliestMs)
        if (earliestMs !== undefined) dueMs = Math.max(Math.ceil(atMs), earliestMs)
      },
      clearTimer() {
        dueMs = Number.NaN
      },
    }
    const result = run(draft, at)
    const json = JSON.stringify(draft) as string | undefined
    if (json === undefined) {
      throw fail('AGGREGATE_INPUT_INVALID', `process: a ${typeof draft} cannot be kept as state`)
    }
    kept.json = isForgotten ? '' : json
    kept.lastMs = isForgotten ? -Infinity : Math.max(kept.lastMs, timeMs)
    kept.dueMs = isForgotten ? Number.NaN : dueMs
    return result
  }

  #keep(state: KeyedState<Entry>, key: string, kept: Kept, watermarkMs: number): void {
    // No timer is set for it again from here on.
    if (kept.calledMs < watermarkMs) kept.calledMs = Number.NaN
    const isGone = kept.json === '' && Number.isNaN(kept.calledMs)
    this.#timers.armBy(state, key, kept, isGone ? Number.NaN : this.#nextMs(kept))
    if (isGone) state.delete(keyEntry(key))
    else state.set(keyEntry(key), kept)
  }

  /** When there is next something to do for a key. NaN: never. */
  #nextMs({ dueMs, lastMs, calledMs, json }: Kept): number {
    if (!Number.isNaN(dueMs)) return dueMs
    if (json === '') return calledMs + 1
    // A millisecond behind: until then a message may come that is not late.
    const deadMs = lastMs + this.#options.timeToLiveMs + 1
    return deadMs === Infinity ? Number.NaN : deadMs
  }
}

const ignored: Called = () => undefined

/** The farthest that a date can be. */
const farthestMs = 8.64e15

function checkTimer(atMs: number, canSet: boolean, earliestMs: number): void {
  if (!canSet) {
    throw fail('OPTIONS_INVALID', `setTimer: the step has no 'timer'; give process that function`)
  }
  if (!(Math.abs(atMs) <= farthestMs)) {
    throw fail('OPTIONS_INVALID', `setTimer: ${atMs} is no time; give milliseconds since 1970`)
  }
  if (atMs < earliestMs) {
    const words = `setTimer: ${atMs} is not behind ${earliestMs - 1}, for which the timer is called`
    throw fail('OPTIONS_INVALID', `${words}; it would be called for ever`)
  }
}
