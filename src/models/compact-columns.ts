/**
 * Fewer columns that learn the same. In text most terms stand in one row alone. Under a penalty on
 * the squared weights all such terms of one row share one weight, each times its value: they are
 * turned into one column of the same length, which changes no score and no penalty. Frequent columns
 * come first, so that what is read most lies close together in memory.
 */
import { documentFrequencies, type SparseMatrix } from '../features/index.ts'

export interface CompactColumns {
  readonly matrix: SparseMatrix
  /** By column of the given matrix: its column in `matrix`, or -1 for one without entries. */
  readonly places: Int32Array
  /** By column of the given matrix: its weight is this times the weight of its place. */
  readonly factors: Float64Array
}

export function compactColumns(given: SparseMatrix): CompactColumns {
  const frequencies = documentFrequencies(given)
  const places = new Int32Array(given.columns).fill(-1)
  const factors = new Float64Array(given.columns).fill(1)
  const frequent = Int32Array.from(frequencies.keys())
    .filter((column) => frequencies[column]! > 1)
    .sort((a, b) => frequencies[b]! - frequencies[a]! || a - b)
  for (const [place, column] of frequent.entries()) places[column] = place
  const matrix = joinRare(given, frequencies, frequent.length, places, factors)
  return { matrix, places, factors }
}

function joinRare(
  { rows, indptr, indices, data: values }: SparseMatrix,
  frequencies: Int32Array,
  frequent: number,
  places: Int32Array,
  factors: Float64Array,
): SparseMatrix {
  const kept = { indptr: new Int32Array(rows + 1), indices: indices.slice(), data: values.slice() }
  let columns = frequent
  let count = 0
  for (let row = 0; row < rows; row++) {
    const end = indptr[row + 1]!
    let squares = 0
    for (let entry = indptr[row]!; entry < end; entry++) {
      const column = indices[entry]!
      if (frequencies[column]! === 1) {
        squares += values[entry]! * values[entry]!
        continue
      }
      kept.indices[count] = places[column]!
      kept.data[count++] = values[entry]!
    }
    if (squares > 0) {
      const length = Math.sqrt(squares)
      for (let entry = indptr[row]!; entry < end; entry++) {
        const column = indices[entry]!
        if (frequencies[column]! > 1) continue
        places[column] = columns
        factors[column] = values[entry]! / length
      }
      kept.indices[count] = columns++
      kept.data[count++] = length
    }
    kept.indptr[row + 1] = count
  }
  return {
    rows,
    columns,
    indptr: kept.indptr,
    indices: kept.indices.slice(0, count),
    data: kept.data.slice(0, count),
  }
}
