/**
 * Rows of features, and the weights of a label or two, laid out for speed: what
 * dual-coordinate-descent.ts visits thousands of times.
 */
import { fail } from '../core/errors.ts'
import { documentFrequencies, type SparseMatrix } from '../features/index.ts'
import {
  entriesTogether,
  type LaneCount,
  type RowKernels,
  rowKernels,
  scoresAt,
  stepsAt,
  weightsAt,
} from './row-kernels.ts'

/** A WebAssembly memory has 32 bits of address. */
const maxBytes = 2 ** 32

export class PackedRows {
  readonly lanes: LaneCount
  /** By lane: the row's score that `score` computed last. */
  readonly scores: Float64Array
  /** By lane: how many times `add` adds the row. */
  readonly steps: Float64Array
  readonly #kernels: RowKernels
  /** At `place * lanes + lane`; zeros at first. */
  readonly #weights: Float64Array
  /** By column: its place. */
  readonly #places: Int32Array
  /** By row: its first entry. */
  readonly #starts: Int32Array
  readonly #values: Float64Array
  readonly #valuesAt: number
  readonly #offsetsAt: number

  /** Throws `TRAINING_INVALID` for more than fits. */
  constructor(matrix: SparseMatrix, lanes: LaneCount) {
    this.lanes = lanes
    this.#starts = groupedStarts(matrix)
    const entries = this.#starts[matrix.rows]!
    const weights = matrix.columns * lanes
    this.#valuesAt = weightsAt + 8 * weights
    this.#offsetsAt = this.#valuesAt + 8 * entries
    const bytes = this.#offsetsAt + 4 * entries
    if (bytes > maxBytes) {
      throw fail(
        'TRAINING_INVALID',
        `linear SVM: ${matrix.indices.length} entries of ${matrix.columns} features need ${bytes} bytes, above 4 GiB; give fewer rows, raise minDf or set maxFeatures`,
      )
    }
    const [kernels, memory] = rowKernels(lanes, bytes)
    this.#kernels = kernels
    this.scores = new Float64Array(memory, scoresAt, lanes)
    this.steps = new Float64Array(memory, stepsAt, lanes)
    this.#weights = new Float64Array(memory, weightsAt, weights)
    this.#places = placesByFrequency(matrix)
    this.#values = new Float64Array(memory, this.#valuesAt, entries)
    this.setValues(matrix)
    this.#setOffsets(matrix, new Int32Array(memory, this.#offsetsAt, entries))
  }

  /** Computes the `scores` of a row. */
  score(row: number): void {
    const first = this.#starts[row]!
    const offsets = this.#offsetsAt + 4 * first
    const end = this.#offsetsAt + 4 * this.#starts[row + 1]!
    this.#kernels.score(offsets, this.#valuesAt + 8 * first, end)
  }

  /** Adds a row to the weights of each lane, `steps` times. */
  add(row: number): void {
    const first = this.#starts[row]!
    const offsets = this.#offsetsAt + 4 * first
    const end = this.#offsetsAt + 4 * this.#starts[row + 1]!
    this.#kernels.add(offsets, this.#valuesAt + 8 * first, end)
  }

  /** Makes all weights zero again. */
  reset(): void {
    this.#weights.fill(0)
  }

  /** Writes the weights of a lane by column. */
  weightsInto(lane: number, weights: Float64Array): void {
    const places = this.#places
    for (let column = 0; column < places.length; column++) {
      weights[column] = this.#weights[places[column]! * this.lanes + lane]!
    }
  }

  /** Takes other values, of a matrix that has its entries where the first one has them. */
  setValues({ rows, indptr, data }: SparseMatrix): void {
    for (let row = 0; row < rows; row++) {
      let target = this.#starts[row]!
      const end = indptr[row + 1]!
      for (let entry = indptr[row]!; entry < end; entry++) this.#values[target++] = data[entry]!
    }
  }

  #setOffsets({ rows, indptr, indices }: SparseMatrix, offsets: Int32Array): void {
    const bytes = this.lanes * 8
    for (let row = 0; row < rows; row++) {
      let target = this.#starts[row]!
      const end = indptr[row + 1]!
      for (let entry = indptr[row]!; entry < end; entry++) {
        offsets[target++] = this.#places[indices[entry]!]! * bytes
      }
    }
  }
}

/** By row: its first entry, where each row, also an empty one, has whole groups of entries. */
function groupedStarts({ rows, indptr }: SparseMatrix): Int32Array {
  const starts = new Int32Array(rows + 1)
  for (let row = 0; row < rows; row++) {
    const groups = Math.ceil((indptr[row + 1]! - indptr[row]!) / entriesTogether)
    starts[row + 1] = starts[row]! + entriesTogether * Math.max(1, groups)
  }
  return starts
}

/**
 * By column: its rank by how many rows have it, so that frequent ones stand together in the nearest
 * cache. By a counting sort.
 */
function placesByFrequency(matrix: SparseMatrix): Int32Array {
  const frequencies = documentFrequencies(matrix)
  const next = new Int32Array(matrix.rows + 2)
  for (const frequency of frequencies) next[matrix.rows - frequency + 1]!++
  for (let rank = 0; rank <= matrix.rows; rank++) next[rank + 1]! += next[rank]!
  return frequencies.map((frequency) => next[matrix.rows - frequency]!++)
}
