/**
 * What a sliding window keeps of a key: a partial aggregate for each time at which messages came. The
 * newest are in the key's own entry; of a key that has many, the older ones are put away in blocks,
 * so that a message changes a few of them and not all.
 */
import type { Aggregator, Json } from './aggregator.ts'
import type { KeyedState, StateForm } from './keyed-state.ts'
import { entryForm, type timer } from './keyed-timers.ts'
import { readCount, readFields, readList, readNumber, unreadable } from './saved.ts'
import type { SlidingWindow } from './window.ts'
import { windowFormName } from './window-form.ts'

/** Messages of one time. */
export interface Cell {
  readonly timeMs: number
  /**
   * The first window end that these messages count in: their time, or behind it where they came after
   * windows that hold them had closed.
   */
  readonly openMs: number
  count: number
  /** How many of them are in what was emitted last. */
  shown: number
  state: unknown
}

interface Block {
  readonly number: number
  firstMs: number
  lastMs: number
}

export interface SlidingHeader {
  /** Where the key's timer is: not behind the moment when its next window closes. NaN: nowhere. */
  timerMs: number
  /** Windows that end here or before are closed. */
  closedEndMs: number
  /** Ascending, before the cells of `newest`. */
  blocks: Block[]
  newest: Cell[]
}

export type SlidingEntry = SlidingHeader | Cell[] | typeof timer

const defaultBlockCells = 16

/** The cells of one key during one call of a step. */
export class KeyCells {
  readonly header: SlidingHeader
  readonly key: string
  #loaded: Map<number, Cell[]> | undefined
  #changed: Set<number> | undefined

  constructor(key: string, header: SlidingHeader | undefined) {
    this.key = key
    this.header = header ?? {
      ...{ timerMs: Number.NaN, closedEndMs: Number.NEGATIVE_INFINITY },
      ...{ blocks: [], newest: [] },
    }
  }

  get isEmpty(): boolean {
    return this.header.blocks.length === 0 && this.header.newest.length === 0
  }

  /** Adds the entries of the blocks with times between these to `entries`. */
  needs(fromMs: number, toMs: number, entries: string[]): void {
    for (const { number, firstMs, lastMs } of this.header.blocks) {
      if (lastMs >= fromMs && firstMs <= toMs) entries.push(this.#entry(number))
    }
  }

  /** Adds the entry of the block that a message of this time goes into, if it is one. */
  needsAt(timeMs: number, entries: string[]): void {
    const block = this.#blockAt(timeMs)
    if (block !== undefined) entries.push(this.#entry(block.number))
  }

  /** Its cells with times between these, which `needs` told of. */
  between(state: KeyedState<SlidingEntry>, fromMs: number, toMs: number): Cell[] {
    const found: Cell[] = []
    const add = (cells: readonly Cell[]) => {
      for (const cell of cells) if (cell.timeMs >= fromMs && cell.timeMs <= toMs) found.push(cell)
    }
    for (const { number, firstMs, lastMs } of this.header.blocks) {
      if (lastMs >= fromMs && firstMs <= toMs) add(this.#cellsOf(state, number))
    }
    add(this.header.newest)
    return found
  }

  /** The cell of messages with these times: the one that is there, or a new one without messages. */
  at(state: KeyedState<SlidingEntry>, timeMs: number, openMs: number, fresh: () => unknown): Cell {
    const block = this.#blockAt(timeMs)
    if (block === undefined) return cellAt(this.header.newest, timeMs, openMs, fresh)
    this.#change(block.number)
    block.firstMs = Math.min(block.firstMs, timeMs)
    return cellAt(this.#cellsOf(state, block.number), timeMs, openMs, fresh)
  }

  /** Says that cells between these times changed. */
  changed(fromMs: number, toMs: number): void {
    for (const { number, firstMs, lastMs } of this.header.blocks) {
      if (lastMs >= fromMs && firstMs <= toMs) this.#change(number)
    }
  }

  /** Forgets cells with times before this one; of a block only when all are. */
  forget(state: KeyedState<SlidingEntry>, beforeMs: number): void {
    const { header } = this
    const kept = header.blocks.filter(({ lastMs }) => lastMs >= beforeMs)
    for (const { number, lastMs } of header.blocks) {
      if (lastMs >= beforeMs) continue
      state.delete(this.#entry(number))
      this.#changed?.delete(number)
    }
    header.blocks = kept
    if (header.newest.length > 0 && header.newest[0]!.timeMs < beforeMs) {
      header.newest = header.newest.filter(({ timeMs }) => timeMs >= beforeMs)
    }
  }

  /** The time of the first cell that is at or behind this one, or an earlier one behind it. */
  firstFrom(state: KeyedState<SlidingEntry>, fromMs: number): number {
    for (const { number, firstMs, lastMs } of this.header.blocks) {
      if (firstMs >= fromMs) return firstMs
      if (lastMs < fromMs) continue
      return this.#cellsOf(state, number).find(({ timeMs }) => timeMs >= fromMs)!.timeMs
    }
    return this.header.newest.find(({ timeMs }) => timeMs >= fromMs)?.timeMs ?? Infinity
  }

  /**
   * Puts what was changed back into the state, all but the header. Once that has twice as many cells as
   * a block has, the older ones become one.
   */
  store(state: KeyedState<SlidingEntry>, blockCells = defaultBlockCells): void {
    const { header } = this
    while (header.newest.length > 2 * blockCells) if (!this.#putAway(blockCells)) break
    for (const number of this.#changed ?? [])
      state.set(this.#entry(number), this.#loaded!.get(number)!)
  }

  /** Makes a block of the oldest cells in the header. False: they are of one time. */
  #putAway(blockCells: number): boolean {
    const { blocks, newest } = this.header
    let count = blockCells
    while (newest[count]?.timeMs === newest[count - 1]!.timeMs) count++
    if (count >= newest.length) return false
    const cells = newest.splice(0, count)
    const number = (blocks.at(-1)?.number ?? -1) + 1
    blocks.push({ number, firstMs: cells[0]!.timeMs, lastMs: cells.at(-1)!.timeMs })
    this.#loaded ??= new Map()
    this.#loaded.set(number, cells)
    this.#change(number)
    return true
  }

  /** Undefined: it goes into the header. */
  #blockAt(timeMs: number): Block | undefined {
    const { blocks } = this.header
    const last = blocks.at(-1)
    if (last === undefined || timeMs > last.lastMs) return undefined
    return blocks.find(({ lastMs }) => lastMs >= timeMs)
  }

  #cellsOf(state: KeyedState<SlidingEntry>, number: number): Cell[] {
    this.#loaded ??= new Map()
    let cells = this.#loaded.get(number)
    if (cells === undefined) {
      cells = state.get(this.#entry(number)) as Cell[] | undefined
      if (cells === undefined) throw unreadable('sliding window', `lacks cells of '${this.key}'`)
      this.#loaded.set(number, cells)
    }
    return cells
  }

  #change(number: number): void {
    this.#changed ??= new Set()
    this.#changed.add(number)
  }

  #entry(number: number): string {
    return `b/${number}/${this.key}`
  }
}

function cellAt(cells: Cell[], timeMs: number, openMs: number, fresh: () => unknown): Cell {
  let place = cells.length
  for (; place > 0; place--) {
    const cell = cells[place - 1]!
    if (cell.timeMs === timeMs && cell.openMs === openMs) return cell
    if (cell.timeMs < timeMs || (cell.timeMs === timeMs && cell.openMs < openMs)) break
  }
  const cell = { timeMs, openMs, count: 0, shown: 0, state: fresh() }
  cells.splice(place, 0, cell)
  return cell
}

export function slidingForm(
  window: SlidingWindow,
  aggregator: Aggregator<unknown, unknown>,
): StateForm<SlidingEntry> {
  const name = windowFormName(window, aggregator)
  const saved = ({ timeMs, openMs, count, shown, state }: Cell): Json => {
    return [timeMs, openMs - timeMs, count, shown, aggregator.save(state)]
  }
  const loaded = (json: Json): Cell => {
    const [timeMs, openMs, count, shown, state, ...more] = readList(name, json)
    if (state === undefined || more.length > 0) throw unreadable(name, 'has another form')
    return {
      timeMs: readNumber(name, timeMs),
      openMs: readNumber(name, timeMs) + readCount(name, openMs),
      count: readCount(name, count),
      shown: readCount(name, shown),
      state: aggregator.load(state),
    }
  }
  const loadedBlock = (json: Json): Block => {
    const [number, firstMs, lastMs] = readList(name, json)
    return {
      number: readCount(name, number),
      firstMs: readNumber(name, firstMs),
      lastMs: readNumber(name, lastMs),
    }
  }
  return entryForm<Exclude<SlidingEntry, typeof timer>>({
    name,
    save(entry) {
      if (Array.isArray(entry)) return entry.map(saved)
      const { timerMs, closedEndMs, blocks, newest } = entry
      return {
        ...{ timerMs, closedEndMs: Number.isFinite(closedEndMs) ? closedEndMs : null },
        blocks: blocks.map(({ number, firstMs, lastMs }) => [number, firstMs, lastMs]),
        newest: newest.map(saved),
      }
    },
    load(json) {
      if (Array.isArray(json)) return readList(name, json).map(loaded)
      const { timerMs, closedEndMs, blocks, newest } = readFields(name, json)
      return {
        timerMs: readNumber(name, timerMs),
        closedEndMs:
          closedEndMs === null ? Number.NEGATIVE_INFINITY : readNumber(name, closedEndMs),
        blocks: readList(name, blocks).map(loadedBlock),
        newest: readList(name, newest).map(loaded),
      }
    },
  })
}
