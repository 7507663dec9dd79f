/**
 * Counts of terms, row after row, as they are found, before it is known which terms become columns.
 * Five bytes an entry, where a `SparseMatrix` takes twelve.
 */
import { withRoom } from './growth.ts'
import { KeySorter } from './sort-keys.ts'
import type { SparseMatrix } from './sparse.ts'

/** A count from here on stands in a list of its own. */
const large = 255

export class CountRows {
  #rows = 0
  #entries = 0
  #indptr = new Int32Array(1024)
  /** The number of the term of each entry. */
  #terms = new Int32Array(16_384)
  #counts = new Uint8Array(16_384)
  /** The counts that are too large, in the order of their entries. */
  readonly #larges: number[] = []

  get rows(): number {
    return this.#rows
  }

  /** Each term at most once a row. */
  add(term: number, count: number): void {
    if (this.#entries === this.#terms.length) {
      this.#terms = withRoom(this.#terms, this.#entries + 1)
      this.#counts = withRoom(this.#counts, this.#entries + 1)
    }
    this.#terms[this.#entries] = term
    this.#counts[this.#entries++] = Math.min(count, large)
    if (count >= large) this.#larges.push(count)
  }

  endRow(): void {
    this.#indptr = withRoom(this.#indptr, ++this.#rows + 1)
    this.#indptr[this.#rows] = this.#entries
  }

  /** By the number of a term, of `size`: in how many rows it stands. */
  documentFrequencies(size: number): Int32Array {
    const frequencies = new Int32Array(size)
    for (let entry = 0; entry < this.#entries; entry++) frequencies[this.#terms[entry]!]!++
    return frequencies
  }

  /** By the number of a term, of `size`: the sum of its counts. */
  totals(size: number): Float64Array {
    const totals = new Float64Array(size)
    let larges = 0
    for (let entry = 0; entry < this.#entries; entry++) {
      const count = this.#counts[entry]!
      totals[this.#terms[entry]!]! += count < large ? count : this.#larges[larges++]!
    }
    return totals
  }

  /** The matrix in which term t is column `columnOf[t]`; it is left out when that is negative. */
  toMatrix(columnOf: Int32Array, columns: number): SparseMatrix {
    const indptr = this.#keptStarts(columnOf)
    const indices = new Int32Array(indptr[this.#rows]!)
    const data = new Float64Array(indptr[this.#rows]!)
    const sorter = new KeySorter()
    const keyBits = 32 - Math.clz32(columns - 1)
    /** By column, of the row at hand. */
    const values = new Int32Array(columns)
    let larges = 0
    for (let row = 0; row < this.#rows; row++) {
      const first = this.#indptr[row]!
      const last = this.#indptr[row + 1]!
      sorter.reserve(last - first, 4096)
      const unsorted = sorter.keys
      let kept = 0
      for (let entry = first; entry < last; entry++) {
        const count = this.#counts[entry]!
        const value = count < large ? count : this.#larges[larges++]!
        const column = columnOf[this.#terms[entry]!]!
        if (column < 0) continue
        values[column] = value
        unsorted[kept++] = column
      }
      sorter.sort(kept, 0, keyBits)
      const { keys } = sorter
      const start = indptr[row]!
      for (let index = 0; index < kept; index++) {
        indices[start + index] = keys[index]!
        data[start + index] = values[keys[index]!]!
      }
    }
    return { rows: this.#rows, columns, indptr, indices, data }
  }

  /** Where the entries of each row that become columns would start and end. */
  #keptStarts(columnOf: Int32Array): Int32Array {
    const starts = new Int32Array(this.#rows + 1)
    for (let row = 0; row < this.#rows; row++) {
      let kept = starts[row]!
      for (let entry = this.#indptr[row]!; entry < this.#indptr[row + 1]!; entry++) {
        if (columnOf[this.#terms[entry]!]! >= 0) kept++
      }
      starts[row + 1] = kept
    }
    return starts
  }
}
