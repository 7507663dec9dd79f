import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { SparseBuilder, type SparseMatrix, toDense } from '../features/sparse.ts'
import { compactColumns } from './compact-columns.ts'

const columns = 12
const anyMatrix = fc
  .array(
    fc.uniqueArray(fc.tuple(fc.nat(columns - 1), fc.constantFrom(0, 1, -2, 0.5, 3)), {
      selector: ([column]) => column,
      maxLength: 5,
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((rows): SparseMatrix => {
    const builder = new SparseBuilder()
    for (const row of rows) {
      for (const [column, value] of row.sort(([a], [b]) => a - b)) builder.add(column, value)
      builder.endRow()
    }
    return builder.build(columns)
  })

describe('models: compact columns', () => {
  it('says the same of every row: scores of all weights, and the lengths of rows and weights', () => {
    const weights = fc.array(fc.integer({ min: -9, max: 9 }), {
      minLength: columns * 2,
      maxLength: columns * 2,
    })
    fc.assert(
      fc.property(anyMatrix, weights, (given, numbers) => {
        const { matrix, places, factors } = compactColumns(given)
        const learnt = numbers.slice(0, matrix.columns)
        const meant = Array.from(places, (place, column) =>
          place < 0 ? 0 : factors[column]! * learnt[place]!,
        )
        const scores = (cells: Float64Array, by: readonly number[]) =>
          Array.from({ length: given.rows }, (_, row) =>
            by.reduce((sum, weight, column) => sum + weight * cells[row * by.length + column]!, 0),
          )
        const before = scores(toDense(given), meant)
        const after = scores(toDense(matrix), learnt)
        for (const [row, score] of after.entries()) assert.ok(Math.abs(score - before[row]!) < 1e-9)
        const squares = (values: readonly number[]) =>
          values.reduce((sum, value) => sum + value * value, 0)
        assert.ok(Math.abs(squares(meant) - squares(learnt)) < 1e-9)
      }),
    )
  })

  it('joins what stands in one row alone, and puts frequent columns first', () => {
    const builder = new SparseBuilder()
    for (const row of [
      [
        [0, 3],
        [1, 1],
        [2, 4],
      ],
      [
        [1, 1],
        [4, 2],
      ],
      [
        [1, 1],
        [4, 2],
      ],
      [],
    ] as [number, number][][]) {
      for (const [column, value] of row) builder.add(column, value)
      builder.endRow()
    }
    const { matrix, places, factors } = compactColumns(builder.build(5))
    assert.deepEqual([...places], [2, 0, 2, -1, 1])
    assert.deepEqual([...factors], [3 / 5, 1, 4 / 5, 1, 1])
    assert.deepEqual([...toDense(matrix)], [1, 0, 5, 1, 2, 0, 1, 2, 0, 0, 0, 0])
  })
})
