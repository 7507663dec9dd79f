import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { CountRows } from './count-rows.ts'
import { toDense } from './sparse.ts'

const size = 12
/** By term, a count: around 255, where a byte ends, above all. */
const row = fc.uniqueArray(
  fc.tuple(
    fc.nat(size - 1),
    fc.oneof(fc.constantFrom(1, 254, 255, 256), fc.integer({ min: 1, max: 2 ** 31 - 1 })),
  ),
  { selector: ([term]) => term, maxLength: size },
)
const columns = fc
  .uniqueArray(fc.nat(size - 1), { minLength: 1 })
  .map((terms) => Int32Array.from({ length: size }, (_, term) => terms.indexOf(term)))

describe('features: CountRows', () => {
  it('makes the matrix of the terms that become columns, sorted within rows', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 5 }), columns, (given, columnOf) => {
        const rows = new CountRows()
        const width = Math.max(...columnOf) + 1
        const dense = new Float64Array(given.length * width)
        const totals = new Float64Array(size)
        const frequencies = new Int32Array(size)
        for (const [at, entries] of given.entries()) {
          for (const [term, count] of entries) {
            rows.add(term, count)
            totals[term]! += count
            frequencies[term]!++
            if (columnOf[term]! >= 0) dense[at * width + columnOf[term]!] = count
          }
          rows.endRow()
        }
        assert.equal(rows.rows, given.length)
        assert.deepEqual(rows.totals(size), totals)
        assert.deepEqual(rows.documentFrequencies(size), frequencies)
        const matrix = rows.toMatrix(columnOf, width)
        assert.deepEqual(toDense(matrix), dense)
        assert.equal(matrix.indices.length, dense.filter((value) => value > 0).length)
        for (let at = 0; at < matrix.rows; at++) {
          const found = matrix.indices.slice(matrix.indptr[at]!, matrix.indptr[at + 1]!)
          assert.deepEqual(found, found.toSorted())
        }
      }),
    )
  })

  it('grows past its first room, in rows and in entries', () => {
    const rows = new CountRows()
    for (let at = 0; at < 3000; at++) {
      for (let term = 0; term < 10; term++) rows.add((at + 7 * term) % 1000, at % 300 || 1)
      rows.endRow()
    }
    const columnOf = Int32Array.from({ length: 1000 }, (_, term) => 999 - term)
    const matrix = rows.toMatrix(columnOf, 1000)
    assert.equal(matrix.indptr[3000], 30_000)
    const cells = toDense(matrix)
    for (const at of [0, 1023, 1024, 2999]) {
      for (let term = 0; term < 10; term++) {
        assert.equal(cells[at * 1000 + 999 - ((at + 7 * term) % 1000)], at % 300 || 1)
      }
    }
  })
})
