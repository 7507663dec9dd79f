/**
 * What each character is to the word tokeniser, as a table by UTF-16 unit, so that a scanner decides
 * with one load. ASCII is known from the start; any other unit is decided once, by the exact Unicode
 * rule, when it is first met.
 *
 * A table gives the *code* of a unit in a word: 1 to 63 for the ASCII ones (in lower case where
 * asked), so that ten of them fit 64 bits; the unit itself, in lower case, for all others.
 */

/** The unit separates words. */
export const separator = 0
/** Not decided yet. Not the code of any unit. */
export const undecided = 64

const asciiWordCharacters = '_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
const wordCharacter = /^[\p{L}\p{N}_]$/u

/** U+03A3, whose lower case depends on what follows, and U+0130, whose lower case is two characters. */
const greekCapitalSigma = 0x3a3
const latinCapitalDottedI = 0x130

/** By code point: 1 for what Python's `\s` and `str.split()` take for white space. */
export const pythonSpaces = new Uint8Array(0x3001)
for (const [first, last] of [
  [0x09, 0x0d],
  [0x1c, 0x20],
  [0x85, 0x85],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
] as const) {
  pythonSpaces.fill(1, first, last + 1)
}

/** Surrogates, and characters that have to be seen in their text, stay undecided in it. */
export type CharacterTable = Uint16Array

const tables = { lowercase: makeTable(true), plain: makeTable(false) }
const ascii = {
  lowercase: Uint8Array.from(tables.lowercase.subarray(0, 128)),
  plain: Uint8Array.from(tables.plain.subarray(0, 128)),
}
const astral = { lowercase: new Map<number, number>(), plain: new Map<number, number>() }

export function characterTable(lowercase: boolean): CharacterTable {
  return lowercase ? tables.lowercase : tables.plain
}

/** The codes of the ASCII characters alone: a table that stays in the nearest cache. */
export function asciiCodes(lowercase: boolean): Uint8Array {
  return lowercase ? ascii.lowercase : ascii.plain
}

function makeTable(lowercase: boolean): CharacterTable {
  const table = new Uint16Array(0x1_0000).fill(undecided)
  table.fill(separator, 0, 128)
  for (const character of asciiWordCharacters) {
    table[character.charCodeAt(0)] = codeOf(
      (lowercase ? character.toLowerCase() : character).charCodeAt(0),
    )
  }
  return table
}

/** The code of a unit as it stands in a word; `separator` for ASCII that is of no word. */
export function codeOf(unit: number): number {
  return unit < 128 ? asciiWordCharacters.indexOf(String.fromCharCode(unit)) + 1 : unit
}

/** The text that codes stand for. */
export function textOf(codes: Uint16Array): string {
  const pieces: string[] = []
  for (const code of codes) {
    pieces.push(code < 64 ? asciiWordCharacters[code - 1]! : String.fromCharCode(code))
  }
  return pieces.join('')
}

/**
 * Writes the codes of a text, unit by unit, into `codes`, which is as long at least; `separator` for
 * all that is not of a word, also for a surrogate without its other half. Returns false, with
 * nothing promised of `codes`, when only the lower case of the whole text is exact: call it again
 * with that.
 */
export function writeCodes(text: string, lowercase: boolean, codes: Uint16Array): boolean {
  const table = characterTable(lowercase)
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    const code = table[unit]!
    codes[index] = code
    if (code !== undecided) continue
    if (lowercase && (unit === greekCapitalSigma || unit === latinCapitalDottedI)) return false
    const codePoint = text.codePointAt(index)!
    if (codePoint > 0xffff) {
      const decided = decideAstral(codePoint, lowercase)
      codes[index++] = decided === separator ? separator : ((decided - 0x1_0000) >> 10) | 0xd800
      codes[index] = decided === separator ? separator : (decided & 0x3ff) | 0xdc00
    } else {
      codes[index] = decideUnit(unit, table, lowercase)
    }
  }
  return true
}

/** The code of one unit that is not ASCII, written into the table. */
function decideUnit(unit: number, table: CharacterTable, lowercase: boolean): number {
  const code = codeOf(decideCodePoint(unit, lowercase))
  // A half of a pair separates only where it stands alone.
  if (unit < 0xd800 || unit > 0xdfff) table[unit] = code
  return code
}

/** As `decideCodePoint`, remembered. The lower case of a pair of units is a pair, too. */
function decideAstral(codePoint: number, lowercase: boolean): number {
  const known = lowercase ? astral.lowercase : astral.plain
  let decided = known.get(codePoint)
  if (decided === undefined) {
    decided = decideCodePoint(codePoint, lowercase)
    known.set(codePoint, decided)
  }
  return decided
}

/** A code point as it stands in a word, or `separator`. */
function decideCodePoint(codePoint: number, lowercase: boolean): number {
  const character = String.fromCodePoint(codePoint)
  if (!wordCharacter.test(character)) return separator
  return lowercase ? character.toLowerCase().codePointAt(0)! : codePoint
}
