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

export class PackedRows {
  /** As many as are used; one more where that is odd, but for one alone. */
  readonly lanes: number
  /** By lane: the row's score that `score` computed last. */
  readonly scores: Float64Array
  /** By lane: how many times `add` adds the row. */
  readonly steps: Float64Array
  /** At `row * lanes + lane`: the sum of the squares of the row's scaled values. */
  readonly squaredNorms: Float64Array
  readonly #kernels: RowKernels
  /** At `place * lanes + lane`; zeros at first. */
  readonly #weights: Float64Array
  /** By column: its place. */
  readonly #places: Int32Array
  /** By row: its first entry. */
  readonly #starts: Int32Array
  readonly #valuesAt: number
  readonly #offsetsAt: number
  /** From the weights to their scales in bytes; zero: none lie there. */
  readonly #scalesDistance: number
  /** By column: what one lane alone has its values multiplied by already; null: nothing. */
  readonly #ownScales: Float64Array | null

  /**
   * `used` is how many lanes there are, 8 at most. `squaredScales`: by lane and then column; null:
   * all are 1. Throws `TRAINING_INVALID` for more than fits.
   */
  constructor(matrix: SparseMatrix, used: number, squaredScales: readonly Float64Array[] | null) {
    this.lanes = used === 1 ? 1 : used + (used % 2)
    this.#starts = groupedStarts(matrix)
    const entries = this.#starts[matrix.rows]!
    const weights = matrix.columns * this.lanes
    const isAlone = used === 1
    this.#scalesDistance = squaredScales === null || isAlone ? 0 : weights * 8
    this.#ownScales = squaredScales !== null && isAlone ? squaredScales[0]!.map(Math.sqrt) : null
    this.#valuesAt = weightsAt + weights * 8 + this.#scalesDistance
    this.#offsetsAt = this.#valuesAt + 8 * entries
    const bytes = this.#offsetsAt + 4 * entries
    if (bytes > maxBytes) throw tooLarge(matrix, bytes)
    this.#places = placesByFrequency(matrix)
    const [kernels, memory] = rowKernels(this.lanes, bytes)
    this.#kernels = kernels
    this.scores = new Float64Array(memory, scoresAt, this.lanes)
    this.steps = new Float64Array(memory, stepsAt, this.lanes)
    this.#weights = new Float64Array(memory, weightsAt, weights)
    this.#fill(
      matrix,
      new Float64Array(memory, this.#valuesAt, entries),
      new Int32Array(memory, this.#offsetsAt, entries),
    )
    if (squaredScales !== null && !isAlone) {
      this.#fillScales(new Float64Array(memory, weightsAt + weights * 8, weights), squaredScales)
    }
    this.squaredNorms = new Float64Array(matrix.rows * this.lanes)
    for (let lane = 0; lane < used; lane++) this.#sumSquares(lane, matrix, squaredScales?.[lane])
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

  /** By column, times the scale of each, for rows as they were given. */
  weightsOf(lane: number): Float64Array {
    const places = this.#places
    const weights = new Float64Array(places.length)
    for (let column = 0; column < weights.length; column++) {
      const scale = this.#ownScales === null ? 1 : this.#ownScales[column]!
      weights[column] = this.#weights[places[column]! * this.lanes + lane]! * scale
    }
    return weights
  }

  /** Begins again from what `weightsOf` said. */
  setWeights(lane: number, weights: Float64Array): void {
    for (let column = 0; column < weights.length; column++) {
      const scale = this.#ownScales === null ? 1 : this.#ownScales[column]!
      const place = this.#places[column]! * this.lanes + lane
      this.#weights[place] = scale === 0 ? 0 : weights[column]! / scale
    }
  }

  #fill(matrix: SparseMatrix, values: Float64Array, offsets: Int32Array): void {
    const { rows, indptr, indices, data } = matrix
    const places = this.#places
    const bytes = this.lanes * 8
    for (let row = 0; row < rows; row++) {
      let target = this.#starts[row]!
      for (let entry = indptr[row]!; entry < indptr[row + 1]!; entry++) {
        const column = indices[entry]!
        const scale = this.#ownScales === null ? 1 : this.#ownScales[column]!
        values[target] = data[entry]! * scale
        offsets[target++] = places[column]! * bytes
      }
    }
  }

  #fillScales(into: Float64Array, squaredScales: readonly Float64Array[]): void {
    for (const [lane, scales] of squaredScales.entries()) {
      for (let column = 0; column < scales.length; column++) {
        into[this.#places[column]! * this.lanes + lane] = scales[column]!
      }
    }
  }

  #sumSquares(lane: number, matrix: SparseMatrix, scales: Float64Array | undefined): void {
    const { rows, indptr, indices, data } = matrix
    for (let row = 0; row < rows; row++) {
      let sum = 0
      for (let entry = indptr[row]!; entry < indptr[row + 1]!; entry++) {
        const value = data[entry]!
        sum += value * value * (scales === undefined ? 1 : scales[indices[entry]!]!)
      }
      this.squaredNorms[row * this.lanes + lane] = sum
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

function tooLarge({ indices, columns }: SparseMatrix, bytes: number) {
  return fail(
    'TRAINING_INVALID',
    `linear SVM: ${indices.length} entries of ${columns} features need ${bytes} bytes, above 4 GiB; give fewer rows, raise minDf or set maxFeatures`,
  )
}
