/**
 * A walk over sliding windows in the order of their ends, which puts partial aggregates together:
 * each is merged a few times and not once for every window that it is in. Two stacks that make a
 * queue (Tangwongsan, Hirzel and Schneider, "In-Order Sliding-Window Aggregation in Worst-Case
 * Constant Time", 2017, tell its history): those that leave first have the aggregates of themselves
 * and all behind them worked out, those behind are one aggregate that grows.
 */
import type { Aggregator } from './aggregator.ts'
import type { Cell } from './sliding-cells.ts'

/** Cells that were left behind are cut off once they are so many, and half of all. */
const leastCut = 8

export class SlidingWalk {
  /** Of the window that the walk is at. */
  endMs = Number.NaN
  /** How many messages it has. */
  revision = 0
  /** Cells up to this time are known. */
  knownMs: number
  readonly #cells: Cell[] = []
  readonly #sizeMs: number
  readonly #aggregator: Aggregator<unknown, unknown>
  /** How grouping tells on the result, it is always from the first to the last. */
  readonly #isPlain: boolean
  readonly #afterMs: number
  readonly #isIn: boolean[] = []
  /** By index, from `#first` to `#middle`: the aggregate from there up to the middle. */
  readonly #toMiddle: unknown[] = []
  #fromMiddle: unknown
  #first = 0
  #middle = 0
  #behind = 0
  /** Cells between `#first` and `#behind` whose messages count only in later windows. */
  #waiting: number[] = []
  /** Cells in the window with messages that were not emitted. */
  #unshown = 0
  /** The next cells that end a window, and behind which one begins. */
  #ending = 0
  #beginning = 0

  /** Over the windows with an end behind `afterMs`. */
  constructor(sizeMs: number, aggregator: Aggregator<unknown, unknown>, afterMs: number) {
    this.#sizeMs = sizeMs
    this.#aggregator = aggregator
    this.#isPlain = aggregator.order === 'nearly'
    this.#afterMs = afterMs
    this.knownMs = afterMs - sizeMs - 1
  }

  /** How many cells are held. */
  get size(): number {
    return this.#cells.length
  }

  /** Adds all cells with times behind `knownMs` up to `toMs`: those from before must not have changed. */
  extend(cells: readonly Cell[], toMs: number): void {
    this.#cutOff()
    const isFirst = this.#cells.length === 0
    for (const cell of cells) {
      this.#cells.push(cell)
      this.#isIn.push(false)
    }
    this.knownMs = toMs
    if (isFirst)
      this.skip(Math.max(this.#afterMs, Number.isNaN(this.endMs) ? -Infinity : this.endMs))
  }

  /** Leaves out the windows that end at `endMs` or before. Not to be used behind `next`. */
  skip(endMs: number): void {
    this.#ending = this.#firstBehind(endMs)
    this.#beginning = this.#firstBehind(endMs - this.#sizeMs - 1)
  }

  /** Of the known cells: no window that was not walked over ends before this. */
  get nextEndMs(): number {
    const cells = this.#cells
    while (this.#ending < cells.length && !endsOne(cells[this.#ending]!)) this.#ending++
    const beginning = cells[this.#beginning]
    return Math.min(
      cells[this.#ending]?.timeMs ?? Number.POSITIVE_INFINITY,
      beginning === undefined ? Number.POSITIVE_INFINITY : beginning.timeMs + 1 + this.#sizeMs,
    )
  }

  /** Goes on to the next window that ends at `lastMs` or before and is not empty. False: there is none. */
  next(lastMs: number): boolean {
    const cells = this.#cells
    for (;;) {
      const endMs = this.nextEndMs
      if (endMs > lastMs || endMs === Number.POSITIVE_INFINITY) return false
      this.#moveTo(endMs)
      while (cells[this.#ending]?.timeMs === endMs) this.#ending++
      while (cells[this.#beginning]?.timeMs === endMs - this.#sizeMs - 1) this.#beginning++
      if (this.revision > 0) return true
    }
  }

  /** True where this revision of the window was emitted. */
  get isShown(): boolean {
    if (this.#unshown > 0) return false
    // Else it was not there when these cells were emitted.
    const wasEnd = this.#wasShownAt(this.#behind - 1, this.endMs)
    return wasEnd || this.#wasShownAt(this.#first - 1, this.endMs - this.#sizeMs - 1)
  }

  /** The aggregate of the window that the walk is at. Not to be changed. */
  aggregate(): unknown {
    const { merge } = this.#aggregator
    if (this.#isPlain) return this.#plainly()
    const front = this.#first < this.#middle ? this.#toMiddle[this.#first] : undefined
    if (front === undefined) return this.#fromMiddle
    if (this.#fromMiddle === undefined) return front
    return merge(this.#copy(front), this.#copy(this.#fromMiddle))
  }

  #plainly(): unknown {
    let together: unknown
    for (let index = this.#first; index < this.#behind; index++) {
      if (!this.#isIn[index]) continue
      const copy = this.#copy(this.#cells[index]!.state)
      together = together === undefined ? copy : this.#aggregator.merge(together, copy)
    }
    return together
  }

  #moveTo(endMs: number): void {
    this.endMs = endMs
    this.#leaveBefore(endMs - this.#sizeMs)
    const cells = this.#cells
    for (; this.#behind < cells.length && cells[this.#behind]!.timeMs <= endMs; this.#behind++) {
      if (cells[this.#behind]!.openMs <= endMs) this.#enter(this.#behind)
      else this.#waiting.push(this.#behind)
    }
    if (this.#waiting.length === 0) return
    const due = this.#waiting.filter((index) => cells[index]!.openMs <= endMs)
    if (due.length === 0) return
    this.#waiting = this.#waiting.filter((index) => cells[index]!.openMs > endMs)
    for (const index of due) if (index >= this.#first) this.#enter(index)
  }

  #leaveBefore(startMs: number): void {
    const cells = this.#cells
    const before = this.#first
    while (this.#first < cells.length && cells[this.#first]!.timeMs < startMs) {
      if (this.#isIn[this.#first]) this.#count(this.#first, -1)
      this.#first++
    }
    if (this.#first === before || this.#first <= this.#middle) return
    this.#behind = Math.max(this.#behind, this.#first)
    this.#middle = this.#behind
    this.#fromMiddle = undefined
    this.#workOut(this.#middle - 1)
  }

  #enter(index: number): void {
    this.#isIn[index] = true
    this.#count(index, 1)
    if (this.#isPlain) return
    if (index < this.#middle) {
      this.#workOut(index)
      return
    }
    const copy = this.#copy(this.#cells[index]!.state)
    this.#fromMiddle =
      this.#fromMiddle === undefined ? copy : this.#aggregator.merge(this.#fromMiddle, copy)
  }

  /** The aggregates up to the middle of the cells from the first up to, and with, this one. */
  #workOut(last: number): void {
    if (this.#isPlain) return
    for (let index = last; index >= this.#first; index--) {
      const behind = index + 1 < this.#middle ? this.#toMiddle[index + 1] : undefined
      if (!this.#isIn[index]) {
        this.#toMiddle[index] = behind
        continue
      }
      const own = this.#copy(this.#cells[index]!.state)
      this.#toMiddle[index] =
        behind === undefined ? own : this.#aggregator.merge(own, this.#copy(behind))
    }
  }

  #count(index: number, sign: 1 | -1): void {
    const { count, shown } = this.#cells[index]!
    this.revision += sign * count
    if (shown !== count) this.#unshown += sign
  }

  /** From this index downwards, whether a cell of that time was emitted. */
  #wasShownAt(index: number, timeMs: number): boolean {
    const isEnd = timeMs === this.endMs
    for (; index >= 0 && this.#cells[index]!.timeMs === timeMs; index--) {
      const cell = this.#cells[index]!
      if (cell.shown > 0 && (!isEnd || endsOne(cell))) return true
    }
    return false
  }

  /** Lets go of what no window to come holds or begins behind, once that is most. */
  #cutOff(): void {
    const count = Math.min(this.#first, this.#beginning)
    if (count < leastCut || count * 2 < this.#cells.length) return
    this.#cells.splice(0, count)
    this.#isIn.splice(0, count)
    this.#toMiddle.splice(0, count)
    this.#first -= count
    this.#middle = Math.max(0, this.#middle - count)
    this.#behind -= count
    this.#ending -= count
    this.#beginning -= count
    this.#waiting = this.#waiting.map((index) => index - count)
  }

  #copy(state: unknown): unknown {
    return this.#aggregator.load(this.#aggregator.save(state))
  }

  #firstBehind(timeMs: number): number {
    let low = 0
    let high = this.#cells.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#cells[middle]!.timeMs <= timeMs) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** Cells that walks may hold together. */
const mostHeld = 100_000

/** Walks by key that go on when more windows close: those used last, as many as there is room for, one at least. */
export class HeldWalks {
  readonly #walks = new Map<string, { readonly walk: SlidingWalk; readonly size: number }>()
  #size = 0
  /** No walk knows cells behind this. */
  #knownMs = Number.NEGATIVE_INFINITY

  get(key: string): SlidingWalk | undefined {
    return this.#walks.get(key)?.walk
  }

  hold(key: string, walk: SlidingWalk): void {
    this.delete(key)
    this.#walks.set(key, { walk, size: walk.size })
    this.#size += walk.size
    this.#knownMs = Math.max(this.#knownMs, walk.knownMs)
    for (const oldest of this.#walks.keys()) {
      if (this.#size <= mostHeld || oldest === key) return
      this.delete(oldest)
    }
  }

  /** A message of that time was taken: a walk that knew the cells there is wrong. */
  changed(key: string, timeMs: number): void {
    if (timeMs > this.#knownMs) return
    const walk = this.get(key)
    if (walk !== undefined && timeMs <= walk.knownMs) this.delete(key)
  }

  delete(key: string): void {
    this.#size -= this.#walks.get(key)?.size ?? 0
    this.#walks.delete(key)
  }
}

/** Whether a window ends with these messages: not where they came after it had closed. */
const endsOne = ({ timeMs, openMs }: Cell) => openMs === timeMs
