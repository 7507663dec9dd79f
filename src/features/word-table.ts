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
  characterTable,
  codeOf,
  decide,
  needsWholeText,
  separator,
  textOf,
  undecided,
} from './characters.ts'

/** The most ASCII characters that a key holds whole. */
const wholeKeyLength = 10
const wordOfText = /^[\p{L}\p{N}_]{2,}$/u
/** What a huge text leaves behind is given back to the collector. */
const keptBufferLength = 65_536

/** Numbers words and what is made of them from one row. */
export interface Numbering {
  /** The next number. */
  next: number
}

export class WordTable {
  /** Of the words in the text that was last read, in order, -1 for an unknown one. */
  words: Int32Array = new Int32Array(256)
  readonly #lowercase: boolean
  readonly #numbering: Numbering
  #keys = new Int32Array(4 * 256)
  /** Four a slot: key (low, high), number plus one (0: free; negative: longer than its key), unused. */
  #slots = new Int32Array(4 * 64)
  #count = 0
  /** The words below this number are stop words: found, but not told. */
  #stopCount = 0
  /** The codes of all words, each ended by a zero; by number, where a word begins. */
  #pool = new Uint16Array(1024)
  #poolLength = 0
  #starts = new Int32Array(64)
  /** The codes of the word that is being read. */
  #codes = new Uint16Array(64)

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
    let low = 0
    let high = 0
    let exotic = false
    while (this.#codes.length <= word.length) this.#growCodes()
    for (let index = 0; index < word.length; index++) {
      const code = codeOf(word.charCodeAt(index))
      this.#codes[index] = code
      if (code >= undecided) exotic = true
      // Of a pair, the second half is in the key.
      if (code >= 0xd800 && code < 0xdc00) continue
      for (let part = exoticParts(code); part >= 0; part--) {
        high = ((high << 6) | (high >>> 26)) ^ (low >>> 26)
        low = (low << 6) | ((code >>> (6 * part)) & 63)
      }
    }
    return this.#find(low, high, word.length, exotic, true)
  }

  /** Finds the words of a text, in `words`, and returns how many. `learn` numbers unknown ones. */
  read(text: string, learn: boolean): number {
    // Two units and a separator are the least that a word takes.
    const most = Math.ceil(text.length / 3) + 2
    if (this.words.length < most || this.words.length > keptBufferLength) {
      this.words = new Int32Array(Math.max(256, most))
      this.#keys = new Int32Array(Math.max(256, most) * 4)
    }
    const keyCount = this.#readKeys(text)
    return keyCount < 0 ? this.#readAny(text, learn) : this.#findAll(text, keyCount, learn)
  }

  /**
   * The keys of the words of an ASCII text into #keys, four numbers each: low, high, length, where
   * the word ends; returns how many, or -1 when there is another character. Without a branch that
   * depends on the text: a processor guesses wrong at every end of a word, and that costs most.
   */
  #readKeys(text: string): number {
    const table = characterTable(this.#lowercase)
    const keys = this.#keys
    const length = text.length
    let place = 0
    let units = 0
    let low = 0
    let high = 0
    for (let index = 0; index < length; index++) {
      const code = table[text.charCodeAt(index)]!
      if (code >= undecided) return -1
      // All ones within a word, zero at a separator.
      const inside = ~((code - 1) >> 31)
      keys[place] = low
      keys[place + 1] = high
      keys[place + 2] = units
      keys[place + 3] = index
      place += ~inside & ((1 - units) >> 31) & 4
      high = (((high << 6) | (high >>> 26)) ^ (low >>> 26)) & inside
      low = ((low << 6) | code) & inside
      units = (units + 1) & inside
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

  #findAll(text: string, keyCount: number, learn: boolean): number {
    const keys = this.#keys
    const words = this.words
    const stopCount = this.#stopCount
    let slots = this.#slots
    let last = slots.length - 1
    let count = 0
    for (let place = 0; place < 4 * keyCount; place += 4) {
      const low = keys[place]!
      const high = keys[place + 1]!
      let word = -1
      if (keys[place + 2]! <= wholeKeyLength) {
        let slot = (keyHash(low, high) << 2) & last
        let entry = slots[slot + 2]!
        while (entry !== 0 && (slots[slot] !== low || slots[slot + 1] !== high || entry < 0)) {
          slot = (slot + 4) & last
          entry = slots[slot + 2]!
        }
        word = entry - 1
      }
      if (word < 0 && (learn || keys[place + 2]! > wholeKeyLength)) {
        const units = keys[place + 2]!
        this.#loadCodes(text, keys[place + 3]! - units, units)
        word = this.#find(low, high, units, false, learn)
        slots = this.#slots
        last = slots.length - 1
      }
      if (word < 0 || word >= stopCount) words[count++] = word
    }
    return count
  }

  /** The codes of an ASCII word into #codes. */
  #loadCodes(text: string, start: number, units: number): void {
    const table = characterTable(this.#lowercase)
    while (this.#codes.length < units) this.#growCodes()
    const codes = this.#codes
    for (let index = 0; index < units; index++) {
      codes[index] = table[text.charCodeAt(start + index)]!
    }
    if (codes.length > keptBufferLength) this.#codes = codes.slice(0, units)
  }

  /** As `read`, for a text with any character in it, one by one. */
  #readAny(text: string, learn: boolean): number {
    const table = characterTable(this.#lowercase)
    const length = text.length
    const words = this.words
    let codes = this.#codes
    let count = 0
    let units = 0
    let pairs = 0
    let low = 0
    let high = 0
    let exotic = false
    for (let index = 0; index <= length; index++) {
      let code = index < length ? table[text.charCodeAt(index)]! : separator
      if (code >= undecided) {
        if (code === undecided) {
          if (needsWholeText(text.charCodeAt(index), this.#lowercase)) {
            return this.read(text.toLowerCase(), learn)
          }
          code = decide(text, index, this.#lowercase)
          if (code < 128 && code !== separator) code = codeOf(code)
          if (text.codePointAt(index)! > 0xffff) index++
        }
        if (code > 0xffff) {
          const first = ((code - 0x1_0000) >> 10) | 0xd800
          if (units === codes.length) codes = this.#growCodes()
          codes[units++] = first
          pairs++
          code = (code & 0x3ff) | 0xdc00
        }
        if (code >= undecided) {
          exotic = true
          for (let part = exoticParts(code); part > 0; part--) {
            high = ((high << 6) | (high >>> 26)) ^ (low >>> 26)
            low = (low << 6) | ((code >>> (6 * part)) & 63)
          }
        }
      }
      if (code !== separator) {
        if (units === codes.length) codes = this.#growCodes()
        codes[units++] = code
        high = ((high << 6) | (high >>> 26)) ^ (low >>> 26)
        low = (low << 6) | (code & 63)
      } else if (units !== 0) {
        if (units - pairs > 1) {
          const word = this.#find(low, high, units, exotic, learn)
          if (word < 0 || word >= this.#stopCount) words[count++] = word
        }
        units = 0
        pairs = 0
        low = 0
        high = 0
        exotic = false
      }
    }
    if (codes.length > keptBufferLength) this.#codes = new Uint16Array(64)
    return count
  }

  /** The number of the word whose codes stand in #codes, or -1. */
  #find(low: number, high: number, units: number, exotic: boolean, learn: boolean): number {
    const slots = this.#slots
    const mask = (slots.length >> 2) - 1
    const whole = units <= wholeKeyLength && !exotic
    let slot = keyHash(low, high) & mask
    while (true) {
      const entry = slots[4 * slot + 2]!
      if (entry === 0) break
      if (slots[4 * slot] === low && slots[4 * slot + 1] === high) {
        if (whole ? entry > 0 : entry < 0 && this.#holds(-entry - 1, units)) {
          return (whole ? entry : -entry) - 1
        }
      }
      slot = (slot + 1) & mask
    }
    return learn ? this.#insert(slot, low, high, units, whole) : -1
  }

  /** True when the word with that number has the codes in #codes. */
  #holds(number: number, units: number): boolean {
    const pool = this.#pool
    const codes = this.#codes
    const start = this.#starts[number]!
    for (let index = 0; index < units; index++) {
      if (pool[start + index] !== codes[index]) return false
    }
    return pool[start + units] === 0
  }

  #insert(slot: number, low: number, high: number, units: number, whole: boolean): number {
    const number = this.#numbering.next++
    while (this.#poolLength + units + 1 > this.#pool.length) {
      const pool = new Uint16Array(this.#pool.length * 2)
      pool.set(this.#pool)
      this.#pool = pool
    }
    while (number >= this.#starts.length) {
      const starts = new Int32Array(this.#starts.length * 2)
      starts.set(this.#starts)
      this.#starts = starts
    }
    this.#pool.set(this.#codes.subarray(0, units), this.#poolLength)
    this.#starts[number] = this.#poolLength
    this.#poolLength += units + 1
    this.#slots[4 * slot] = low
    this.#slots[4 * slot + 1] = high
    this.#slots[4 * slot + 2] = whole ? number + 1 : -number - 1
    this.#count++
    if (this.#count * 8 > this.#slots.length) this.#growSlots()
    return number
  }

  #growCodes(): Uint16Array<ArrayBuffer> {
    const codes = new Uint16Array(this.#codes.length * 2)
    codes.set(this.#codes)
    this.#codes = codes
    return codes
  }

  #growSlots(): void {
    const old = this.#slots
    const slots = new Int32Array(old.length * 2)
    const mask = (slots.length >> 2) - 1
    for (let index = 0; index < old.length; index += 4) {
      if (old[index + 2] === 0) continue
      let slot = keyHash(old[index]!, old[index + 1]!) & mask
      while (slots[4 * slot + 2] !== 0) slot = (slot + 1) & mask
      slots.set(old.subarray(index, index + 3), 4 * slot)
    }
    this.#slots = slots
  }
}

/** How many more times than once a code is shifted in: all 16 bits of one that is not ASCII's. */
function exoticParts(code: number): number {
  return code < undecided ? 0 : 2
}

/** Mixes two halves: products with odd constants, the high bits folded down. */
function keyHash(low: number, high: number): number {
  const hash = Math.imul(low, 0x9e3779b1) + Math.imul(high, 0x85ebca77)
  return hash ^ (hash >>> 15)
}
