/**
 * Words and n-grams of words, numbered: a text goes in, the numbers of its terms come out. The
 * vectoriser learns with it and the compiled scorer looks up in it, so both see the same terms.
 *
 * An n-gram is a pair of numbers, that of the term of its first n - 1 words and that of its last
 * word: exact, and no string is ever joined.
 */
import type { Analyzer } from './analyse.ts'
import { CharacterTable } from './character-table.ts'
import { PairTable } from './pair-table.ts'
import { type StopWords, stopWordList } from './stop-words.ts'
import type { TermReader } from './term-reader.ts'
import { type Numbering, WordTable } from './word-table.ts'

/** What a huge text leaves behind is given back to the collector. */
const keptBufferLength = 65_536

export interface TermTableOptions {
  readonly lowercase: boolean
  /** Shortest and longest n-gram. */
  readonly ngramRange: readonly [number, number]
  readonly stopWords: readonly string[]
}

export interface TermReaderOptions {
  readonly analyzer: Analyzer
  readonly lowercase: boolean
  /** Shortest and longest n-gram, in words or in code points. */
  readonly ngramRange: readonly [number, number]
  /** Without meaning for characters. */
  readonly stopWords: StopWords
}

/** The reader of an analyser's terms. */
export function termReader(options: TermReaderOptions): TermReader {
  const { analyzer, lowercase, ngramRange, stopWords } = options
  return analyzer === 'word'
    ? new TermTable({ lowercase, ngramRange, stopWords: stopWordList(stopWords) })
    : new CharacterTable({ analyzer, lowercase, ngramRange })
}

export class TermTable implements TermReader {
  /** What `read` found: valid up to the count that it returned, until the next call. */
  terms: Int32Array = new Int32Array(256)
  readonly #shortest: number
  readonly #longest: number
  readonly #numbering: Numbering = { next: 0 }
  readonly #words: WordTable
  readonly #pairs = new PairTable(this.#numbering)
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
      number = number < 0 ? last : this.#pairs.numberOf(number, last, true)
    }
    return number
  }

  /** The words of a numbered term, joined by one space. */
  termOf(number: number): string {
    const prefix = this.#pairs.prefixOf(number)
    if (prefix < 0) return this.#words.textOf(number)
    return `${this.termOf(prefix)} ${this.#words.textOf(this.#pairs.lastOf(number))}`
  }

  partsOf(number: number, target: Int32Array, at: number): number {
    const prefix = this.#pairs.prefixOf(number)
    const before = prefix < 0 ? 0 : this.partsOf(prefix, target, at)
    target[at + before] = prefix < 0 ? number : this.#pairs.lastOf(number)
    return before + 1
  }

  /** From the words to the n-grams of the wanted lengths; unknown ones are left out. */
  #readGrams(wordCount: number, learn: boolean): number {
    const most = wordCount * (this.#longest - this.#shortest + 1)
    if (this.terms.length < most || this.terms.length > keptBufferLength) {
      this.terms = new Int32Array(Math.max(256, most))
    }
    const words = this.#words.words
    const pairs = this.#pairs
    const endings = this.#endings.fill(-1)
    let count = 0
    for (let index = 0; index < wordCount; index++) {
      const word = words[index]!
      for (let size = this.#longest; size > 1; size--) {
        const prefix = endings[size - 1]!
        const gram = prefix < 0 || word < 0 ? -1 : pairs.numberOf(prefix, word, learn)
        endings[size] = gram
        if (gram >= 0 && size >= this.#shortest) this.terms[count++] = gram
      }
      endings[1] = word
      if (word >= 0 && this.#shortest === 1) this.terms[count++] = word
    }
    return count
  }
}
