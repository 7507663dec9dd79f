/**
 * Words that were met before and the terms that they hold: natural texts repeat their words, so most
 * of them need one look here instead of one a term. Holds what fits; when full it forgets all.
 */
import { withRoom } from './growth.ts'

/** Longer words are rare and take the room of many. */
const longestWord = 32
/** 8 MB: some 60,000 words with their n-grams of 2 to 5 characters. */
const mostNumbers = 2_097_152

export class WordMemo {
  /** Two a slot: hash, where the word stands in the pool plus one (0: free). At most half full. */
  #slots = new Int32Array(2 * 256)
  #count = 0
  /** By word: how many characters, how many terms, the characters, the terms. */
  #pool = new Int32Array(1024)
  #poolLength = 0
  /** Of the word that was looked up last: its hash, and where the next one goes. */
  #hash = 0
  #slot = 0

  /** Forgets all, for when other terms are found than before. */
  clear(): void {
    this.#slots.fill(0)
    this.#count = 0
    this.#poolLength = 0
  }

  /**
   * Copies the terms of the word between `start` and `end` of the characters into `terms` from `at`
   * on, and returns how many; -1 for an unknown word.
   */
  recall(
    characters: Int32Array,
    start: number,
    end: number,
    terms: Int32Array,
    at: number,
  ): number {
    const length = end - start
    if (length > longestWord) return -1
    let hash = length
    for (let index = start; index < end; index++) {
      hash = Math.imul(hash ^ characters[index]!, 0x9e3779b1)
      hash ^= hash >>> 15
    }
    const slots = this.#slots
    const pool = this.#pool
    const mask = slots.length - 1
    let slot = (hash << 1) & mask
    let place = slots[slot + 1]!
    while (place !== 0) {
      if (slots[slot] === hash && pool[place - 1] === length) {
        let index = 0
        while (index < length && pool[place + 1 + index] === characters[start + index]) index++
        if (index === length) return copyTerms(pool, place, terms, at)
      }
      slot = (slot + 2) & mask
      place = slots[slot + 1]!
    }
    this.#hash = hash
    this.#slot = slot
    return -1
  }

  /** Keeps the terms between `from` and `to` for the word that was just looked up in vain. */
  keep(
    characters: Int32Array,
    start: number,
    end: number,
    terms: Int32Array,
    from: number,
    to: number,
  ): void {
    const length = end - start
    const needed = 2 + length + to - from
    if (length > longestWord) return
    if (this.#poolLength + needed > mostNumbers) {
      this.clear()
      return
    }
    this.#pool = withRoom(this.#pool, this.#poolLength + needed)
    const pool = this.#pool
    let place = this.#poolLength
    this.#slots[this.#slot] = this.#hash
    this.#slots[this.#slot + 1] = place + 1
    if (++this.#count * 4 > this.#slots.length) this.#growSlots()
    pool[place++] = length
    pool[place++] = to - from
    for (let index = start; index < end; index++) pool[place++] = characters[index]!
    for (let index = from; index < to; index++) pool[place++] = terms[index]!
    this.#poolLength = place
  }

  #growSlots(): void {
    const old = this.#slots
    const slots = new Int32Array(old.length * 2)
    const mask = slots.length - 1
    for (let from = 0; from < old.length; from += 2) {
      if (old[from + 1] === 0) continue
      let slot = (old[from]! << 1) & mask
      while (slots[slot + 1] !== 0) slot = (slot + 2) & mask
      slots[slot] = old[from]!
      slots[slot + 1] = old[from + 1]!
    }
    this.#slots = slots
  }
}

/** The terms of the word at that place of the pool; returns how many. */
function copyTerms(pool: Int32Array, place: number, terms: Int32Array, at: number): number {
  const count = pool[place]!
  const first = place + 1 + pool[place - 1]!
  for (let index = 0; index < count; index++) terms[at + index] = pool[first + index]!
  return count
}
