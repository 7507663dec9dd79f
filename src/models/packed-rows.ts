/**
 * Rows of features and the weights of a few labels side by side, laid out for speed: what
 * dual-coordinate-descent.ts visits thousands of times.
 */
import { fail } from '../core/errors.ts'
import { documentFrequencies, type SparseMatrix } from '../features/index.ts'
import {
  entriesTogether,
  type RowKernels,
  rowKernels,
  scoresAt,
  stepsAt,
  weightsAt,
} from './row-kernels.ts'

/** A WebAssembly memory has 32 bits of address. */
const maxBytes = 2 ** 32

/**
 * Features that one row alone has, in text often most of them, are left out: what such a feature
 * adds to the score of its row follows from how many times the row was added to the weights, and no
 * other row sees it. `ownSquares` says how much that is.
 */
export class PackedRows {
  /** As many as are used, and one more where that is odd. */
  readonly lanes: number
  /** By lane: the row's score that `score` computed last, without features of that row alone. */
  readonly scores: Float64Array
  /** By lane: how many times `add` adds the row. */
  readonly steps: Float64Array
  /** At `row * lanes + lane`: the sum of the squares of the row's scaled values. */
  readonly squaredNorms: Float64Array
  /** There: the part of it by features that only this row has. */
  readonly ownSquares: Float64Array
  readonly #matrix: SparseMatrix
  readonly #squaredScales: readonly Float64Array[] | null
  readonly #kernels: RowKernels
  /** At `place * lanes + lane`; zeros at first. */
  readonly #weights: Float64Array
  /** By column: its place, or -1 where no two rows have it. */
  readonly #places: Int32Array
  /** By row: its first entry. */
  readonly #starts: Int32Array
  readonly #valuesAt: number
  readonly #offsetsAt: number
  /** From the weights to their scales in bytes; zero: no scales. */
  readonly #scalesDistance: number

  /**
   * `used` is how many lanes there are, 8 at most. `squaredScales`: by lane and then column; null:
   * all are 1. Throws `TRAINING_INVALID` for more than fits.
   */
  constructor(matrix: SparseMatrix, used: number, squaredScales: readonly Float64Array[] | null) {
    this.lanes = used + (used % 2)
    this.#matrix = matrix
    this.#squaredScales = squaredScales
    const { places, count } = placesByFrequency(matrix)
    this.#places = places
    this.#starts = groupedStarts(matrix, places)
    const entries = this.#starts[matrix.rows]!
    const weights = Math.max(1, count) * this.lanes
    this.#scalesDistance = squaredScales === null ? 0 : weights * 8
    this.#valuesAt = weightsAt + weights * 8 + this.#scalesDistance
    this.#offsetsAt = this.#valuesAt + 8 * entries
    const bytes = this.#offsetsAt + 4 * entries
    if (bytes > maxBytes) throw tooLarge(matrix, bytes)
    const [kernels, memory] = rowKernels(this.lanes / 2, bytes)
    this.#kernels = kernels
    this.scores = new Float64Array(memory, scoresAt, this.lanes)
    this.steps = new Float64Array(memory, stepsAt, this.lanes)
    this.#weights = new Float64Array(memory, weightsAt, weights)
    this.#fill(
      new Float64Array(memory, this.#valuesAt, entries),
      new Int32Array(memory, this.#offsetsAt, entries),
    )
    if (squaredScales !== null) {
      this.#fillScales(new Float64Array(memory, weightsAt + weights * 8, weights), squaredScales)
    }
    this.squaredNorms = new Float64Array(matrix.rows * this.lanes)
    this.ownSquares = new Float64Array(matrix.rows * this.lanes)
    for (let lane = 0; lane < used; lane++) this.#addSquares(lane)
  }

  /** Computes the `scores` of a row. */
  score(row: number): void {
    const first = this.#starts[row]!
    const offsets = this.#offsetsAt + 4 * first
    const end = this.#offsetsAt + 4 * this.#starts[row + 1]!
    this.#kernels.score(offsets, this.#valuesAt + 8 * first, end)
  }

  /** Adds a row to the weights of each lane, `steps` times and times the squared scales. */
  add(row: number): void {
    const first = this.#starts[row]!
    const offsets = this.#offsetsAt + 4 * first
    const values = this.#valuesAt + 8 * first
    const end = this.#offsetsAt + 4 * this.#starts[row + 1]!
    if (this.#scalesDistance === 0) this.#kernels.add(offsets, values, end)
    else this.#kernels.addScaled(offsets, values, end, this.#scalesDistance)
  }

  /** By column; `timesAdded` says how many times a row was added in all. */
  weightsOf(lane: number, timesAdded: (row: number) => number): Float64Array {
    const places = this.#places
    const weights = new Float64Array(places.length)
    for (let column = 0; column < weights.length; column++) {
      const place = places[column]!
      if (place >= 0) weights[column] = this.#weights[place * this.lanes + lane]!
    }
    const { rows, indptr, indices, data } = this.#matrix
    const scales = this.#squaredScales?.[lane]
    for (let row = 0; row < rows; row++) {
      const times = timesAdded(row)
      const end = times === 0 ? 0 : indptr[row + 1]!
      for (let entry = indptr[row]!; entry < end; entry++) {
        const column = indices[entry]!
        if (places[column]! >= 0) continue
        weights[column] = times * data[entry]! * (scales === undefined ? 1 : scales[column]!)
      }
    }
    return weights
  }

  #fill(values: Float64Array, offsets: Int32Array): void {
    const { rows, indptr, indices, data } = this.#matrix
    const places = this.#places
    const bytes = this.lanes * 8
    for (let row = 0; row < rows; row++) {
      let target = this.#starts[row]!
      for (let entry = indptr[row]!; entry < indptr[row + 1]!; entry++) {
        const place = places[indices[entry]!]!
        if (place < 0) continue
        values[target] = data[entry]!
        offsets[target++] = place * bytes
      }
    }
  }

  #fillScales(into: Float64Array, squaredScales: readonly Float64Array[]): void {
    for (const [lane, scales] of squaredScales.entries()) {
      for (let column = 0; column < scales.length; column++) {
        const place = this.#places[column]!
        if (place >= 0) into[place * this.lanes + lane] = scales[column]!
      }
    }
  }

  #addSquares(lane: number): void {
    const { rows, indptr, indices, data } = this.#matrix
    const places = this.#places
    const scales = this.#squaredScales?.[lane]
    for (let row = 0; row < rows; row++) {
      let all = 0
      let own = 0
      for (let entry = indptr[row]!; entry < indptr[row + 1]!; entry++) {
        const column = indices[entry]!
        const value = data[entry]!
        const square = value * value * (scales === undefined ? 1 : scales[column]!)
        all += square
        if (places[column]! < 0) own += square
      }
      this.squaredNorms[row * this.lanes + lane] = all
      this.ownSquares[row * this.lanes + lane] = own
    }
  }
}

/** By row: its first entry, where each row, also an empty one, has whole groups of entries. */
function groupedStarts({ rows, indptr, indices }: SparseMatrix, places: Int32Array): Int32Array {
  const starts = new Int32Array(rows + 1)
  for (let row = 0; row < rows; row++) {
    let count = 0
    for (let entry = indptr[row]!; entry < indptr[row + 1]!; entry++) {
      if (places[indices[entry]!]! >= 0) count++
    }
    const groups = Math.max(1, Math.ceil(count / entriesTogether))
    starts[row + 1] = starts[row]! + entriesTogether * groups
  }
  return starts
}

/**
 * By column: its rank by how many rows have it, so that frequent ones stand together in the nearest
 * cache; -1 where no two rows have it. And how many have a rank. By a counting sort.
 */
function placesByFrequency(matrix: SparseMatrix): { places: Int32Array; count: number } {
  const frequencies = documentFrequencies(matrix)
  const next = new Int32Array(matrix.rows + 2)
  for (const frequency of frequencies) next[matrix.rows - frequency + 1]!++
  for (let rank = 0; rank <= matrix.rows; rank++) next[rank + 1]! += next[rank]!
  const count = next[matrix.rows - 1]!
  const places = frequencies.map((frequency) =>
    frequency < 2 ? -1 : next[matrix.rows - frequency]!++,
  )
  return { places, count }
}

function tooLarge({ indices, columns }: SparseMatrix, bytes: number) {
  return fail(
    'TRAINING_INVALID',
    `linear SVM: ${indices.length} entries of ${columns} features need ${bytes} bytes, above 4 GiB; give fewer rows, raise minDf or set maxFeatures`,
  )
}
