/**
 * A walk over sliding windows in the order of their ends, which puts partial aggregates together:
 * each is merged a few times and not once for every window that it is in. Two stacks that make a
 * queue (Tangwongsan, Hirzel and Schneider, "In-Order Sliding-Window Aggregation in Worst-Case
 * Constant Time", 2017, tell its history): those that leave first have the aggregates of themselves
 * and all behind them worked out, those behind are one aggregate that grows.
 */
import type { Aggregator } from './aggregator.ts'
import type { Cell } from './sliding-cells.ts'

export class SlidingWalk {
  /** Of the window that the walk is at. */
  endMs = Number.NaN
  /** How many messages it has. */
  revision = 0
  readonly #cells: readonly Cell[]
  readonly #sizeMs: number
  readonly #aggregator: Aggregator<unknown, unknown>
  /** How grouping tells on the result, it is always from the first to the last. */
  readonly #isPlain: boolean
  readonly #isIn: boolean[]
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
  #ending: number
  #beginning: number

  /** Over the windows with an end behind `afterMs`. `cells`: all that are in them or just before. */
  constructor(
    cells: readonly Cell[],
    sizeMs: number,
    aggregator: Aggregator<unknown, unknown>,
    afterMs: number,
  ) {
    this.#cells = cells
    this.#sizeMs = sizeMs
    this.#aggregator = aggregator
    this.#isPlain = aggregator.order === 'nearly'
    this.#isIn = new Array<boolean>(cells.length).fill(false)
    this.#ending = this.#firstBehind(afterMs)
    this.#beginning = this.#firstBehind(afterMs - sizeMs - 1)
  }

  /** Goes on to the next window that ends at `lastMs` or before and is not empty. False: there is none. */
  next(lastMs: number): boolean {
    const cells = this.#cells
    for (;;) {
      while (this.#ending < cells.length && !endsOne(cells[this.#ending]!)) this.#ending++
      const endOfEnding = cells[this.#ending]?.timeMs ?? Number.POSITIVE_INFINITY
      const beginning = cells[this.#beginning]
      const endOfBeginning =
        beginning === undefined ? Number.POSITIVE_INFINITY : beginning.timeMs + 1 + this.#sizeMs
      const endMs = Math.min(endOfEnding, endOfBeginning)
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

/** Whether a window ends with these messages: not where they came after it had closed. */
const endsOne = ({ timeMs, openMs }: Cell) => openMs === timeMs
