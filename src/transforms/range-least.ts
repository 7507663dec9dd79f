/**
 * The least measure of any stretch of a list, without looking at all of it: blocks of 16, blocks of 16
 * blocks, and so on. At most 30 looks a level, and five levels for a million.
 */

const blockBits = 4
const blockMask = (1 << blockBits) - 1

export class RangeLeast<Cell> {
  readonly #cells: readonly Cell[]
  readonly #measure: (cell: Cell) => number
  /** The least of each block of cells, of each block of those, ... */
  readonly #levels: number[][] = []

  constructor(cells: readonly Cell[], measure: (cell: Cell) => number) {
    this.#cells = cells
    this.#measure = measure
  }

  /** Cells from this place on were added, changed, moved or taken away. */
  changedFrom(index: number): void {
    let length = this.#cells.length
    let from = index
    for (let level = 0; length > blockMask; level++) {
      this.#levels[level] ??= []
      const blocks = this.#levels[level]!
      from >>= blockBits
      const end = (length + blockMask) >> blockBits
      for (let block = from; block < end; block++) {
        const start = block << blockBits
        const stop = Math.min(length, start + blockMask + 1)
        let least = Number.POSITIVE_INFINITY
        for (let place = start; place < stop; place++) {
          least = Math.min(least, this.#at(level, place))
        }
        blocks[block] = least
      }
      blocks.length = end
      length = end
    }
  }

  /** Of the cells from `from` up to `to`; Infinity of none. */
  least(from: number, to: number): number {
    let least = Number.POSITIVE_INFINITY
    let start = from
    let end = to
    for (let level = 0; ; level++) {
      // What stands in no whole block. Of the last level, which is less than one, that is everything.
      while (start < end && (start & blockMask) !== 0) {
        least = Math.min(least, this.#at(level, start++))
      }
      while (start < end && (end & blockMask) !== 0) least = Math.min(least, this.#at(level, --end))
      if (start >= end) return least
      start >>= blockBits
      end >>= blockBits
    }
  }

  #at(level: number, place: number): number {
    return level === 0 ? this.#measure(this.#cells[place]!) : this.#levels[level - 1]![place]!
  }
}
