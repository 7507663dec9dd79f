/**
 * Words and n-grams of words, numbered: a text goes in, the numbers of its terms come out. The
 * vectoriser learns with it and the compiled scorer looks up in it, so both see the same terms.
 *
 * An n-gram is a pair of numbers, that of the term of its first n - 1 words and that of its last
 * word, in an open-addressing table at most half full: exact, and no string is ever joined.
 */
import { withRoom } from './growth.ts'
import { type Numbering, WordTable } from './word-table.ts'

/** What a huge text leaves behind is given back to the collector. */
const keptBufferLength = 65_536

export interface TermTableOptions {
  readonly lowercase: boolean
  /** Shortest and longest n-gram. */
  readonly ngramRange: readonly [number, number]
  readonly stopWords: readonly string[]
}

export class TermTable {
  /** What `read` found: valid up to the count that it returned, until the next call. */
  terms: Int32Array = new Int32Array(256)
  readonly #shortest: number
  readonly #longest: number
  readonly #numbering: Numbering = { next: 0 }
  readonly #words: WordTable
  /** Three a slot: the term before the last word, the last word, the n-gram plus one (0: free). */
  #slots = new Int32Array(3 * 64)
  #gramCount = 0
  /** By number, for n-grams: the term before the last word plus one (0: a word), the last word. */
  #prefixes = new Int32Array(64)
  #lasts = new Int32Array(64)
  /** As `read` goes: by length, the n-gram that ends at the last word. */
  readonly #endings: Int32Array

  constructor(options: TermTableOptions) {
    this.#shortest = options.ngramRange[0]
    this.#longest = options.ngramRange[1]
    this.#endings = new Int32Array(this.#longest + 1)
    this.#words = new WordTable(options.lowercase, options.stopWords, this.#numbering)
  }

  /** How many terms are numbered, among them stop words and the beginnings of longer n-grams. */
  get size(): number {
    return this.#numbering.next
  }

  /**
   * Finds the terms of a text, as often as they stand in it, in `terms`, and returns how many. With
   * `learn`, unknown ones are numbered; without, they are left out.
   */
  read(text: string, learn: boolean): number {
    if (this.#longest > 1) return this.#readGrams(this.#words.read(text, learn, true), learn)
    const count = this.#words.read(text, learn, false)
    this.terms = this.#words.words
    return count
  }

  /** The number of a term given as its words joined by one space, new or known. */
  add(term: string): number {
    let number = -1
    for (const word of term.split(' ')) {
      const last = this.#words.add(word)
      number = number < 0 ? last : this.#gram(number, last, true)
    }
    return number
  }

  /** The words of a numbered term, joined by one space. */
  termOf(number: number): string {
    const prefix = number < this.#prefixes.length ? this.#prefixes[number]! : 0
    if (prefix === 0) return this.#words.textOf(number)
    return `${this.termOf(prefix - 1)} ${this.#words.textOf(this.#lasts[number]!)}`
  }

  /** Writes the numbers of a term's words into `target` from `at` on, and returns how many. */
  wordsOf(number: number, target: Int32Array, at: number): number {
    const prefix = number < this.#prefixes.length ? this.#prefixes[number]! : 0
    const before = prefix === 0 ? 0 : this.wordsOf(prefix - 1, target, at)
    target[at + before] = prefix === 0 ? number : this.#lasts[number]!
    return before + 1
  }

  /** From the words to the n-grams of the wanted lengths; unknown ones are left out. */
  #readGrams(wordCount: number, learn: boolean): number {
    const most = wordCount * (this.#longest - this.#shortest + 1)
    if (this.terms.length < most || this.terms.length > keptBufferLength) {
      this.terms = new Int32Array(Math.max(256, most))
    }
    const words = this.#words.words
    const endings = this.#endings.fill(-1)
    let count = 0
    for (let index = 0; index < wordCount; index++) {
      const word = words[index]!
      for (let size = this.#longest; size > 1; size--) {
        const prefix = endings[size - 1]!
        const gram = prefix < 0 || word < 0 ? -1 : this.#gram(prefix, word, learn)
        endings[size] = gram
        if (gram >= 0 && size >= this.#shortest) this.terms[count++] = gram
      }
      endings[1] = word
      if (word >= 0 && this.#shortest === 1) this.terms[count++] = word
    }
    return count
  }

  /** The number of the n-gram, or -1. */
  #gram(prefix: number, last: number, learn: boolean): number {
    const slots = this.#slots
    const mask = slots.length / 3 - 1
    let slot = pairHash(prefix, last) & mask
    while (true) {
      const entry = slots[3 * slot + 2]!
      if (entry === 0) break
      if (slots[3 * slot] === prefix && slots[3 * slot + 1] === last) return entry - 1
      slot = (slot + 1) & mask
    }
    return learn ? this.#insert(slot, prefix, last) : -1
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
    this.#gramCount++
    if (this.#gramCount * 6 > this.#slots.length) this.#growSlots()
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
  }
}

/** Mixes two numbers: products with odd constants, then a round of multiply and fold. */
function pairHash(prefix: number, last: number): number {
  let hash = Math.imul(prefix, 0x9e3779b1) ^ Math.imul(last, 0x85ebca77)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return hash ^ (hash >>> 13)
}
