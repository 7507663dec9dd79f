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
  for (let used = 1; used <= 8; used++) {
    it(`scores and adds rows in ${used} lanes as plain loops do, scaled or not`, () => {
      fc.assert(
        fc.property(matrices, fc.boolean(), (matrix, isScaled) => {
          const scales = Array.from({ length: used }, (_, lane) =>
            Float64Array.from({ length: columns }, (_, column) => 0.5 + lane + column / 4),
          )
          const packed = new PackedRows(matrix, used, isScaled ? scales : null)
          const plain = scales.map(() => new Array<number>(columns).fill(0))
          for (const [lane, weights] of plain.entries()) {
            weights.fill(lane - 3)
            packed.setWeights(lane, Float64Array.from(weights))
          }
          for (let visit = 0; visit < 3 * matrix.rows; visit++) {
            const row = (visit * 7) % matrix.rows
            packed.score(row)
            for (let lane = 0; lane < used; lane++) {
              assertClose(packed.scores[lane]!, plainScore(matrix, row, plain[lane]!))
              packed.steps[lane] = Math.sin(visit + lane)
              for (let entry = matrix.indptr[row]!; entry < matrix.indptr[row + 1]!; entry++) {
                const column = matrix.indices[entry]!
                const scale = isScaled ? scales[lane]![column]! : 1
                plain[lane]![column]! += packed.steps[lane]! * matrix.data[entry]! * scale
              }
            }
            packed.add(row)
          }
          for (const [lane, expected] of plain.entries()) {
            const found = packed.weightsOf(lane)
            for (const [column, weight] of expected.entries()) assertClose(found[column]!, weight)
          }
        }),
        { numRuns: 20 },
      )
    })
  }

  it('knows the squares of its rows', () => {
    const matrix = {
      ...{ rows: 2, columns: 2, indptr: Int32Array.of(0, 2, 2), indices: Int32Array.of(0, 1) },
      data: Float64Array.of(3, 4),
    }
    const scales = [Float64Array.of(1, 1), Float64Array.of(2, 10), Float64Array.of(0, 1)]
    assert.deepEqual([...new PackedRows(matrix, 1, null).squaredNorms], [25, 0])
    const { lanes, squaredNorms } = new PackedRows(matrix, 3, scales)
    assert.equal(lanes, 4)
    assert.deepEqual([...squaredNorms], [25, 178, 16, 0, 0, 0, 0, 0])
  })

  it('says when there is more than fits, before it takes the memory', () => {
    const none = { indices: new Int32Array(0), data: new Float64Array(0) }
    const matrix = { rows: 1, columns: 2 ** 26, indptr: Int32Array.of(0, 0), ...none }
    assert.throws(
      () => new PackedRows(matrix, 8, null),
      (error) => codeOf(error) === 'TRAINING_INVALID',
    )
  })
})
