/**
 * The terms of texts as hashed columns: what `HashingVectorizer` counts, and what a scorer reads
 * where there is no vocabulary. The text is written once as UTF-8 in which every term is one range
 * of bytes; no term becomes a string.
 */
import type { AnalyseOptions, Analyzer } from './analyse.ts'
import { separator, writeCodes } from './characters.ts'
import { asciiLetters, byteOfCode, isSpace, writeCodePoint } from './hashed-bytes.ts'
import { hashRange, hashTail, mixBlock, murmur3, wordBytes } from './murmur3.ts'
import { stopWordList } from './stop-words.ts'

export interface HashedTermsOptions extends AnalyseOptions {
  /** Columns to hash into. */
  readonly nFeatures: number
  /** Let a bit of the hash choose the sign, so that collisions cancel rather than add up. */
  readonly alternateSign: boolean
}

/** What a huge text leaves behind is given back to the collector. */
const keptLength = 65_536
const space = 0x20
const replacementCharacter = 0xfffd

export class HashedTerms {
  /** What `read` found, a column each: valid up to the count that it returned, until the next call. */
  terms: Int32Array = new Int32Array(256)
  /** The sign of each, 1 or -1. */
  signs: Int8Array = new Int8Array(256)
  readonly #analyzer: Analyzer
  readonly #lowercase: boolean
  readonly #shortest: number
  readonly #longest: number
  readonly #nFeatures: number
  readonly #alternateSign: boolean
  /** By hash, the stop words that have it. */
  readonly #stopWords: ReadonlyMap<number, readonly Uint8Array[]>
  #bytes = Buffer.allocUnsafeSlow(4096)
  #view = new DataView(this.#bytes.buffer)
  #codes = new Uint16Array(256)
  /** Where each unit (a word, or a character) begins in the bytes, and where the one after the last would. */
  #starts = new Int32Array(1024)
  #count = 0

  /** The options are taken as they are: `HashingVectorizer` checks them. */
  constructor(options: HashedTermsOptions) {
    this.#analyzer = options.analyzer
    this.#lowercase = options.lowercase
    this.#shortest = options.ngramRange[0]
    this.#longest = options.ngramRange[1]
    this.#nFeatures = options.nFeatures
    this.#alternateSign = options.alternateSign
    this.#stopWords = stopWordsByHash(
      options.analyzer === 'word' ? stopWordList(options.stopWords) : [],
    )
  }

  /**
   * Finds the terms of a text, as often as they stand in it, by where they begin, and returns how
   * many. The terms are those of `analyse`.
   */
  read(text: string): number {
    this.#count = 0
    if (this.terms.length > keptLength) {
      this.terms = new Int32Array(256)
      this.signs = new Int8Array(256)
    }
    if (this.#analyzer === 'word') {
      this.#hashGrams(0, this.#writeWords(text), 1)
      return this.#count
    }
    const given = this.#lowercase ? text.toLowerCase() : text
    this.#reserve(given.length)
    if (this.#analyzer === 'char') this.#hashGrams(0, this.#writeCharacters(given), 0)
    else this.#hashWordBound(given)
    return this.#count
  }

  /** Room for a text of that many UTF-16 units: three bytes each at most, and spaces around. */
  #reserve(units: number): void {
    const needed = 3 * units + 8 + wordBytes
    if (needed > this.#bytes.length || this.#bytes.length > Math.max(3 * keptLength, needed)) {
      this.#bytes = Buffer.allocUnsafeSlow(Math.max(4096, needed))
      this.#view = new DataView(this.#bytes.buffer)
    }
    if (units + 4 > this.#starts.length || this.#starts.length > Math.max(keptLength, units + 4)) {
      this.#starts = new Int32Array(Math.max(1024, units + 4))
    }
  }

  /** The words of the text, one space behind each, so that an n-gram is one range. Returns how many. */
  #writeWords(text: string): number {
    this.#reserve(text.length)
    const bytes = this.#bytes
    const length = bytes.write(text, 0)
    // Every character but ASCII takes more than one byte.
    if (length !== text.length) return this.#writeAnyWords(text)
    const letters = asciiLetters(this.#lowercase)
    const starts = this.#starts
    const anyStopWords = this.#stopWords.size > 0
    let words = 0
    let start = 0
    let end = 0
    // In place: what is written never overtakes what is read.
    for (let index = 0; index <= length; index++) {
      const letter = index < length ? letters[bytes[index]!]! : 0
      if (letter !== 0) {
        bytes[end++] = letter
        continue
      }
      if (end - start > 1 && !(anyStopWords && this.#isStopWord(start, end))) {
        starts[words++] = start
        bytes[end++] = space
        start = end
      } else {
        end = start
      }
    }
    starts[words] = start
    return words
  }

  /** As `#writeWords`, for a text with any character in it. */
  #writeAnyWords(text: string): number {
    const length = text.length
    if (this.#codes.length < length || this.#codes.length > Math.max(keptLength, length)) {
      this.#codes = new Uint16Array(Math.max(256, length))
    }
    const codes = this.#codes
    // Only the lower case of the whole text is exact, and that can be longer.
    if (!writeCodes(text, this.#lowercase, codes)) return this.#writeWords(text.toLowerCase())
    const bytes = this.#bytes
    let words = 0
    let start = 0
    let end = 0
    let characters = 0
    for (let index = 0; index <= length; index++) {
      const code = index < length ? codes[index]! : separator
      if (code !== separator) {
        characters++
        if (code < byteOfCode.length) {
          bytes[end++] = byteOfCode[code]!
        } else if (code < 0xd800 || code > 0xdfff) {
          end = writeCodePoint(bytes, end, code)
        } else {
          const low = codes[++index]!
          end = writeCodePoint(bytes, end, 0x1_0000 + ((code - 0xd800) << 10) + (low - 0xdc00))
        }
        continue
      }
      if (characters > 1 && !this.#isStopWord(start, end)) {
        this.#starts[words++] = start
        bytes[end++] = space
        start = end
      } else {
        end = start
      }
      characters = 0
    }
    this.#starts[words] = start
    return words
  }

  /** The characters; two spaces of whatever kind, or more, become one. Returns how many are left. */
  #writeCharacters(given: string): number {
    const bytes = this.#bytes
    const starts = this.#starts
    let characters = 0
    let end = 0
    for (let index = 0; index < given.length; index++) {
      const unit = given.charCodeAt(index)
      starts[characters++] = end
      if (unit < 0x80 && !isSpace(unit)) {
        bytes[end++] = unit
      } else if (isSpace(unit) && isSpace(given.charCodeAt(index + 1))) {
        bytes[end++] = space
        while (isSpace(given.charCodeAt(index + 1))) index++
      } else {
        const character = characterAt(given, index)
        if (character > 0xffff) index++
        end = writeCodePoint(bytes, end, character)
      }
    }
    starts[characters] = end
    return characters
  }

  /** Every word with a space before and behind it, which it shares with its neighbours. */
  #hashWordBound(given: string): void {
    const bytes = this.#bytes
    const starts = this.#starts
    bytes[0] = space
    starts[0] = 0
    starts[1] = 1
    /** Of the space before the word. */
    let first = 0
    let characters = 1
    let end = 1
    for (let index = 0; index <= given.length; index++) {
      const unit = index < given.length ? given.charCodeAt(index) : space
      if (!isSpace(unit)) {
        const character = characterAt(given, index)
        if (character > 0xffff) index++
        end = writeCodePoint(bytes, end, character)
        starts[++characters] = end
      } else if (characters - first > 1) {
        bytes[end++] = space
        starts[++characters] = end
        // A word shorter than the shortest n-gram stands once, whole.
        if (characters - first < this.#shortest)
          this.#add(hashRange(this.#view, starts[first]!, end))
        else this.#hashGrams(first, characters, 0)
        first = characters - 1
      }
    }
  }

  /**
   * The n-grams of the units from `first` up to `last`; `gap` is what stands between two units. Those
   * with one beginning share the work on what they have in common.
   */
  #hashGrams(first: number, last: number, gap: number): void {
    const view = this.#view
    const starts = this.#starts
    const shortest = this.#shortest
    for (let unit = first; unit + shortest <= last; unit++) {
      const start = starts[unit]!
      const most = Math.min(this.#longest, last - unit)
      let place = start
      let state = 0
      for (let size = shortest; size <= most; size++) {
        const end = starts[unit + size]! - gap
        for (; place + wordBytes <= end; place += wordBytes) {
          state = mixBlock(state, view.getInt32(place, true))
        }
        this.#add(hashTail(state, view, place, end, end - start))
      }
    }
  }

  /** As scikit-learn: the magnitude finds the column; -2 ** 31 has one, too, where C has none. */
  #add(hash: number): void {
    if (this.#count === this.terms.length) this.#grow()
    const minus = hash >> 31
    const magnitude = ((hash ^ minus) - minus) >>> 0
    this.terms[this.#count] = magnitude % this.#nFeatures
    this.signs[this.#count++] = this.#alternateSign ? minus | 1 : 1
  }

  #grow(): void {
    const terms = new Int32Array(this.terms.length * 2)
    const signs = new Int8Array(terms.length)
    terms.set(this.terms)
    signs.set(this.signs)
    this.terms = terms
    this.signs = signs
  }

  #isStopWord(start: number, end: number): boolean {
    if (this.#stopWords.size === 0) return false
    const candidates = this.#stopWords.get(hashRange(this.#view, start, end))
    return (
      candidates?.some((word) => this.#bytes.compare(word, 0, word.length, start, end) === 0) ??
      false
    )
  }
}

function stopWordsByHash(words: readonly string[]): Map<number, Uint8Array[]> {
  const byHash = new Map<number, Uint8Array[]>()
  for (const word of new Set(words)) {
    // A surrogate without its other half is in no word of a text.
    if (!word.isWellFormed()) continue
    const bytes = Buffer.from(word)
    const hash = murmur3(bytes)
    byHash.set(hash, [...(byHash.get(hash) ?? []), bytes])
  }
  return byHash
}

/** The code point, or U+FFFD for a surrogate without its other half, as any writer of UTF-8 does. */
function characterAt(text: string, index: number): number {
  const character = text.codePointAt(index)!
  return character >= 0xd800 && character <= 0xdfff ? replacementCharacter : character
}
