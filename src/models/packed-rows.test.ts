import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { codeOf } from '../core/errors.ts'
import { SparseBuilder, type SparseMatrix } from '../features/index.ts'
import { PackedRows } from './packed-rows.ts'

const columns = 9

const matrices = fc
  .array(fc.uniqueArray(fc.nat(columns - 1), { maxLength: columns }), { minLength: 1 })
  .chain((rows) =>
    fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 50 }).map((values) => {
      const builder = new SparseBuilder()
      let next = 0
      for (const row of rows) {
        for (const column of row.sort()) builder.add(column, values[next++ % values.length]!)
        builder.endRow()
      }
      return builder.build(columns)
    }),
  )

/** By lane: what the weights give a row, computed the plain way. */
function plainScore(matrix: SparseMatrix, row: number, weights: readonly number[]): number {
  let score = 0
  for (let entry = matrix.indptr[row]!; entry < matrix.indptr[row + 1]!; entry++) {
    score += matrix.data[entry]! * weights[matrix.indices[entry]!]!
  }
  return score
}

function assertClose(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) <= 1e-9 * Math.max(1, Math.abs(expected)))
}

describe('models: packed rows', () => {
  for (const lanes of [1, 2] as const) {
    it(`scores and adds rows in ${lanes} lanes as plain loops do, again and again`, () => {
      fc.assert(
        fc.property(matrices, (matrix) => {
          const packed = new PackedRows(matrix, lanes)
          for (const factor of [1, -0.5]) {
            const given = { ...matrix, data: matrix.data.map((value) => value * factor) }
            packed.setValues(given)
            packed.reset()
            visit(packed, given)
          }
        }),
        { numRuns: 50 },
      )
    })
  }

  it('says when there is more than fits, before it takes the memory', () => {
    const none = { indices: new Int32Array(0), data: new Float64Array(0) }
    const matrix = { rows: 1, columns: 2 ** 28, indptr: Int32Array.of(0, 0), ...none }
    assert.throws(
      () => new PackedRows(matrix, 2),
      (error) => codeOf(error) === 'TRAINING_INVALID',
    )
  })
})

function visit(packed: PackedRows, matrix: SparseMatrix): void {
  const plain = Array.from({ length: packed.lanes }, () => new Array<number>(columns).fill(0))
  for (let count = 0; count < 3 * matrix.rows; count++) {
    const row = (count * 7) % matrix.rows
    packed.score(row)
    for (const [lane, weights] of plain.entries()) {
      assertClose(packed.scores[lane]!, plainScore(matrix, row, weights))
      packed.steps[lane] = Math.sin(count + lane)
      for (let entry = matrix.indptr[row]!; entry < matrix.indptr[row + 1]!; entry++) {
        weights[matrix.indices[entry]!]! += packed.steps[lane] * matrix.data[entry]!
      }
    }
    packed.add(row)
  }
  const found = new Float64Array(columns)
  for (const [lane, weights] of plain.entries()) {
    packed.weightsInto(lane, found)
    for (const [column, weight] of weights.entries()) assertClose(found[column]!, weight)
  }
}
