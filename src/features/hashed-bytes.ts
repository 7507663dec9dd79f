/** Tables and writers by which `HashedTerms` lays a text out as UTF-8. */
import { codeOf, pythonSpaces, separator } from './characters.ts'

/** The ASCII character of a code of `characters.ts`; 0 for none. */
export const byteOfCode = new Uint8Array(64)
const letters = { lowercase: new Uint8Array(128), plain: new Uint8Array(128) }
for (let byte = 0; byte < 128; byte++) {
  const code = codeOf(byte)
  if (code === separator) continue
  byteOfCode[code] = byte
  letters.plain[byte] = byte
  letters.lowercase[byte] = String.fromCharCode(byte).toLowerCase().charCodeAt(0)
}

/** By ASCII character: itself in a word, in lower case where asked; 0 when it separates words. */
export function asciiLetters(lowercase: boolean): Uint8Array {
  return lowercase ? letters.lowercase : letters.plain
}

/** What Python takes for white space, by UTF-16 unit; false for the NaN behind the end of a text. */
export function isSpace(unit: number): boolean {
  return unit < pythonSpaces.length && pythonSpaces[unit] === 1
}

/** Writes a code point as UTF-8 and returns where it ends. It must not be a surrogate. */
export function writeCodePoint(bytes: Uint8Array, at: number, codePoint: number): number {
  if (codePoint < 0x80) {
    bytes[at] = codePoint
    return at + 1
  }
  if (codePoint < 0x800) {
    bytes[at] = 0xc0 | (codePoint >> 6)
    bytes[at + 1] = 0x80 | (codePoint & 63)
    return at + 2
  }
  if (codePoint < 0x1_0000) {
    bytes[at] = 0xe0 | (codePoint >> 12)
    bytes[at + 1] = 0x80 | ((codePoint >> 6) & 63)
    bytes[at + 2] = 0x80 | (codePoint & 63)
    return at + 3
  }
  bytes[at] = 0xf0 | (codePoint >> 18)
  bytes[at + 1] = 0x80 | ((codePoint >> 12) & 63)
  bytes[at + 2] = 0x80 | ((codePoint >> 6) & 63)
  bytes[at + 3] = 0x80 | (codePoint & 63)
  return at + 4
}
