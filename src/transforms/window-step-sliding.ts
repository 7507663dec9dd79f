/**
 * Sliding windows over keyed state: partial aggregates by key and time, put together when a window is
 * emitted, and one timer a key for the next window that closes.
 */
import type { Aggregator } from './aggregator.ts'
import type { KeyedState, StateForm } from './keyed-state.ts'
import { behindKeys, firstKey, KeyPlaces, keyEntry, keyOfEntry, Timers } from './keyed-timers.ts'
import {
  type Cell,
  KeyCells,
  type SlidingEntry,
  type SlidingHeader,
  slidingForm,
} from './sliding-cells.ts'
import { HeldWalks, SlidingWalk } from './sliding-walk.ts'
import type { SlidingWindow } from './window.ts'
import { closesAfterMs } from './window-assign.ts'
import { accepts, windowForm } from './window-form.ts'
import type { WindowInput, WindowOutput, WindowStep } from './window-step.ts'

/** Times and first ends of the messages that a key was given in a batch. */
interface Touched {
  fromMs: number
  toMs: number
  openMs: number
  closesMs: number
  /** Of these messages, once each; not needed where results are final. */
  readonly cells: Cell[]
}

export class SlidingStep implements WindowStep<SlidingEntry> {
  readonly form: StateForm<SlidingEntry>
  readonly closesAfterMs: number
  readonly #sizeMs: number
  readonly #isCurrent: boolean
  readonly #aggregator: Aggregator<unknown, unknown>
  readonly #places = new KeyPlaces()
  readonly #timers: Timers
  /** A hint: where closing went on from. */
  readonly #walks = new HeldWalks()
  readonly #fresh: () => unknown
  readonly #blockCells: number | undefined

  /** `blockCells`: see `KeyCells`. */
  constructor(
    window: SlidingWindow,
    aggregator: Aggregator<unknown, unknown>,
    blockCells?: number,
  ) {
    this.form = windowForm(window, aggregator, (one) => slidingForm(window, one))
    this.#timers = new Timers(this.form.name)
    this.closesAfterMs = closesAfterMs(window)
    this.#sizeMs = window.sizeMs
    this.#isCurrent = window.emit === 'current'
    this.#aggregator = aggregator
    this.#blockCells = blockCells
    this.#fresh = () => aggregator.start()
  }

  async take(
    state: KeyedState<SlidingEntry>,
    input: WindowInput,
    closedMs: number,
    output: WindowOutput,
  ): Promise<void> {
    const places = this.#places
    places.find(input)
    if (input.count === 0) return
    await state.load(places.stateKeys)
    const known = places.stateKeys.map((stateKey, place) => {
      return new KeyCells(places.keys[place]!, state.get(stateKey) as SlidingHeader | undefined)
    })
    const blocks = this.#blocksOf(known, input)
    if (blocks.length > 0) await state.load(blocks)
    const touched = new Array<Touched | undefined>(known.length).fill(undefined)
    for (let row = 0; row < input.count; row++) {
      const place = places.places[row]!
      const watermarkMs = Math.max(closedMs, input.watermarksMs[row]!)
      touched[place] = this.#add(
        state,
        known[place]!,
        touched[place],
        input,
        row,
        watermarkMs,
        output,
      )
    }
    for (let place = 0; place < known.length; place++) {
      const cells = known[place]!
      const own = touched[place]
      if (own === undefined) continue
      if (this.#isCurrent) this.#show(state, cells, own, output)
      this.#timers.armBy(state, cells.key, cells.header, own.closesMs)
      cells.store(state, this.#blockCells)
      state.set(places.stateKeys[place]!, cells.header)
    }
  }

  /** The blocks that messages go into, or that windows need which they change. */
  #blocksOf(known: readonly KeyCells[], { count, timesMs }: WindowInput): string[] {
    const blocks: string[] = []
    const fromMs = new Float64Array(known.length).fill(Infinity)
    const toMs = new Float64Array(known.length).fill(-Infinity)
    for (let row = 0; row < count; row++) {
      const place = this.#places.places[row]!
      const timeMs = timesMs[row]!
      fromMs[place] = Math.min(fromMs[place]!, timeMs)
      toMs[place] = Math.max(toMs[place]!, timeMs)
      known[place]!.needsAt(timeMs, blocks)
    }
    if (this.#isCurrent) {
      // As `#show` asks for them: also what lies between two messages that are far apart.
      const reachMs = this.#sizeMs + 1
      for (const [place, cells] of known.entries()) {
        cells.needs(fromMs[place]! - reachMs, toMs[place]! + reachMs, blocks)
      }
    }
    return [...new Set(blocks)]
  }

  /** Takes a message in, or tells why not. */
  #add(
    state: KeyedState<SlidingEntry>,
    cells: KeyCells,
    touched: Touched | undefined,
    input: WindowInput,
    row: number,
    watermarkMs: number,
    output: WindowOutput,
  ): Touched | undefined {
    const timeMs = input.timesMs[row]!
    const closedEndMs = Math.max(watermarkMs - this.closesAfterMs, cells.header.closedEndMs)
    const openMs = Math.max(timeMs, closedEndMs + 1)
    if (timeMs + this.#sizeMs < openMs) {
      output.late(row)
      return touched
    }
    const value = input.values[row]
    if (!accepts(this.#aggregator, value, row, output)) return touched
    const cell = cells.at(state, timeMs, openMs, this.#fresh)
    cell.state = this.#aggregator.add(cell.state, value, timeMs)
    cell.count++
    this.#walks.changed(cells.key, timeMs)
    const own = touched ?? { fromMs: timeMs, toMs: timeMs, openMs, closesMs: Infinity, cells: [] }
    if (this.#isCurrent) own.cells.push(cell)
    own.fromMs = Math.min(own.fromMs, timeMs)
    own.toMs = Math.max(own.toMs, timeMs)
    own.openMs = Math.min(own.openMs, openMs)
    // The first window that is there because of it; where it came too late for the one that ends
    // with it, that is the one behind it.
    const endMs = openMs === timeMs ? timeMs : timeMs + 1 + this.#sizeMs
    own.closesMs = Math.min(own.closesMs, endMs + this.closesAfterMs)
    return own
  }

  /** Emits all windows that changed. */
  #show(
    state: KeyedState<SlidingEntry>,
    cells: KeyCells,
    { fromMs, toMs, openMs, cells: changed }: Touched,
    output: WindowOutput,
  ): void {
    const reachMs = this.#sizeMs + 1
    const near = cells.between(state, fromMs - reachMs, toMs + reachMs)
    const walk = this.#walk(openMs - 1)
    walk.extend(near, toMs + reachMs)
    while (walk.next(toMs + reachMs)) if (!walk.isShown) this.#emit(cells.key, walk, output)
    for (const cell of changed) cell.shown = cell.count
  }

  async close(
    state: KeyedState<SlidingEntry>,
    watermarkMs: number,
    limit: number,
    output: WindowOutput,
  ): Promise<boolean> {
    const due = await this.#timers.due(state, watermarkMs, limit)
    const lastEndMs = watermarkMs - this.closesAfterMs
    const blocks: string[] = []
    const known = due.map(([key, entry]) => {
      const header = entry as SlidingHeader
      const cells = new KeyCells(key, header)
      const walk = this.#walks.get(key) ?? this.#walk(header.closedEndMs)
      cells.needs(walk.knownMs + 1, lastEndMs, blocks)
      return { cells, walk }
    })
    if (blocks.length > 0) await state.load(blocks)
    let left = limit
    for (const { cells, walk } of known) {
      left = this.#closeKey(state, cells, walk, lastEndMs, left, output)
      // Of this key and the keys behind it there may be more.
      if (left === 0) return true
    }
    return this.#timers.passed(watermarkMs)
  }

  /** Gives how many windows may be given yet. */
  #closeKey(
    state: KeyedState<SlidingEntry>,
    cells: KeyCells,
    walk: SlidingWalk,
    lastEndMs: number,
    limit: number,
    output: WindowOutput,
  ): number {
    const { header, key } = cells
    const near = cells.between(state, walk.knownMs + 1, lastEndMs)
    walk.extend(near, lastEndMs)
    const isShown = this.#isCurrent && near.every(({ count, shown }) => count === shown)
    if (isShown) walk.skip(lastEndMs)
    let left = limit
    while (!isShown && left > 0 && walk.next(lastEndMs)) {
      if (this.#isCurrent && walk.isShown) continue
      this.#emit(key, walk, output)
      left--
    }
    header.closedEndMs = left > 0 ? lastEndMs : walk.endMs
    cells.forget(state, header.closedEndMs - this.#sizeMs)
    if (cells.isEmpty) {
      this.#timers.arm(state, cells.key, cells.header, Number.NaN)
      state.delete(keyEntry(key))
      this.#walks.delete(key)
      return left
    }
    // Not behind the moment when the next window closes, or cells can be forgotten.
    const nextEndMs = Math.min(walk.nextEndMs, cells.firstFrom(state, lastEndMs + 1))
    this.#timers.arm(state, cells.key, cells.header, nextEndMs + this.closesAfterMs)
    state.set(keyEntry(key), header)
    if (!this.#isCurrent) this.#walks.hold(key, walk)
    return left
  }

  #walk(afterMs: number): SlidingWalk {
    return new SlidingWalk(this.#sizeMs, this.#aggregator, afterMs)
  }

  async flush(
    state: KeyedState<SlidingEntry>,
    from: string,
    limit: number,
    output: WindowOutput,
  ): Promise<string | undefined> {
    await state.load([])
    const found = await state.scan(from === '' ? firstKey : from, behindKeys, limit)
    for (const [stateKey, entry] of found as readonly (readonly [string, SlidingHeader])[]) {
      const cells = new KeyCells(keyOfEntry(stateKey), entry)
      const blocks: string[] = []
      cells.needs(-Infinity, Infinity, blocks)
      await state.load(blocks)
      if (this.#flushKey(state, cells, output)) state.set(stateKey, entry)
    }
    return found.length < limit ? undefined : `${found.at(-1)![0]}\0`
  }

  /** False: there was nothing to emit. */
  #flushKey(state: KeyedState<SlidingEntry>, cells: KeyCells, output: WindowOutput): boolean {
    const all = cells.between(state, -Infinity, Infinity)
    if (all.every(({ count, shown }) => count === shown)) return false
    const { closedEndMs } = cells.header
    const walk = this.#walk(closedEndMs)
    walk.extend(all, Infinity)
    while (walk.next(Infinity)) if (!walk.isShown) this.#emit(cells.key, walk, output)
    for (const cell of all) cell.shown = cell.count
    cells.changed(-Infinity, Infinity)
    cells.store(state, this.#blockCells)
    return true
  }

  #emit(key: string, walk: SlidingWalk, output: WindowOutput): void {
    const { endMs, revision } = walk
    const value = this.#aggregator.result(walk.aggregate(), endMs)
    output.result({ key, startMs: endMs - this.#sizeMs, endMs, revision, value })
  }
}
