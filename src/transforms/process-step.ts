/**
 * State of a user's own for each key, with a time to live. What a user's function throws changes
 * nothing: it works on a copy, which takes the place of the state only when it returned.
 */
import { fail } from '../core/errors.ts'
import type { Json } from './aggregator.ts'
import type { KeyedState, StateForm } from './keyed-state.ts'
import { entryForm, KeyPlaces, keyEntry, readTimer, Timers, type timer } from './keyed-timers.ts'
import type { RowOutput, RowStep } from './row-step.ts'
import { readList, readNumber, unreadable } from './saved.ts'
import { migrated, type Versioned } from './versioned.ts'
import type { WindowInput } from './window-step.ts'

/** Whose state it is, and when. */
export interface At {
  readonly key: string
  /** Event time of the message. */
  readonly timeMs: number
  /** Forgets the key's state when the function returns. */
  forget(): void
}

export interface ProcessStepOptions {
  /** Of the form of the state: raised by hand when that changes. */
  readonly version: number
  /** How state of an older version becomes one of this; without it such state is refused. */
  readonly migrate?: Versioned['migrate']
  start(): Json
  /** What goes on; undefined: nothing. The state may be changed. */
  message(state: Json, value: unknown, at: At): unknown
  /** So long after a key's last message by event time it is forgotten. Infinity: never. */
  readonly timeToLiveMs: number
}

interface Kept {
  /** Where the key's timer is in the state. NaN: nowhere. */
  timerMs: number
  /** The latest time of a message. */
  lastMs: number
  /** Empty: there is none yet, or it was forgotten. */
  json: string
}

type Entry = Kept | typeof timer

export class ProcessStep implements RowStep<Entry> {
  readonly form: StateForm<Entry>
  readonly #options: ProcessStepOptions
  readonly #places = new KeyPlaces()
  readonly #timers: Timers

  constructor(options: ProcessStepOptions) {
    this.#options = options
    this.form = formOf(options)
    this.#timers = new Timers(this.form.name)
  }

  async take(
    state: KeyedState<Entry>,
    input: WindowInput,
    forgottenMs: number,
    output: RowOutput,
  ): Promise<void> {
    const { timeToLiveMs } = this.#options
    const places = this.#places
    places.find(input)
    await state.load(places.stateKeys)
    for (let row = 0; row < input.count; row++) {
      const timeMs = input.timesMs[row]!
      const watermarkMs = Math.max(forgottenMs, input.watermarksMs[row]!)
      if (timeMs + timeToLiveMs < watermarkMs) {
        output.late(row)
        continue
      }
      const place = places.places[row]!
      const key = places.keys[place]!
      const kept = (state.get(places.stateKeys[place]!) as Kept | undefined) ?? this.#begun()
      try {
        const value = this.#call(kept, key, timeMs, input.values[row])
        if (value === undefined) output.filtered(row)
        else output.passes(row, value)
        kept.lastMs = Math.max(kept.lastMs, timeMs)
        this.#keep(state, key, kept)
      } catch (error) {
        output.failed(row, error)
      }
    }
  }

  async forget(state: KeyedState<Entry>, watermarkMs: number, limit: number): Promise<boolean> {
    for (const [key, kept] of await this.#timers.due(state, watermarkMs, limit)) {
      this.#timers.arm(state, key, kept, Number.NaN)
      if (kept.lastMs + this.#options.timeToLiveMs < watermarkMs) kept.json = ''
      this.#keep(state, key, kept)
    }
    return this.#timers.passed(watermarkMs)
  }

  /** What the function did to its copy counts once it has returned. */
  #call(kept: Kept, key: string, timeMs: number, value: unknown): unknown {
    const { start, message, timeToLiveMs } = this.#options
    const isNew = kept.json === '' || timeMs > kept.lastMs + timeToLiveMs
    const draft = isNew ? start() : (JSON.parse(kept.json) as Json)
    let isForgotten = false
    const forget = () => {
      isForgotten = true
    }
    const result = message(draft, value, { key, timeMs, forget })
    const json = JSON.stringify(draft) as string | undefined
    if (json === undefined) {
      throw fail('AGGREGATE_INPUT_INVALID', `process: a ${typeof draft} cannot be kept as state`)
    }
    kept.json = isForgotten ? '' : json
    return result
  }

  #keep(state: KeyedState<Entry>, key: string, kept: Kept): void {
    const isGone = kept.json === ''
    // A millisecond behind: until then a message may come that is not late.
    const deadMs = kept.lastMs + this.#options.timeToLiveMs + 1
    const dueMs = isGone || deadMs === Infinity ? Number.NaN : deadMs
    this.#timers.armBy(state, key, kept, dueMs)
    if (isGone) state.delete(keyEntry(key))
    else state.set(keyEntry(key), kept)
  }

  #begun(): Kept {
    return { timerMs: Number.NaN, lastMs: Number.NEGATIVE_INFINITY, json: '' }
  }
}

function formOf(options: ProcessStepOptions): StateForm<Entry> {
  const { version, migrate } = options
  return {
    ...versionForm(version, (json) => json),
    older(written) {
      const from = written.version
      if (written.name !== stateName || from >= version || migrate === undefined) return undefined
      return versionForm(from, (json) => {
        return JSON.stringify(migrated(migrate, JSON.parse(json) as Json, from))
      })
    },
  }
}

const stateName = 'state of its own'

/** `own` brings what was kept into the form that the function knows. */
function versionForm(version: number, own: (json: string) => string): StateForm<Entry> {
  const name = stateName
  return entryForm<Kept>({
    ...{ name, version },
    save: ({ timerMs, lastMs, json }) => [timerMs, lastMs, json],
    load(saved) {
      const [timerMs, lastMs, json] = readList(name, saved)
      if (typeof json !== 'string') throw unreadable(name, 'has another form')
      return {
        timerMs: readTimer(name, timerMs),
        lastMs: readNumber(name, lastMs),
        json: own(json),
      }
    },
  })
}
