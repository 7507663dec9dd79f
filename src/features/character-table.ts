/**
 * N-grams of characters, numbered: a text goes in, the numbers of its terms come out, for the
 * analysers 'char' and 'char_wb'. The vectoriser learns with it and the compiled scorer looks up in
 * it, so both see the same terms; `analyse` is the plain definition.
 *
 * A term is a pair, the number of what stands before its last character, and that character's code
 * point: exact, and no string is ever joined. From each place on, a text is walked as far as the
 * longest n-gram, or as terms are known.
 */
import { pythonSpaces } from './characters.ts'
import { noPrefix, PairTable } from './pair-table.ts'
import type { TermReader } from './term-reader.ts'
import { WordMemo } from './word-memo.ts'
import type { Numbering } from './word-table.ts'

/** What a huge text leaves behind is given back to the collector. */
const keptBufferLength = 65_536
const space = 0x20

export interface CharacterTableOptions {
  readonly analyzer: 'char' | 'char_wb'
  readonly lowercase: boolean
  /** Shortest and longest n-gram, in code points. */
  readonly ngramRange: readonly [number, number]
}

export class CharacterTable implements TermReader {
  terms: Int32Array = new Int32Array(256)
  readonly #withinWords: boolean
  readonly #lowercase: boolean
  readonly #shortest: number
  readonly #longest: number
  readonly #numbering: Numbering = { next: 0 }
  readonly #pairs = new PairTable(this.#numbering)
  /** By ASCII character: the number of the term that it is, plus one (0: look it up). */
  readonly #ascii = new Int32Array(128)
  readonly #memo = new WordMemo()
  /** The size at which the memo holds all that is found without learning; -1: at any size. */
  #memoSize = -1
  /** The code points of the text at hand, with white space as the analyser sees it. */
  #characters = new Int32Array(256)

  constructor(options: CharacterTableOptions) {
    this.#withinWords = options.analyzer === 'char_wb'
    this.#lowercase = options.lowercase
    this.#shortest = options.ngramRange[0]
    this.#longest = options.ngramRange[1]
  }

  get size(): number {
    return this.#numbering.next
  }

  read(text: string, learn: boolean): number {
    // Only the lower case of the whole text is exact, and it can be longer than the text.
    const given = this.#lowercase ? text.toLowerCase() : text
    this.#makeRoom(given.length + 2)
    if (!this.#withinWords) return this.#readGrams(0, this.#writeAll(given), 0, learn)
    if (this.#memoSize >= 0 && (learn || this.#memoSize !== this.size)) {
      this.#memo.clear()
      this.#memoSize = -1
    }
    if (!learn) this.#memoSize = this.size
    return this.#readWords(this.#writeWords(given), learn)
  }

  add(term: string): number {
    let number = noPrefix
    for (let index = 0; index < term.length; index++) {
      const character = term.codePointAt(index)!
      if (character > 0xffff) index++
      number = this.#pairs.numberOf(number, character, true)
    }
    return number
  }

  termOf(number: number): string {
    const characters: number[] = []
    for (let at = number; at >= 0; at = this.#pairs.prefixOf(at)) {
      characters.push(this.#pairs.lastOf(at))
    }
    return String.fromCodePoint(...characters.reverse())
  }

  partsOf(number: number, target: Int32Array, at: number): number {
    const prefix = this.#pairs.prefixOf(number)
    const before = prefix < 0 ? 0 : this.partsOf(prefix, target, at)
    target[at + before] = this.#first(this.#pairs.lastOf(number), true)
    return before + 1
  }

  #makeRoom(length: number): void {
    if (this.#characters.length < length || this.#characters.length > keptBufferLength) {
      this.#characters = new Int32Array(Math.max(256, length))
    }
    // The space between two words is one of the text, but a term of each where one character is one.
    const spaces = this.#withinWords && this.#shortest === 1 ? length >> 1 : 0
    const most = length * (this.#longest - this.#shortest + 1) + spaces
    if (this.terms.length < most || this.terms.length > keptBufferLength) {
      this.terms = new Int32Array(Math.max(256, most))
    }
  }

  /** The terms of each word, which the memo may have. */
  #readWords(length: number, learn: boolean): number {
    const characters = this.#characters
    const terms = this.terms
    const memo = this.#memo
    let count = 0
    let start = 0
    for (let index = 1; index < length; index++) {
      if (characters[index] !== space) continue
      const recalled = memo.recall(characters, start + 1, index, terms, count)
      if (recalled >= 0) {
        count += recalled
      } else {
        const from = count
        count = this.#readGrams(start, index + 1, count, learn)
        memo.keep(characters, start + 1, index, terms, from, count)
      }
      // The space behind a word is also the one before the next.
      start = index
    }
    return count
  }

  /** The characters of the text, two or more of white space in a row as one space. */
  #writeAll(text: string): number {
    const characters = this.#characters
    let length = 0
    for (let index = 0; index < text.length; index++) {
      const character = text.codePointAt(index)!
      if (character > 0xffff) index++
      characters[length++] = character
      if (pythonSpaces[character] !== 1) continue
      let next = index + 1
      while (pythonSpaces[text.charCodeAt(next)] === 1) next++
      if (next === index + 1) continue
      characters[length - 1] = space
      index = next - 1
    }
    return length
  }

  /** The words of the text, what stands between white space: a space, then each with one behind. */
  #writeWords(text: string): number {
    const characters = this.#characters
    characters[0] = space
    let length = 1
    for (let index = 0; index < text.length; index++) {
      const character = text.codePointAt(index)!
      if (character > 0xffff) index++
      if (pythonSpaces[character] !== 1) characters[length++] = character
      else if (characters[length - 1] !== space) characters[length++] = space
    }
    if (characters[length - 1] !== space) characters[length++] = space
    return length
  }

  /**
   * The n-grams between `start` and `end` into `terms` from `count` on; returns the count then. A word
   * shorter than the shortest n-gram stands once, whole.
   */
  #readGrams(start: number, end: number, count: number, learn: boolean): number {
    const characters = this.#characters
    const terms = this.terms
    const pairs = this.#pairs
    const longest = this.#longest
    const isShort = this.#withinWords && end - start < this.#shortest
    const shortest = isShort ? end - start : this.#shortest
    const lastStart = end - shortest
    for (let from = start; from <= lastStart; from++) {
      let number = this.#first(characters[from]!, learn)
      if (number < 0) continue
      if (shortest === 1) terms[count++] = number
      const last = Math.min(end, from + longest)
      for (let index = from + 1; index < last; index++) {
        number = pairs.numberOf(number, characters[index]!, learn)
        if (number < 0) break
        if (index - from + 1 >= shortest) terms[count++] = number
      }
    }
    return count
  }

  /** The number of the term that is one character, or -1. */
  #first(character: number, learn: boolean): number {
    if (character >= 128) return this.#pairs.numberOf(noPrefix, character, learn)
    const known = this.#ascii[character]!
    if (known !== 0) return known - 1
    const number = this.#pairs.numberOf(noPrefix, character, learn)
    this.#ascii[character] = number + 1
    return number
  }
}
