/** Sparse matrices in compressed rows, as scipy's `csr_matrix`: what the vectorisers make. */
import { withRoom } from './growth.ts'

export interface SparseMatrix {
  readonly rows: number
  readonly columns: number
  /** Row r holds the entries from `indptr[r]` up to `indptr[r + 1]`. */
  readonly indptr: Int32Array
  /** The column of each entry, rising within a row, each at most once. */
  readonly indices: Int32Array
  /** The value of each entry. */
  readonly data: Float64Array
}

/** Collects rows whose length is not known before. */
export class SparseBuilder {
  #indptr = new Int32Array(1024)
  #indices = new Int32Array(16_384)
  #data = new Float64Array(16_384)
  #rows = 0
  #entries = 0

  add(column: number, value: number): void {
    if (this.#entries === this.#indices.length) {
      this.#indices = withRoom(this.#indices, this.#entries + 1)
      this.#data = withRoom(this.#data, this.#entries + 1)
    }
    this.#indices[this.#entries] = column
    this.#data[this.#entries++] = value
  }

  endRow(): void {
    this.#indptr = withRoom(this.#indptr, ++this.#rows + 1)
    this.#indptr[this.#rows] = this.#entries
  }

  /** The rows so far; their entries stand in the order in which they came. */
  build(columns: number): SparseMatrix {
    return {
      rows: this.#rows,
      columns,
      indptr: this.#indptr.slice(0, this.#rows + 1),
      indices: this.#indices.slice(0, this.#entries),
      data: this.#data.slice(0, this.#entries),
    }
  }
}

/** How many rows have an entry in each column. */
export function documentFrequencies(matrix: SparseMatrix): Int32Array {
  const frequencies = new Int32Array(matrix.columns)
  const { indices } = matrix
  for (let entry = 0; entry < indices.length; entry++) frequencies[indices[entry]!]!++
  return frequencies
}

/**
 * The matrix with other columns, sorted within each row: column c becomes `newColumn[c]`, or is
 * dropped when that is negative.
 */
export function mapColumns(
  matrix: SparseMatrix,
  newColumn: Int32Array,
  columns: number,
): SparseMatrix {
  // Two counting sorts, by column and then by row: linear in the entries, however long a row is.
  const columnStarts = new Int32Array(columns + 1)
  const indptr = new Int32Array(matrix.rows + 1)
  for (let row = 0; row < matrix.rows; row++) {
    let kept = indptr[row]!
    for (let entry = matrix.indptr[row]!; entry < matrix.indptr[row + 1]!; entry++) {
      const column = newColumn[matrix.indices[entry]!]!
      if (column < 0) continue
      columnStarts[column + 1]!++
      kept++
    }
    indptr[row + 1] = kept
  }
  for (let column = 0; column < columns; column++) {
    columnStarts[column + 1]! += columnStarts[column]!
  }
  const entries = indptr[matrix.rows]!
  const byColumn = { rows: new Int32Array(entries), data: new Float64Array(entries) }
  const next = columnStarts.slice()
  for (let row = 0; row < matrix.rows; row++) {
    for (let entry = matrix.indptr[row]!; entry < matrix.indptr[row + 1]!; entry++) {
      const column = newColumn[matrix.indices[entry]!]!
      if (column < 0) continue
      const place = next[column]!++
      byColumn.rows[place] = row
      byColumn.data[place] = matrix.data[entry]!
    }
  }
  return backToRows(byColumn, columnStarts, indptr, columns)
}

function backToRows(
  byColumn: { readonly rows: Int32Array; readonly data: Float64Array },
  columnStarts: Int32Array,
  indptr: Int32Array,
  columns: number,
): SparseMatrix {
  const indices = new Int32Array(byColumn.rows.length)
  const data = new Float64Array(byColumn.rows.length)
  const next = indptr.slice()
  for (let column = 0; column < columns; column++) {
    for (let entry = columnStarts[column]!; entry < columnStarts[column + 1]!; entry++) {
      const place = next[byColumn.rows[entry]!]!++
      indices[place] = column
      data[place] = byColumn.data[entry]!
    }
  }
  return { rows: indptr.length - 1, columns, indptr, indices, data }
}

/** The rows from `start` up to `end`, as a view on the same entries where nothing need be copied. */
export function sliceRows(matrix: SparseMatrix, start: number, end: number): SparseMatrix {
  const first = matrix.indptr[start]!
  const last = matrix.indptr[end]!
  return {
    rows: end - start,
    columns: matrix.columns,
    indptr: matrix.indptr.slice(start, end + 1).map((entry) => entry - first),
    indices: matrix.indices.subarray(first, last),
    data: matrix.data.subarray(first, last),
  }
}

/** All cells, row after row: for small matrices and tests. */
export function toDense(matrix: SparseMatrix): Float64Array {
  const dense = new Float64Array(matrix.rows * matrix.columns)
  for (let row = 0; row < matrix.rows; row++) {
    for (let entry = matrix.indptr[row]!; entry < matrix.indptr[row + 1]!; entry++) {
      dense[row * matrix.columns + matrix.indices[entry]!]! += matrix.data[entry]!
    }
  }
  return dense
}

/** The named rows, in that order, copied. */
export function selectRows(matrix: SparseMatrix, rows: Int32Array): SparseMatrix {
  const indptr = new Int32Array(rows.length + 1)
  for (let place = 0; place < rows.length; place++) {
    const row = rows[place]!
    indptr[place + 1] = indptr[place]! + matrix.indptr[row + 1]! - matrix.indptr[row]!
  }
  const indices = new Int32Array(indptr[rows.length]!)
  const data = new Float64Array(indptr[rows.length]!)
  for (let place = 0; place < rows.length; place++) {
    const start = matrix.indptr[rows[place]!]!
    const end = matrix.indptr[rows[place]! + 1]!
    indices.set(matrix.indices.subarray(start, end), indptr[place]!)
    data.set(matrix.data.subarray(start, end), indptr[place]!)
  }
  return { rows: rows.length, columns: matrix.columns, indptr, indices, data }
}

/** Matrices with the same rows side by side: the columns of the first, then those of the next. */
export function joinColumns(matrices: readonly SparseMatrix[]): SparseMatrix {
  if (matrices.length === 1) return matrices[0]!
  const rows = matrices[0]!.rows
  const entries = matrices.reduce((sum, matrix) => sum + matrix.indices.length, 0)
  const indptr = new Int32Array(rows + 1)
  const indices = new Int32Array(entries)
  const data = new Float64Array(entries)
  let place = 0
  for (let row = 0; row < rows; row++) {
    let firstColumn = 0
    for (const matrix of matrices) {
      for (let entry = matrix.indptr[row]!; entry < matrix.indptr[row + 1]!; entry++) {
        indices[place] = firstColumn + matrix.indices[entry]!
        data[place++] = matrix.data[entry]!
      }
      firstColumn += matrix.columns
    }
    indptr[row + 1] = place
  }
  const columns = matrices.reduce((sum, matrix) => sum + matrix.columns, 0)
  return { rows, columns, indptr, indices, data }
}
