import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { compareKeys } from '../core/key-order.ts'
import { SortedKeys } from './sorted-keys.ts'

const key = fc.string({ maxLength: 2, unit: fc.constantFrom('a', 'b', 'é', '\ufffd', '😀') })
const change = fc.record({ key, isDelete: fc.boolean(), look: fc.boolean() })

describe('sorted keys', () => {
  it('are those of the map, in order, whenever somebody looks', () =>
    fc.assert(
      fc.property(fc.array(change, { size: 'max', maxLength: 60 }), key, (changes, from) => {
        const sorted = new SortedKeys()
        const there = new Set<string>()
        for (const one of changes) {
          if (one.isDelete) there.delete(one.key)
          else {
            there.add(one.key)
            sorted.add(one.key)
          }
          if (!one.look) continue
          const expected = [...there]
            .sort(compareKeys)
            .filter((name) => compareKeys(name, from) >= 0)
          const has = (name: string) => there.has(name)
          assert.deepEqual(sorted.range(from, undefined, 99, has), expected)
          assert.deepEqual(
            sorted.range(from, 'b', 2, has),
            expected.filter((name) => compareKeys(name, 'b') < 0).slice(0, 2),
          )
        }
      }),
    ))
})
