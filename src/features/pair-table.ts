/**
 * Pairs of numbers, numbered: what an n-gram is made of, its first n - 1 parts and its last part, so
 * that terms of any length are told apart exactly and no string is ever joined.
 *
 * Open addressing, at most half full.
 */
import { withRoom } from './growth.ts'
import type { Numbering } from './word-table.ts'

/** The prefix of a pair that begins with its last part. */
export const noPrefix = -1

export class PairTable {
  readonly #numbering: Numbering
  /** Three a slot: prefix, last, the number of the pair plus one (0: free). */
  #slots = new Int32Array(3 * 64)
  #mask = 63
  #count = 0
  /** By number, for pairs: the prefix plus one, the last part. */
  #prefixes = new Int32Array(64)
  #lasts = new Int32Array(64)

  constructor(numbering: Numbering) {
    this.#numbering = numbering
  }

  /** The number of a pair, or -1 when it has none and `learn` does not ask for one. */
  numberOf(prefix: number, last: number, learn: boolean): number {
    const slots = this.#slots
    const mask = this.#mask
    let slot = pairHash(prefix, last) & mask
    while (true) {
      const entry = slots[3 * slot + 2]!
      if (entry === 0) break
      if (slots[3 * slot] === prefix && slots[3 * slot + 1] === last) return entry - 1
      slot = (slot + 1) & mask
    }
    return learn ? this.#insert(slot, prefix, last) : -1
  }

  /** The prefix of a number; `noPrefix` when there is none, or when the number is not of a pair. */
  prefixOf(number: number): number {
    return number < this.#prefixes.length ? this.#prefixes[number]! - 1 : noPrefix
  }

  /** The last part of a numbered pair. */
  lastOf(number: number): number {
    return this.#lasts[number]!
  }

  #insert(slot: number, prefix: number, last: number): number {
    const number = this.#numbering.next++
    this.#prefixes = withRoom(this.#prefixes, number + 1)
    this.#lasts = withRoom(this.#lasts, number + 1)
    this.#prefixes[number] = prefix + 1
    this.#lasts[number] = last
    this.#slots[3 * slot] = prefix
    this.#slots[3 * slot + 1] = last
    this.#slots[3 * slot + 2] = number + 1
    this.#count++
    if (this.#count * 6 > this.#slots.length) this.#growSlots()
    return number
  }

  #growSlots(): void {
    const old = this.#slots
    const slots = new Int32Array(old.length * 2)
    const mask = slots.length / 3 - 1
    for (let index = 0; index < old.length; index += 3) {
      if (old[index + 2] === 0) continue
      let slot = pairHash(old[index]!, old[index + 1]!) & mask
      while (slots[3 * slot + 2] !== 0) slot = (slot + 1) & mask
      slots[3 * slot] = old[index]!
      slots[3 * slot + 1] = old[index + 1]!
      slots[3 * slot + 2] = old[index + 2]!
    }
    this.#slots = slots
    this.#mask = mask
  }
}

/** Mixes two numbers: products with odd constants, then a round of multiply and fold. */
function pairHash(prefix: number, last: number): number {
  let hash = Math.imul(prefix, 0x9e3779b1) ^ Math.imul(last, 0x85ebca77)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return hash ^ (hash >>> 13)
}
