/**
 * A topic as a table: the newest value of each key, or the one that held at a message's time. Deletes
 * are values too, as long as somebody may ask for the time before them.
 */
import type { Json } from './aggregator.ts'
import type { KeyedState, StateForm } from './keyed-state.ts'
import { entryForm, KeyPlaces, keyEntry, readTimer, Timers, type timer } from './keyed-timers.ts'
import type { RowOutput, RowStep, TableInput } from './row-step.ts'
import { readList, readNumber } from './saved.ts'
import type { WindowInput } from './window-step.ts'

export interface TableStepOptions {
  /** The field of messages that takes the table's value, null where there is none. */
  readonly field: string
  /**
   * Messages get what held at their time, when they are at most so far behind the watermark; older
   * ones are late. Undefined: they get what is newest.
   */
  readonly asOfMs: number | undefined
  /** Of a value as it is kept. Throws what is wrong with it. */
  decode(value: Json): unknown
}

interface Version {
  readonly timeMs: number
  /** Null: the key was deleted. */
  readonly value: Json
  /** Decoded when it is first asked for. */
  decoded: { readonly value: unknown } | undefined
}

/** By time, the newest last; one alone, where only the newest is asked for. */
interface Versions {
  /** Where the key's timer is. NaN: nowhere. */
  timerMs: number
  readonly versions: Version[]
}

type Entry = Versions | typeof timer

export class TableStep implements RowStep<Entry> {
  readonly form: StateForm<Entry>
  readonly #options: TableStepOptions
  readonly #places = new KeyPlaces()
  readonly #timers: Timers

  constructor(options: TableStepOptions) {
    this.#options = options
    this.form = formOf(options.asOfMs)
    this.#timers = new Timers(this.form.name)
  }

  async take(
    state: KeyedState<Entry>,
    input: WindowInput,
    forgottenMs: number,
    output: RowOutput,
  ): Promise<void> {
    const { field, asOfMs } = this.#options
    const places = this.#places
    places.find(input)
    await state.load(places.stateKeys)
    for (let row = 0; row < input.count; row++) {
      const watermarkMs = Math.max(forgottenMs, input.watermarksMs[row]!)
      if (asOfMs !== undefined && input.timesMs[row]! < watermarkMs - asOfMs) {
        output.late(row)
        continue
      }
      const entry = state.get(places.stateKeys[places.places[row]!]!) as Versions | undefined
      try {
        const found = this.#find(entry, input.timesMs[row]!)
        output.passes(row, { ...(input.values[row] as object), [field]: found })
      } catch (error) {
        output.failed(row, error)
      }
    }
  }

  /** Takes changes of the table in. */
  async takeTable(state: KeyedState<Entry>, input: TableInput, forgottenMs: number): Promise<void> {
    const places = this.#places
    places.find(input)
    await state.load(places.stateKeys)
    for (let row = 0; row < input.count; row++) {
      const place = places.places[row]!
      const key = places.keys[place]!
      const stateKey = places.stateKeys[place]!
      const entry = (state.get(stateKey) as Versions | undefined) ?? {
        ...{ timerMs: Number.NaN, versions: [] },
      }
      this.#add(entry, input.timesMs[row]!, input.values[row]!)
      this.#keep(state, key, entry, forgottenMs)
    }
  }

  async forget(state: KeyedState<Entry>, watermarkMs: number, limit: number): Promise<boolean> {
    for (const [key, entry] of await this.#timers.due(state, watermarkMs, limit)) {
      this.#timers.arm(state, key, entry, Number.NaN)
      this.#keep(state, key, entry, watermarkMs)
    }
    return this.#timers.passed(watermarkMs)
  }

  #find(entry: Versions | undefined, timeMs: number): unknown {
    const { asOfMs, decode } = this.#options
    if (entry === undefined) return null
    const { versions } = entry
    let place = versions.length - 1
    if (asOfMs !== undefined) while (place >= 0 && versions[place]!.timeMs > timeMs) place--
    const version = versions[place]
    if (version === undefined || version.value === null) return null
    version.decoded ??= { value: decode(version.value) }
    return version.decoded.value
  }

  /** Of two changes of one time the later one counts; of an older one only who asks as of then knows. */
  #add({ versions }: Versions, timeMs: number, value: Json): void {
    const version = { timeMs, value, decoded: undefined }
    if (this.#options.asOfMs === undefined) {
      versions[0] = version
      return
    }
    let place = versions.length
    while (place > 0 && versions[place - 1]!.timeMs > timeMs) place--
    const isSame = place > 0 && versions[place - 1]!.timeMs === timeMs
    versions.splice(isSame ? place - 1 : place, isSame ? 1 : 0, version)
  }

  /** Stores what somebody may still ask for. */
  #keep(state: KeyedState<Entry>, key: string, entry: Versions, watermarkMs: number): void {
    const { asOfMs } = this.#options
    const { versions } = entry
    const horizonMs = asOfMs === undefined ? Number.POSITIVE_INFINITY : watermarkMs - asOfMs
    let needed = versions.length - 1
    while (needed > 0 && versions[needed]!.timeMs > horizonMs) needed--
    versions.splice(0, needed)
    const last = versions.at(-1)!
    const isGone = last.value === null && last.timeMs <= horizonMs
    // Nobody asks for a delete once all before it are forgotten.
    const dueMs = last.value === null && !isGone ? last.timeMs + asOfMs! : Number.NaN
    this.#timers.arm(state, key, entry, dueMs)
    if (isGone) state.delete(keyEntry(key))
    else state.set(keyEntry(key), entry)
  }
}

function formOf(asOfMs: number | undefined): StateForm<Entry> {
  const name =
    asOfMs === undefined ? 'table of newest values' : `table as of up to ${asOfMs} ms ago`
  return entryForm<Versions>({
    name,
    save: ({ timerMs, versions }) => [
      timerMs,
      versions.map(({ timeMs, value }) => [timeMs, value]),
    ],
    load(saved) {
      const [timerMs, versions] = readList(name, saved)
      return {
        timerMs: readTimer(name, timerMs),
        versions: readList(name, versions).map((one) => {
          const [timeMs, value = null] = readList(name, one)
          return { timeMs: readNumber(name, timeMs), value, decoded: undefined }
        }),
      }
    },
  })
}
