import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { LookupCache } from './cache.ts'
import { keyText } from './key.ts'
import type { LookupKey } from './lookup.ts'

/** The same, slowly and plainly: a list, the one used last at its end. */
class PlainCache {
  readonly #entries: number
  #held: { key: string; answer: number; endsAtMs: number }[] = []

  constructor(entries: number) {
    this.#entries = entries
  }

  get size(): number {
    return this.#held.length
  }

  get(key: string, nowMs: number): number | undefined {
    const found = this.#held.find((one) => one.key === key)
    if (found === undefined) return undefined
    this.#held = this.#held.filter((one) => one !== found)
    if (found.endsAtMs <= nowMs) return undefined
    this.#held.push(found)
    return found.answer
  }

  set(key: string, answer: number, livesMs: number, nowMs: number): void {
    if (livesMs === 0) return
    this.#held = this.#held.filter((one) => one.key !== key)
    this.#held.push({ key, answer, endsAtMs: nowMs + livesMs })
    this.#held = this.#held.slice(-this.#entries)
  }
}

describe('the cache of look-ups', () => {
  it('holds what a plain one holds, whatever is done to both', () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd', 'e')
    const step = fc.oneof(
      fc.record({ kind: fc.constant('get' as const), key }),
      fc.record({ kind: fc.constant('set' as const), key, livesMs: fc.constantFrom(0, 5, 50) }),
      fc.record({ kind: fc.constant('wait' as const), key, ms: fc.integer({ min: 1, max: 20 }) }),
    )
    const steps = fc.array(step, { maxLength: 60, size: 'max' })
    let evicted = 0
    let ended = 0
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), steps, (entries, drawn) => {
        let nowMs = 1000
        const cache = new LookupCache<number>(entries, () => nowMs)
        const plain = new PlainCache(entries)
        for (const [index, one] of drawn.entries()) {
          const before = plain.size
          if (one.kind === 'wait') nowMs += one.ms
          else if (one.kind === 'get') {
            assert.equal(cache.get(one.key), plain.get(one.key, nowMs))
            if (plain.size < before) ended++
          } else {
            cache.set(one.key, index, one.livesMs)
            plain.set(one.key, index, one.livesMs, nowMs)
            if (before === entries && plain.size === before) evicted++
          }
          assert.equal(cache.size, plain.size)
          assert.ok(cache.size <= entries)
        }
      }),
      { numRuns: 300, seed: 11 },
    )
    assert.ok(evicted > 50 && ended > 50, `${evicted} evicted, ${ended} ended`)
  })
})

describe('texts of keys', () => {
  it('differ where keys do', () => {
    const field = fc.oneof(
      fc.string({ maxLength: 3 }),
      fc.integer({ min: -3, max: 3 }),
      fc.bigInt({ min: -3n, max: 3n }),
      fc.boolean(),
      fc.constantFrom('5', 's', '[', ',', '"', 'n5'),
    )
    const key = fc.oneof(field, fc.array(field, { minLength: 1, maxLength: 3 }))
    const shown = (one: LookupKey) =>
      JSON.stringify(one, (_, value) => (typeof value === 'bigint' ? { big: `${value}` } : value))
    fc.assert(
      fc.property(key, key, (one, other) => {
        assert.equal(keyText(one) === keyText(other), shown(one) === shown(other))
      }),
      { numRuns: 2000, seed: 5 },
    )
  })

  it('are not made of what is no key', () => {
    for (const [wrong, says] of [
      [Number.NaN, /the key is NaN/],
      [{}, /a value of type object/],
      [new Date(), /a Date/],
      [[], /a list of nothing/],
      [[null], /the key is null/],
      [[['a']], /a list in a list/],
    ] as const) {
      assert.throws(() => keyText(wrong), says)
    }
  })
})
