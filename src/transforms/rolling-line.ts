/**
 * Cells in the order of their times, and cursors that follow windows over them: a cursor that moves on
 * costs what comes in and what falls out, and one that has to go back costs the same.
 */
import { RangeLeast } from './range-least.ts'
import { type CellKind, clearTally, emptyTally, type Needs, type Tally } from './rolling-cells.ts'

/** What is known of the cells from `from` up to `to`. */
export interface Cursor {
  readonly needs: Needs
  readonly tally: Tally
  from: number
  to: number
}

/** Cells that were dropped are cut off once they are so many, and half of all. */
const leastCut = 32

export class RollingLine<Cell> {
  /** Rising. Those before `first` are dropped. */
  readonly times: number[] = []
  readonly cells: Cell[] = []
  first = 0
  readonly #kind: CellKind<Cell>
  readonly #cursors: readonly (Cursor | null)[]
  readonly #lows: RangeLeast<Cell> | null
  readonly #highs: RangeLeast<Cell> | null

  /** `cursors`: what each of them has to know; null where there is nothing to follow. */
  constructor(
    kind: CellKind<Cell>,
    cursors: readonly (Needs | null)[],
    extremes: { readonly low: boolean; readonly high: boolean },
  ) {
    this.#kind = kind
    this.#cursors = cursors.map((needs) =>
      needs === null ? null : { needs, tally: emptyTally(needs), from: 0, to: 0 },
    )
    this.#lows = extremes.low ? new RangeLeast(this.cells, kind.low) : null
    // The least of what is turned round.
    this.#highs = extremes.high ? new RangeLeast(this.cells, (cell) => -kind.high(cell)) : null
  }

  get size(): number {
    return this.times.length - this.first
  }

  /** The place behind all cells up to and with this time. */
  after(timeMs: number): number {
    const { times } = this
    let high = times.length
    // Mostly it is the newest.
    if (high === this.first || times[high - 1]! <= timeMs) return high
    let low = this.first
    while (low < high) {
      const middle = (low + high) >>> 1
      if (times[middle]! <= timeMs) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Puts a cell behind those of the same time and before. */
  insert(timeMs: number, cell: Cell): void {
    const { times, cells } = this
    const place = this.after(timeMs)
    times.push(timeMs)
    cells.push(cell)
    if (place < times.length - 1) {
      for (let later = times.length - 1; later > place; later--) {
        times[later] = times[later - 1]!
        cells[later] = cells[later - 1]!
      }
      times[place] = timeMs
      cells[place] = cell
      for (const cursor of this.#cursors) if (cursor !== null) this.#makeRoom(cursor, place)
    }
    this.#changedFrom(place)
  }

  #makeRoom(cursor: Cursor, place: number): void {
    if (place >= cursor.to) return
    cursor.to++
    if (place < cursor.from) cursor.from++
    else this.#tell(cursor, place, 1)
  }

  /** Changes a cell in place. */
  update(place: number, change: (cell: Cell) => void): void {
    const within = this.#cursors.filter(
      (cursor) => cursor !== null && cursor.from <= place && place < cursor.to,
    ) as Cursor[]
    for (const cursor of within) this.#tell(cursor, place, -1)
    change(this.cells[place]!)
    for (const cursor of within) this.#tell(cursor, place, 1)
    this.#changedFrom(place)
  }

  /** Drops all cells up to and with this time. */
  dropUpTo(timeMs: number): void {
    const first = this.after(timeMs)
    if (first === this.first) return
    for (const cursor of this.#cursors) {
      if (cursor !== null)
        this.#move(cursor, Math.max(cursor.from, first), Math.max(cursor.to, first))
    }
    this.first = first
    if (first < leastCut || first * 2 < this.times.length) return
    this.times.splice(0, first)
    this.cells.splice(0, first)
    this.first = 0
    for (const cursor of this.#cursors) {
      if (cursor === null) continue
      cursor.from -= first
      cursor.to -= first
    }
    this.#changedFrom(0)
  }

  /** The tally of the cursor with this number over the cells from `from` up to `to`. */
  tally(number: number, from: number, to: number): Tally {
    const cursor = this.#cursors[number]!
    this.#move(cursor, from, to)
    return cursor.tally
  }

  /** Infinity of no cells. */
  min(from: number, to: number): number {
    return this.#lows!.least(from, to)
  }

  /** -Infinity of no cells. */
  max(from: number, to: number): number {
    return -this.#highs!.least(from, to)
  }

  #move(cursor: Cursor, from: number, to: number): void {
    const steps = Math.abs(from - cursor.from) + Math.abs(to - cursor.to)
    if (steps > to - from) {
      clearTally(cursor.tally)
      cursor.from = from
      cursor.to = from
    }
    while (cursor.to < to) this.#tell(cursor, cursor.to++, 1)
    while (cursor.from > from) this.#tell(cursor, --cursor.from, 1)
    while (cursor.to > to) this.#tell(cursor, --cursor.to, -1)
    while (cursor.from < from) this.#tell(cursor, cursor.from++, -1)
  }

  #tell({ tally, needs }: Cursor, place: number, sign: 1 | -1): void {
    this.#kind.tell(tally, needs, this.cells[place]!, sign)
  }

  #changedFrom(place: number): void {
    this.#lows?.changedFrom(place)
    this.#highs?.changedFrom(place)
  }
}
