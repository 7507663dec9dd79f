/**
 * Rolling statistics over keyed state: what a step that adds features does with its messages. One entry
 * a key with its values, and one timer for when none of them can be counted any more.
 */
import { fail } from '../core/errors.ts'
import type { Maybe } from './aggregator.ts'
import type { KeyedState, StateForm } from './keyed-state.ts'
import { entryForm, KeyPlaces, keyEntry, Timers, type timer } from './keyed-timers.ts'
import {
  type Rolling,
  type RollingOptions,
  type RollingResults,
  type RollingState,
  type RollingValue,
  rolling,
} from './rolling.ts'
import type { RollingMeasures } from './rolling-measures.ts'
import { readList, readNumber, unreadable } from './saved.ts'
import type { WindowInput } from './window-step.ts'

export interface RollingStepOptions extends RollingOptions {
  /** Whether a message counts itself; true, where it is not said. */
  readonly including?: boolean
  /** How far behind the watermark a message may be and still be given features; 0. */
  readonly latenessMs?: number
}

/** What becomes of messages: each row is told of once. */
export interface RollingOutput<Results = unknown> {
  /** As of its time, of what came before it, and itself where it counts. It is counted from now on. */
  features(row: number, results: Results): void
  /** What its features are reckoned from may be forgotten. It is not counted. */
  late(row: number): void
  /** The measures refused its value; it is not counted. */
  failed(row: number, error: unknown): void
}

/** Serves one partition: its calls come one after the other, with the state of that partition. */
export interface RollingStep<Results = unknown, Value = unknown> {
  readonly form: StateForm<Value>
  /** `values` of the input are what the measures count. `closedMs`: the watermark of the last `close`. */
  take(
    state: KeyedState<Value>,
    input: WindowInput,
    closedMs: number,
    output: RollingOutput<Results>,
  ): Promise<void>
  /**
   * Counts messages that ask for nothing themselves. Those that no message can count any more are
   * left out.
   */
  count(
    state: KeyedState<Value>,
    input: WindowInput,
    closedMs: number,
    failed: (row: number, error: unknown) => void,
  ): Promise<void>
  /**
   * Forgets keys of which nothing can be counted any more. Looks at no more than `limit`; true: there
   * is more, so call again. Scans only where there may be one.
   */
  close(state: KeyedState<Value>, watermarkMs: number, limit: number): Promise<boolean>
}

/** Of one key. */
interface Kept {
  /** Where the key's timer is. NaN: nowhere. */
  timerMs: number
  /** Of its values, the latest time. */
  lastMs: number
  readonly state: RollingState
}

type Entry = Kept | typeof timer

/** Several measures of the same values by key. Throws `PIPELINE_INVALID`. */
export function rollingStep<const Measures extends RollingMeasures>(
  measures: Measures,
  options: RollingStepOptions = {},
): RollingStep<RollingResults<Measures>> {
  return new KeyedRolling<RollingValue<Measures>, RollingResults<Measures>>(
    rolling(measures, options),
    measures,
    options,
  ) as RollingStep<RollingResults<Measures>>
}

class KeyedRolling<Value, Results> implements RollingStep<Results, Entry> {
  readonly form: StateForm<Entry>
  readonly #rolling: Rolling<Value, Results>
  readonly #including: boolean
  readonly #latenessMs: number
  /** How far behind the horizon a value may be that is still kept. */
  readonly #longestMs: number
  readonly #places = new KeyPlaces()
  readonly #timers: Timers

  constructor(
    statistics: Rolling<Value, Results>,
    measures: RollingMeasures,
    { including = true, latenessMs = 0, resolutionMs = 0 }: RollingStepOptions,
  ) {
    if (!(Number.isFinite(latenessMs) && latenessMs >= 0)) {
      throw fail('PIPELINE_INVALID', `${statistics.name}: latenessMs is a time, or 0`)
    }
    const spans = Object.values(measures).map(({ overMs, delayMs = 0 }) => overMs + delayMs)
    this.form = rollingForm(statistics, latenessMs)
    this.#timers = new Timers(this.form.name)
    this.#rolling = statistics
    this.#including = including
    this.#latenessMs = latenessMs
    this.#longestMs = Math.max(...spans) + resolutionMs
  }

  take(
    state: KeyedState<Entry>,
    input: WindowInput,
    closedMs: number,
    output: RollingOutput<Results>,
  ): Promise<void> {
    return this.#each(state, input, closedMs, (row, kept) => {
      const watermarkMs = Math.max(closedMs, input.watermarksMs[row]!)
      const horizonMs = Math.max(watermarkMs - this.#latenessMs, kept.state.horizonMs)
      if (input.timesMs[row]! >= horizonMs) return this.#tell(kept, input, row, output)
      output.late(row)
      return false
    })
  }

  count(
    state: KeyedState<Entry>,
    input: WindowInput,
    closedMs: number,
    failed: (row: number, error: unknown) => void,
  ): Promise<void> {
    return this.#each(state, input, closedMs, (row, kept) => {
      try {
        return this.#count(kept, input.values[row] as Maybe<Value>, input.timesMs[row]!)
      } catch (error) {
        failed(row, error)
        return false
      }
    })
  }

  /** With what is kept of each row's key; it is stored where `work` gives true, that it changed. */
  async #each(
    state: KeyedState<Entry>,
    input: WindowInput,
    closedMs: number,
    work: (row: number, kept: Kept) => boolean,
  ): Promise<void> {
    const places = this.#places
    places.find(input)
    if (input.count === 0) return
    await state.load(places.stateKeys)
    const known = places.stateKeys.map((stateKey) => state.get(stateKey) as Kept | undefined)
    const changed = new Array<boolean>(known.length).fill(false)
    for (let row = 0; row < input.count; row++) {
      const place = places.places[row]!
      const kept = known[place] ?? this.#begun()
      known[place] = kept
      if (work(row, kept)) changed[place] = true
    }
    for (let place = 0; place < known.length; place++) {
      if (changed[place]) this.#keep(state, places.keys[place]!, known[place]!, closedMs)
    }
  }

  /** True where the message was counted. */
  #tell(
    kept: Kept,
    { values, timesMs }: WindowInput,
    row: number,
    output: RollingOutput<Results>,
  ): boolean {
    const { check, result } = this.#rolling
    const value = values[row] as Maybe<Value>
    const timeMs = timesMs[row]!
    try {
      check(value)
    } catch (error) {
      output.failed(row, error)
      return false
    }
    const before = this.#including ? undefined : result(kept.state, timeMs)
    const isCounted = this.#count(kept, value, timeMs)
    output.features(row, before ?? result(kept.state, timeMs))
    return isCounted
  }

  /** False: it is no value. Throws what is wrong with it, and has changed nothing then. */
  #count(kept: Kept, value: Maybe<Value>, timeMs: number): boolean {
    this.#rolling.add(kept.state, value, timeMs)
    if (value === null || value === undefined) return false
    kept.lastMs = Math.max(kept.lastMs, timeMs)
    return true
  }

  async close(state: KeyedState<Entry>, watermarkMs: number, limit: number): Promise<boolean> {
    for (const [key, kept] of await this.#timers.due(state, watermarkMs, limit)) {
      // It came too early where there were newer values.
      this.#timers.arm(state, key, kept, Number.NaN)
      this.#keep(state, key, kept, watermarkMs)
    }
    return this.#timers.passed(watermarkMs)
  }

  /** Stores what can still be counted once the watermark is there. */
  #keep(state: KeyedState<Entry>, key: string, kept: Kept, watermarkMs: number): void {
    this.#rolling.prune(kept.state, watermarkMs - this.#latenessMs)
    const isEmpty = this.#rolling.size(kept.state) === 0
    const dueMs = isEmpty ? Number.NaN : kept.lastMs + this.#longestMs + this.#latenessMs
    this.#timers.armBy(state, key, kept, dueMs)
    if (isEmpty) state.delete(keyEntry(key))
    else state.set(keyEntry(key), kept)
  }

  #begun(): Kept {
    const lastMs = Number.NEGATIVE_INFINITY
    return { timerMs: Number.NaN, lastMs, state: this.#rolling.start() }
  }
}

function rollingForm<Value, Results>(
  statistics: Rolling<Value, Results>,
  latenessMs: number,
): StateForm<Entry> {
  const name = `${statistics.name} v${statistics.version}, lateness ${latenessMs} ms`
  return entryForm<Kept>({
    name,
    save: ({ timerMs, lastMs, state }) => [timerMs, lastMs, statistics.save(state)],
    load(json) {
      const [timerMs, lastMs, saved, ...more] = readList(name, json)
      if (saved === undefined || more.length > 0) throw unreadable(name, 'has another form')
      return {
        timerMs: readNumber(name, timerMs),
        lastMs: readNumber(name, lastMs),
        state: statistics.load(saved),
      }
    },
  })
}
