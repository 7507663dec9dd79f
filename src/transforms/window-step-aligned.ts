/**
 * Tumbling, hopping and calendar windows over keyed state. A window is one entry under its start and
 * its key, so that those which close first are the first of a scan.
 */
import type { Aggregator } from './aggregator.ts'
import type { KeyedState, StateForm } from './keyed-state.ts'
import { readCount, readList, unreadable } from './saved.ts'
import { readTimeKey, timeKey, timeKeyLength } from './time-key.ts'
import type { AlignedWindow } from './window.ts'
import { type WindowAssigner, type WindowTarget, windowAssigner } from './window-assign.ts'
import { accepts, jsonBytes, readJson, windowForm, windowFormName } from './window-form.ts'
import type { WindowInput, WindowOutput, WindowStep } from './window-step.ts'

export interface OpenWindow {
  /** How many messages it has taken. */
  revision: number
  /** The revision that was emitted last; 0: none. */
  emitted: number
  state: unknown
}

const behindAll = timeKey(Number.POSITIVE_INFINITY)

export class AlignedStep implements WindowStep<OpenWindow> {
  readonly form: StateForm<OpenWindow>
  readonly closesAfterMs: number
  readonly #isCurrent: boolean
  readonly #aggregator: Aggregator<unknown, unknown>
  readonly #places: Places
  readonly #bounds: Bounds
  /** A hint: no window that starts before is open, and none at that time whose entry is before `#from`. */
  #fromMs = Number.NEGATIVE_INFINITY
  #from = ''

  constructor(window: AlignedWindow, aggregator: Aggregator<unknown, unknown>) {
    this.form = windowForm(window, aggregator, (one) => alignedForm(window, one))
    this.closesAfterMs = window.latenessMs
    this.#isCurrent = window.emit === 'current'
    this.#aggregator = aggregator
    const assigner = windowAssigner(window)
    this.#bounds = new Bounds(assigner, window.kind === 'calendar' ? null : window.sizeMs)
    this.#places = new Places(assigner, window.latenessMs)
  }

  async take(
    state: KeyedState<OpenWindow>,
    input: WindowInput,
    closedMs: number,
    output: WindowOutput,
  ): Promise<void> {
    const places = this.#places
    places.find(input, closedMs, output)
    if (places.stateKeys.length === 0) return
    await state.load(places.stateKeys)
    const windows = this.#add(state, input, output)
    for (let place = 0; place < windows.length; place++) {
      const window = windows[place]
      if (window === undefined) continue
      const startMs = places.startsMs[place]!
      if (startMs <= this.#fromMs) this.#mayCloseFrom(startMs)
      if (this.#isCurrent) this.#emit(places.keys[place]!, startMs, window, output)
      state.set(places.stateKeys[place]!, window)
    }
  }

  /** The windows that changed, by place. */
  #add(
    state: KeyedState<OpenWindow>,
    input: WindowInput,
    output: WindowOutput,
  ): (OpenWindow | undefined)[] {
    const { rows, rowPlaces, stateKeys } = this.#places
    const windows = new Array<OpenWindow | undefined>(stateKeys.length).fill(undefined)
    const aggregator = this.#aggregator
    let checkedRow = -1
    let isTaken = false
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index]!
      const value = input.values[row]
      if (row !== checkedRow) {
        checkedRow = row
        isTaken = accepts(aggregator, value, row, output)
      }
      if (!isTaken) continue
      const place = rowPlaces[index]!
      const window = windows[place] ?? state.get(stateKeys[place]!) ?? this.#opened()
      try {
        window.state = aggregator.add(window.state, value, input.timesMs[row]!)
      } catch (error) {
        // A reduction calls a user's function, which no check can foresee.
        output.failed(row, error)
        isTaken = false
        continue
      }
      window.revision++
      windows[place] = window
    }
    return windows
  }

  async close(
    state: KeyedState<OpenWindow>,
    watermarkMs: number,
    limit: number,
    output: WindowOutput,
  ): Promise<boolean> {
    const openFromMs = this.#bounds.firstStart(watermarkMs - this.closesAfterMs)
    if (!(openFromMs > this.#fromMs)) return false
    await state.load([])
    const due = await state.scan(this.#from, timeKey(openFromMs), limit)
    for (const [stateKey, window] of due) {
      if (!this.#isCurrent || window.emitted !== window.revision) {
        this.#emit(keyOf(stateKey), readTimeKey(stateKey), window, output)
      }
      state.delete(stateKey)
    }
    const last = due.at(-1)
    if (last !== undefined && due.length >= limit) {
      this.#fromMs = readTimeKey(last[0])
      this.#from = last[0]
      return true
    }
    if (due.length > 0) this.#mayCloseFrom(openFromMs)
    else await this.#findFirst(state, openFromMs)
    return false
  }

  async flush(
    state: KeyedState<OpenWindow>,
    from: string,
    limit: number,
    output: WindowOutput,
  ): Promise<string | undefined> {
    await state.load([])
    const open = await state.scan(from, behindAll, limit)
    for (const [stateKey, window] of open) {
      if (window.emitted === window.revision) continue
      this.#emit(keyOf(stateKey), readTimeKey(stateKey), window, output)
      state.set(stateKey, window)
    }
    return open.length < limit ? undefined : `${open.at(-1)![0]}\0`
  }

  /** So that it is known when to look again. */
  async #findFirst(state: KeyedState<OpenWindow>, openFromMs: number): Promise<void> {
    const next = await state.scan(timeKey(openFromMs), behindAll, 1)
    this.#mayCloseFrom(next[0] === undefined ? Number.POSITIVE_INFINITY : readTimeKey(next[0][0]))
  }

  #mayCloseFrom(startMs: number): void {
    this.#fromMs = startMs
    this.#from = timeKey(startMs)
  }

  #opened(): OpenWindow {
    return { revision: 0, emitted: 0, state: this.#aggregator.start() }
  }

  #emit(key: string, startMs: number, window: OpenWindow, output: WindowOutput): void {
    const { revision } = window
    const endMs = this.#bounds.endOf(startMs)
    const value = this.#aggregator.result(window.state, endMs)
    output.result({ key, startMs, endMs, revision, value })
    window.emitted = revision
  }
}

const keyOf = (stateKey: string) => stateKey.slice(timeKeyLength + 1)

function alignedForm(
  window: AlignedWindow,
  aggregator: Aggregator<unknown, unknown>,
): StateForm<OpenWindow> {
  const name = windowFormName(window, aggregator)
  return {
    name,
    version: 1,
    encode: ({ revision, emitted, state }) =>
      jsonBytes([revision, emitted, aggregator.save(state)]),
    decode(bytes) {
      const [revision, emitted, saved, ...more] = readList(name, readJson(name, bytes))
      if (saved === undefined || more.length > 0) throw unreadable(name, 'has another form')
      return {
        revision: readCount(name, revision),
        emitted: readCount(name, emitted),
        state: aggregator.load(saved),
      }
    },
  }
}

/** Asks for the bounds of single windows. */
class Bounds implements WindowTarget {
  readonly #assigner: WindowAssigner
  /** null: not all have the same. */
  readonly #sizeMs: number | null
  #startMs = 0
  #endMs = 0

  constructor(assigner: WindowAssigner, sizeMs: number | null) {
    this.#assigner = assigner
    this.#sizeMs = sizeMs
  }

  /** The start of the earliest window that ends behind `timeMs`. */
  firstStart(timeMs: number): number {
    if (!Number.isFinite(timeMs)) return timeMs
    this.#startMs = Number.NaN
    this.#assigner.assign(timeMs, this)
    return this.#startMs
  }

  /** The end of the window that starts at `startMs`. */
  endOf(startMs: number): number {
    if (this.#sizeMs !== null) return startMs + this.#sizeMs
    this.#assigner.assign(startMs, this)
    return this.#endMs
  }

  /** The earliest comes first. */
  window(startMs: number, endMs: number): void {
    if (Number.isNaN(this.#startMs)) this.#startMs = startMs
    this.#endMs = endMs
  }
}

/** The windows of a batch of messages, each in one place, and which row goes into which of them. */
class Places implements WindowTarget {
  readonly stateKeys: string[] = []
  readonly keys: string[] = []
  readonly startsMs: number[] = []
  /** Rows that are not late, once for each of their windows, and the places of these. */
  readonly rows: number[] = []
  readonly rowPlaces: number[] = []
  readonly #assigner: WindowAssigner
  readonly #closesAfterMs: number
  /** Places by start and key. */
  readonly #byStart = new Map<number, { readonly prefix: string; places: Map<string, number> }>()
  #row = 0
  #key = ''
  #watermarkMs = 0

  constructor(assigner: WindowAssigner, closesAfterMs: number) {
    this.#assigner = assigner
    this.#closesAfterMs = closesAfterMs
  }

  find(input: WindowInput, closedMs: number, output: WindowOutput): void {
    const { stateKeys, keys, startsMs, rows, rowPlaces } = this
    for (const list of [stateKeys, keys, startsMs, rows, rowPlaces]) list.length = 0
    this.#byStart.clear()
    for (let row = 0; row < input.count; row++) {
      const before = rows.length
      this.#row = row
      this.#key = input.keys[row]!
      this.#watermarkMs = Math.max(closedMs, input.watermarksMs[row]!)
      this.#assigner.assign(input.timesMs[row]!, this)
      if (rows.length === before) output.late(row)
    }
  }

  window(startMs: number, endMs: number): void {
    if (endMs + this.#closesAfterMs <= this.#watermarkMs) return
    let started = this.#byStart.get(startMs)
    if (started === undefined) {
      started = { prefix: `${timeKey(startMs)}/`, places: new Map() }
      this.#byStart.set(startMs, started)
    }
    let place = started.places.get(this.#key)
    if (place === undefined) {
      place = this.stateKeys.length
      started.places.set(this.#key, place)
      this.stateKeys.push(started.prefix + this.#key)
      this.keys.push(this.#key)
      this.startsMs.push(startMs)
    }
    this.rows.push(this.#row)
    this.rowPlaces.push(place)
  }
}
