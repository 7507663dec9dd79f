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
/** `decide` has to look. Not the code of any unit. */
export const undecided = 64

const asciiWordCharacters = '_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
const wordCharacter = /^[\p{L}\p{N}_]$/u

/** U+03A3, whose lower case depends on what follows, and U+0130, whose lower case is two characters. */
const greekCapitalSigma = 0x3a3
const latinCapitalDottedI = 0x130

/** Surrogates, and characters that have to be seen in their text, stay undecided in it. */
export type CharacterTable = Uint16Array

const tables = { lowercase: makeTable(true), plain: makeTable(false) }
const astral = { lowercase: new Map<number, number>(), plain: new Map<number, number>() }

export function characterTable(lowercase: boolean): CharacterTable {
  return lowercase ? tables.lowercase : tables.plain
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

/** The code of a unit as it stands in a word. */
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

/** True when only the lower case of the whole text is exact. */
export function needsWholeText(unit: number, lowercase: boolean): boolean {
  return lowercase && (unit === greekCapitalSigma || unit === latinCapitalDottedI)
}

/**
 * The code point, as it stands in a word, of the character at `index`, or `separator`; written into
 * the table when it is one unit. A surrogate without its other half separates. Not for ASCII, nor
 * for characters that need their whole text.
 */
export function decide(text: string, index: number, lowercase: boolean): number {
  const codePoint = text.codePointAt(index)!
  if (codePoint > 0xffff) return decideAstral(codePoint, lowercase)
  const decided = decideCodePoint(codePoint, lowercase)
  if (codePoint < 0xd800 || codePoint > 0xdfff) {
    characterTable(lowercase)[codePoint] = decided < 128 ? codeOf(decided) : decided
  }
  return decided
}

function decideAstral(codePoint: number, lowercase: boolean): number {
  const known = lowercase ? astral.lowercase : astral.plain
  let decided = known.get(codePoint)
  if (decided === undefined) {
    decided = decideCodePoint(codePoint, lowercase)
    known.set(codePoint, decided)
  }
  return decided
}

function decideCodePoint(codePoint: number, lowercase: boolean): number {
  const character = String.fromCodePoint(codePoint)
  if (!wordCharacter.test(character)) return separator
  return lowercase ? character.toLowerCase().codePointAt(0)! : codePoint
}
