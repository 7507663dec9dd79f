/**
 * Words, numbered: a text goes in, the numbers of its words come out, without a string, a regular
 * expression or a Map on the way.
 *
 * The characters of a word are shifted into 64 bits, six bits each: a word of up to ten ASCII
 * characters *is* its key, and comparing keys is exact. What is shifted out of a longer word is
 * folded back in, and such a word is compared character by character as well, so that no collision
 * can give a wrong answer. Open addressing, at most half full.
 */
import {
  asciiCodes,
  characterTable,
  codeOf,
  separator,
  textOf,
  undecided,
  writeCodes,
} from './characters.ts'
import { withRoom } from './growth.ts'

/** The most ASCII characters that a key holds whole. */
const wholeKeyLength = 10
const wordOfText = /^[\p{L}\p{N}_]{2,}$/u
/** What a huge text leaves behind is given back to the collector. */
const keptBufferLength = 65_536
const startBytesLength = 4096
const keptBytesLength = 3 * keptBufferLength

/** Numbers words and what is made of them from one row. */
export interface Numbering {
  /** The next number. */
  next: number
}

export class WordTable {
  /** Of the words in the text that was last read, in order; -1 for an unknown one where kept. */
  words: Int32Array = new Int32Array(256)
  readonly #lowercase: boolean
  readonly #numbering: Numbering
  /** The words below this number are stop words: found, but not told. */
  readonly #stopCount: number
  /** Four a slot: key (low, high), number plus one (0: free; negative: longer than its key), unused. */
  #slots = new Int32Array(4 * 64)
  #count = 0
  /** The codes of all words, each ended by a zero; by number, where a word begins. */
  #pool = new Uint16Array(1024)
  #poolLength = 0
  #starts = new Int32Array(64)
  /** While a text is read: the keys of its words, four numbers each, or its codes. */
  #keys = new Int32Array(4 * 256)
  #codes = new Uint16Array(256)
  /** The text at hand, as UTF-8. */
  #bytes = Buffer.allocUnsafeSlow(startBytesLength)

  constructor(lowercase: boolean, stopWords: readonly string[], numbering: Numbering) {
    this.#lowercase = lowercase
    this.#numbering = numbering
    for (const word of stopWords) this.add(word)
    this.#stopCount = numbering.next
  }

  /** The characters of a numbered word. */
  textOf(number: number): string {
    const start = this.#starts[number]!
    return textOf(this.#pool.subarray(start, this.#pool.indexOf(0, start)))
  }

  /** The number of a word as it stands, new or known; one that no text can hold is never found. */
  add(word: string): number {
    if (!wordOfText.test(word)) return this.#numbering.next++
    this.#codes = withRoom(this.#codes, word.length)
    for (let index = 0; index < word.length; index++) {
      this.#codes[index] = codeOf(word.charCodeAt(index))
    }
    return this.#findCoded(0, word.length, true)
  }

  /**
   * Finds the words of a text, in `words`, and returns how many. Unknown words are numbered with
   * `learn`, are -1 with `keep`, and are left out with neither.
   */
  read(text: string, learn: boolean, keep: boolean): number {
    // Two units and a separator are the least that a word takes.
    const most = Math.max(256, Math.ceil(text.length / 3) + 2)
    if (this.words.length < most || this.words.length > keptBufferLength) {
      this.words = new Int32Array(most)
      this.#keys = new Int32Array(4 * most)
    }
    const keyCount = this.#readKeys(text)
    return keyCount < 0
      ? this.#readAny(text, learn, keep)
      : this.#findAll(text, keyCount, learn, keep)
  }

  /**
   * The keys of the words of an ASCII text into #keys: low, high, length, where the word ends.
   * Returns how many, or -1 when there is another character. The text is copied into bytes first:
   * reading a byte costs less than asking a string for a character, whatever kind of string it is.
   */
  #readKeys(text: string): number {
    if (text.length * 3 > this.#bytes.length || this.#bytes.length > keptBytesLength) {
      this.#bytes = Buffer.allocUnsafeSlow(Math.max(startBytesLength, text.length * 3))
    }
    const bytes = this.#bytes
    const length = bytes.write(text, 0)
    // Every other character takes more than one byte.
    if (length !== text.length) return -1
    const codes = asciiCodes(this.#lowercase)
    const keys = this.#keys
    let place = 0
    let units = 0
    let low = 0
    let high = 0
    for (let index = 0; index < length; index++) {
      const code = codes[bytes[index]!]!
      if (code !== separator) {
        high = ((high << 6) | (high >>> 26)) ^ (low >>> 26)
        low = (low << 6) | code
        units++
        continue
      }
      if (units > 1) {
        keys[place] = low
        keys[place + 1] = high
        keys[place + 2] = units
        keys[place + 3] = index
        place += 4
      }
      units = 0
      low = 0
      high = 0
    }
    if (units > 1) {
      keys[place] = low
      keys[place + 1] = high
      keys[place + 2] = units
      keys[place + 3] = length
      place += 4
    }
    return place >> 2
  }

  /** From #keys to `words`; the codes of a word are looked up only where its key does not do. */
  #findAll(text: string, keyCount: number, learn: boolean, keep: boolean): number {
    const stopCount = this.#stopCount
    const kept = keep ? 1 : 0
    const keys = this.#keys
    const words = this.words
    let slots = this.#slots
    let last = slots.length - 1
    let count = 0
    for (let place = 0; place < 4 * keyCount; place += 4) {
      const low = keys[place]!
      const high = keys[place + 1]!
      const units = keys[place + 2]!
      let word = -1
      if (units <= wholeKeyLength) {
        let slot = (keyHash(low, high) << 2) & last
        let entry = slots[slot + 2]!
        while (entry !== 0 && (slots[slot] !== low || slots[slot + 1] !== high || entry < 0)) {
          slot = (slot + 4) & last
          entry = slots[slot + 2]!
        }
        word = entry - 1
      }
      if (word < 0 && (learn || units > wholeKeyLength)) {
        this.#writeAscii(text, keys[place + 3]! - units, units)
        word = this.#find(low, high, 0, units, false, learn)
        slots = this.#slots
        last = slots.length - 1
      }
      // One more when it is no stop word, or unknown and kept: again without a branch.
      words[count] = word
      count += ((stopCount - 1 - word) >>> 31) | ((word >>> 31) & kept)
    }
    return count
  }

  /** The codes of an ASCII word to the beginning of #codes. */
  #writeAscii(text: string, start: number, units: number): void {
    if (this.#codes.length > keptBufferLength) this.#codes = new Uint16Array(256)
    this.#codes = withRoom(this.#codes, units)
    const table = characterTable(this.#lowercase)
    for (let index = 0; index < units; index++) {
      this.#codes[index] = table[text.charCodeAt(start + index)]!
    }
  }

  /** As `read`, for a text with any character in it. */
  #readAny(text: string, learn: boolean, keep: boolean): number {
    const length = text.length
    if (this.#codes.length > keptBufferLength) this.#codes = new Uint16Array(256)
    this.#codes = withRoom(this.#codes, length)
    if (!writeCodes(text, this.#lowercase, this.#codes)) {
      return this.read(text.toLowerCase(), learn, keep)
    }
    const codes = this.#codes
    let count = 0
    let start = 0
    let pairs = 0
    for (let index = 0; index <= length; index++) {
      const code = index < length ? codes[index]! : separator
      if (code !== separator) {
        if (isSecondHalf(code)) pairs++
        continue
      }
      if (index - start - pairs > 1) {
        const word = this.#findCoded(start, index - start, learn)
        if (word < 0 ? keep : word >= this.#stopCount) this.words[count++] = word
      }
      start = index + 1
      pairs = 0
    }
    return count
  }

  /** The number of the word whose codes stand in #codes from `start` on, or -1. */
  #findCoded(start: number, units: number, learn: boolean): number {
    const codes = this.#codes
    let low = 0
    let high = 0
    let exotic = false
    for (let index = start; index < start + units; index++) {
      const code = codes[index]!
      // All 16 bits of what is not ASCII.
      let shift = code < undecided ? 0 : 12
      if (shift > 0) exotic = true
      for (; shift >= 0; shift -= 6) {
        high = ((high << 6) | (high >>> 26)) ^ (low >>> 26)
        low = (low << 6) | ((code >>> shift) & 63)
      }
    }
    return this.#find(low, high, start, units, exotic, learn)
  }

  #find(
    low: number,
    high: number,
    start: number,
    units: number,
    exotic: boolean,
    learn: boolean,
  ): number {
    const slots = this.#slots
    const last = slots.length - 1
    const whole = units <= wholeKeyLength && !exotic
    let slot = (keyHash(low, high) << 2) & last
    while (true) {
      const entry = slots[slot + 2]!
      if (entry === 0) break
      if (slots[slot] === low && slots[slot + 1] === high) {
        if (whole && entry > 0) return entry - 1
        if (!whole && entry < 0 && this.#holds(-entry - 1, start, units)) return -entry - 1
      }
      slot = (slot + 4) & last
    }
    if (!learn) return -1
    const number = this.#insert(start, units)
    slots[slot] = low
    slots[slot + 1] = high
    slots[slot + 2] = whole ? number + 1 : -number - 1
    if (++this.#count * 8 > slots.length) this.#growSlots()
    return number
  }

  /** True when the word with that number has the codes in #codes from `start` on. */
  #holds(number: number, start: number, units: number): boolean {
    const pool = this.#pool
    const codes = this.#codes
    const first = this.#starts[number]!
    for (let index = 0; index < units; index++) {
      if (pool[first + index] !== codes[start + index]) return false
    }
    return pool[first + units] === 0
  }

  #insert(start: number, units: number): number {
    const number = this.#numbering.next++
    this.#starts = withRoom(this.#starts, number + 1)
    this.#pool = withRoom(this.#pool, this.#poolLength + units + 1)
    this.#starts[number] = this.#poolLength
    this.#pool.set(this.#codes.subarray(start, start + units), this.#poolLength)
    this.#poolLength += units + 1
    return number
  }

  #growSlots(): void {
    const old = this.#slots
    const slots = new Int32Array(old.length * 2)
    const last = slots.length - 1
    for (let from = 0; from < old.length; from += 4) {
      if (old[from + 2] === 0) continue
      let slot = (keyHash(old[from]!, old[from + 1]!) << 2) & last
      while (slots[slot + 2] !== 0) slot = (slot + 4) & last
      slots[slot] = old[from]!
      slots[slot + 1] = old[from + 1]!
      slots[slot + 2] = old[from + 2]!
    }
    this.#slots = slots
  }
}

/** Of the two units of a character above U+FFFF. */
function isSecondHalf(unit: number): boolean {
  return (unit & 0xfc00) === 0xdc00
}

/** Mixes two halves: products with odd constants, the high bits folded down. */
function keyHash(low: number, high: number): number {
  const hash = Math.imul(low, 0x9e3779b1) + Math.imul(high, 0x85ebca77)
  return hash ^ (hash >>> 15)
}
