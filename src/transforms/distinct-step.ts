/**
 * Lets one message of a key through, and no other whose event time is less than `withinMs` from it. A
 * message comes too late when it could be a second one of a message that is forgotten.
 */
import type { KeyedState, StateForm } from './keyed-state.ts'
import { entryForm, KeyPlaces, keyEntry, Timers, type timer } from './keyed-timers.ts'
import type { RowOutput, RowStep } from './row-step.ts'
import { readList, readNumber } from './saved.ts'
import type { WindowInput } from './window-step.ts'

interface Seen {
  /** The time of the newest message that went through. */
  timeMs: number
}

type Entry = Seen | typeof timer

export class DistinctStep implements RowStep<Entry> {
  readonly form: StateForm<Entry>
  readonly #withinMs: number
  readonly #places = new KeyPlaces()
  readonly #timers: Timers

  constructor(withinMs: number) {
    this.#withinMs = withinMs
    this.form = formOf(withinMs)
    this.#timers = new Timers(this.form.name)
  }

  async take(
    state: KeyedState<Entry>,
    input: WindowInput,
    forgottenMs: number,
    output: RowOutput,
  ): Promise<void> {
    const places = this.#places
    places.find(input)
    await state.load(places.stateKeys)
    const known = places.stateKeys.map((key) => state.get(key) as Seen | undefined)
    const before = known.map((seen) => seen?.timeMs ?? Number.NaN)
    for (let row = 0; row < input.count; row++) {
      const place = places.places[row]!
      const timeMs = input.timesMs[row]!
      const seen = known[place]
      const watermarkMs = Math.max(forgottenMs, input.watermarksMs[row]!)
      if (seen !== undefined && Math.abs(timeMs - seen.timeMs) < this.#withinMs) {
        output.duplicate(row)
      } else if (timeMs + this.#withinMs <= watermarkMs) {
        output.late(row)
      } else {
        output.passes(row, input.values[row])
        known[place] = { timeMs: Math.max(timeMs, seen?.timeMs ?? timeMs) }
      }
    }
    for (const [place, seen] of known.entries()) {
      const wasMs = before[place]!
      if (seen === undefined || seen.timeMs === wasMs) continue
      const key = places.keys[place]!
      this.#timers.move(state, key, wasMs + this.#withinMs, seen.timeMs + this.#withinMs)
      state.set(places.stateKeys[place]!, seen)
    }
  }

  async forget(state: KeyedState<Entry>, watermarkMs: number, limit: number): Promise<boolean> {
    for (const [key, seen] of await this.#timers.due(state, watermarkMs, limit)) {
      this.#timers.move(state, key, seen.timeMs + this.#withinMs, Number.NaN)
      state.delete(keyEntry(key))
    }
    return this.#timers.passed(watermarkMs)
  }
}

function formOf(withinMs: number): StateForm<Entry> {
  const name = `distinct within ${withinMs} ms`
  return entryForm<Seen>({
    name,
    save: ({ timeMs }) => [timeMs],
    load: (saved) => ({ timeMs: readNumber(name, readList(name, saved)[0]) }),
  })
}
