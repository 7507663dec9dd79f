import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { WordMemo } from './word-memo.ts'

function recall(memo: WordMemo, word: readonly number[]): number[] | undefined {
  const terms = new Int32Array(400)
  const count = memo.recall(Int32Array.of(7, ...word, 7), 1, word.length + 1, terms, 3)
  return count < 0 ? undefined : [...terms.subarray(3, 3 + count)]
}

/** As its user does: looks a word up, and keeps its terms when it is unknown. */
function meet(memo: WordMemo, word: readonly number[], terms: readonly number[]) {
  const known = recall(memo, word)
  if (known !== undefined) return known
  memo.keep(
    Int32Array.from(word),
    0,
    word.length,
    Int32Array.of(9, ...terms, 9),
    1,
    terms.length + 1,
  )
  return terms
}

/** Characters that look random, others for every number. */
function scatter(word: Int32Array, number: number) {
  for (let place = 0; place < word.length; place++) {
    const mixed = Math.imul(number ^ (number >>> 7), 0x9e3779b1 + 2 * place)
    word[place] = Math.imul(mixed ^ (mixed >>> 13), 0x85ebca77) >>> 11
  }
}

describe('features: WordMemo', () => {
  it('gives back what was kept first for a word, and nothing for others', () => {
    const word = fc.array(fc.constantFrom(0, 1, 97, 98, 0x1f600), { minLength: 1, maxLength: 6 })
    const terms = fc.array(fc.nat(), { maxLength: 30 })
    fc.assert(
      fc.property(fc.array(fc.tuple(word, terms), { maxLength: 900 }), (all) => {
        const memo = new WordMemo()
        const kept = new Map<string, readonly number[]>()
        for (const [characters, found] of all) {
          const name = characters.join()
          assert.deepEqual(recall(memo, characters), kept.get(name))
          if (!kept.has(name)) kept.set(name, found)
          assert.deepEqual(meet(memo, characters, found), kept.get(name))
        }
        memo.clear()
        for (const [characters] of all) assert.equal(recall(memo, characters), undefined)
      }),
      { numRuns: 40 },
    )
  })

  it('does not keep words of more than 32 characters', () => {
    const memo = new WordMemo()
    for (const length of [32, 33]) meet(memo, new Array<number>(length).fill(97), [length])
    assert.deepEqual(recall(memo, new Array<number>(32).fill(97)), [32])
    assert.equal(recall(memo, new Array<number>(33).fill(97)), undefined)
  })

  it('forgets when it is full, and stays right', () => {
    const memo = new WordMemo()
    const terms = Array.from({ length: 300 }, (_, index) => index)
    let forgotten = 0
    for (let word = 0; word < 8000; word++) {
      meet(memo, [word >> 8, word & 255], terms.with(0, word))
      if (recall(memo, [0, 0]) === undefined) forgotten++
    }
    assert.ok(forgotten > 0, 'it was never full')
    for (const word of [7999, 7900]) {
      assert.deepEqual(recall(memo, [word >> 8, word & 255]), terms.with(0, word))
    }
  })

  it('keeps words apart whose hashes are equal', () => {
    // Of 300,000 words some ten pairs share 32 bits.
    const memo = new WordMemo()
    const word = new Int32Array(3)
    const terms = new Int32Array(4)
    for (let index = 1; index <= 300_000; index++) {
      scatter(word, index)
      assert.equal(memo.recall(word, 0, 3, terms, 0), -1)
      terms[0] = index
      memo.keep(word, 0, 3, terms, 0, 1)
    }
    for (let index = 1; index <= 300_000; index += 7) {
      scatter(word, index)
      assert.equal(memo.recall(word, 0, 3, terms, 0), 1)
      assert.equal(terms[0], index)
    }
  })
})
