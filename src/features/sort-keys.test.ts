import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { KeySorter } from './sort-keys.ts'

describe('features: sorting keys', () => {
  it('sorts by the bits asked for and leaves equal ones in their order', () => {
    const sorter = new KeySorter()
    const given = fc.tuple(
      fc.integer({ min: 1, max: 32 }),
      fc.constantFrom(0, 1, 24, 25, 300, 1023, 1024, 3000),
      fc.integer(),
    )
    fc.assert(
      fc.property(given, ([endBit, count, seed]) => {
        const most = 2 ** endBit - 1
        const keys = Array.from({ length: count }, (_, index) => noise(seed + index) % (most + 1))
        sorter.reserve(count, 512)
        sorter.keys.set(keys)
        sorter.sort(count, 1, endBit)
        const expected = keys.toSorted((a, b) => (a >>> 1) - (b >>> 1))
        assert.deepEqual([...sorter.keys.subarray(0, count)], expected)
      }),
    )
  })
})

/** A number of 32 bits that looks like any. */
function noise(seed: number): number {
  const mixed = Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d)
  return (mixed ^ (mixed >>> 12)) >>> 0
}
