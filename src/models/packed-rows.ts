/**
 * Rows of features and the weights of a few labels side by side, laid out for speed: what
 * dual-coordinate-descent.ts visits thousands of times.
 */
import { fail } from '../core/errors.ts'
import { documentFrequencies, type SparseMatrix } from '../features/index.ts'
import { entriesTogether, type RowKernels, rowKernels, scoresAt, stepsAt, weightsAt } from './row-kernels.ts'

/** A WebAssembly memory has 32 bits of address. */
const maxBytes = 2 ** 32

export class PackedRows {
  /** By lane: the row's score that `score` computed last. */
  readonly scores: Float64Array
  /** By lane: how many times `add` adds the row. */
  readonly steps: Float64Array
  readonly #kernels: RowKernels
  /** At `place * lanes + lane`; zeros at first. */
  readonly #weights: Float64Array
  readonly #lanes: number
  /** By column: its place. Columns that many rows have stand together, in the nearest cache. */
  readonly #places: Int32Array
  /** By row: its first entry. */
  readonly #starts: Int32Array
  readonly #valuesAt: number
  readonly #offsetsAt: number
  /** From the weights to their scales in bytes; zero: no scales. */
  readonly #scalesDistance: number

  /**
   * `lanes` is even, and 8 at most. `squaredScales`: by lane, as many as are used, and column; null:
   * none. Throws `TRAINING_INVALID` for more than fits.
   */
  constructor(
    matrix: SparseMatrix,
    lanes: number,
    squaredScales: readonly Float64Array[] | null,
  ) {
    this.#lanes = lanes
    this.#starts = groupedStarts(matrix)
    const entries = this.#starts[matrix.rows]!
    const weightBytes = matrix.columns * lanes * 8
    this.#scalesDistance = squaredScales === null ? 0 : weightBytes
    this.#valuesAt = weightsAt + weightBytes + this.#scalesDistance
    this.#offsetsAt = this.#valuesAt + 8 * entries
    const bytes = this.#offsetsAt + 4 * entries
    if (bytes > maxBytes) {
      throw fail(
        'TRAINING_INVALID',
        `linear SVM: ${matrix.indices.length} entries of ${matrix.columns} features need ${bytes} bytes, above 4 GiB; give fewer rows, raise minDf or set maxFeatures`,
      )
    }
    const [kernels, memory] = rowKernels(lanes / 2, bytes)
    this.#kernels = kernels
    this.scores = new Float64Array(memory, scoresAt, lanes)
    this.steps = new Float64Array(memory, stepsAt, lanes)
    this.#weights = new Float64Array(memory, weightsAt, matrix.columns * lanes)
    this.#places = placesByFrequency(matrix)
    if (squaredScales !== null) {
      const scales = new Float64Array(memory, weightsAt + weightBytes, matrix.columns * lanes)
      for (const [lane, scale] of squaredScales.entries()) {
        for (let column = 0; column < scale.length; column++) {
          scales[this.#places[column]! * lanes + lane] = scale[column]!
        }
      }
    }
    this.#fill(
      matrix,
      new Float64Array(memory, this.#valuesAt, entries),
      new Int32Array(memory, this.#offsetsAt, entries),
    )
  }

  score(row: number): void {
    const first = this.#starts[row]!
    const end = this.#starts[row + 1]!
    const offsets = this.#offsetsAt
    this.#kernels.score(offsets + 4 * first, this.#valuesAt + 8 * first, offsets + 4 * end)
  }

  /** Adds the row to the weights of each lane, `steps` times and times the squared scales. */
  add(row: number): void {
    const first = this.#starts[row]!
    const end = this.#starts[row + 1]!
    const offsets = this.#offsetsAt + 4 * first
    const values = this.#valuesAt + 8 * first
    if (this.#scalesDistance === 0) {
      this.#kernels.add(offsets, values, this.#offsetsAt + 4 * end)
    } else {
      this.#kernels.addScaled(offsets, values, this.#offsetsAt + 4 * end, this.#scalesDistance)
    }
  }

  /** By column, copied. */
  weightsOf(lane: number): Float64Array {
    return Float64Array.from(this.#places, (place) => this.#weights[place * this.#lanes + lane]!)
  }

  #fill(matrix: SparseMatrix, values: Float64Array, offsets: Int32Array): void {
    const columnBytes = this.#lanes * 8
    for (let row = 0; row < matrix.rows; row++) {
      let target = this.#starts[row]!
      for (let entry = matrix.indptr[row]!; entry < matrix.indptr[row + 1]!; entry++) {
        values[target] = matrix.data[entry]!
        offsets[target++] = this.#places[matrix.indices[entry]!]! * columnBytes
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

/** By column: its rank by how many rows have it, the most frequent first, by a counting sort. */
function placesByFrequency(matrix: SparseMatrix): Int32Array {
  const frequencies = documentFrequencies(matrix)
  const next = new Int32Array(matrix.rows + 2)
  for (const frequency of frequencies) next[matrix.rows - frequency + 1]!++
  for (let rank = 0; rank <= matrix.rows; rank++) next[rank + 1]! += next[rank]!
  return frequencies.map((frequency) => next[matrix.rows - frequency]!++)
}
