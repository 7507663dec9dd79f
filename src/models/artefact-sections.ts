/** Sections of an artefact as what they hold: checked numbers, and strings in one row. */
import { damaged, type Section, type Sections } from './artefact-format.ts'
import { mostWeight } from './linear.ts'

/** `length` numbers, finite and not too large to score with. Throws `MODEL_DAMAGED`. */
export function numbersIn(
  sections: Sections,
  name: string,
  length: number,
  where: string,
): Float64Array {
  const section = sections[name]
  if (!(section instanceof Float64Array && section.length === length)) {
    throw damaged(where, `its section '${name}' does not hold ${length} numbers`)
  }
  if (!section.every((value) => Math.abs(value) <= mostWeight)) {
    throw damaged(where, `its section '${name}' holds a number that is not finite, or too large`)
  }
  return section
}

/** Strings as their UTF-16 units in one row, and where each ends: also those with lone surrogates. */
export function encodeStrings(strings: readonly string[]): {
  ends: Uint32Array
  units: Uint16Array
} {
  const text = strings.join('')
  const units = new Uint16Array(text.length)
  for (let index = 0; index < text.length; index++) units[index] = text.charCodeAt(index)
  let end = 0
  const ends = Uint32Array.from(strings, (one) => (end += one.length))
  return { ends, units }
}

/** Throws `MODEL_DAMAGED`. */
export function decodeStrings(
  ends: Section | undefined,
  units: Section | undefined,
  where: string,
): string[] {
  if (!(ends instanceof Uint32Array && units instanceof Uint16Array)) {
    throw damaged(where, 'its terms are missing')
  }
  let text = ''
  for (let start = 0; start < units.length; start += 8192) {
    text += String.fromCharCode(...units.subarray(start, start + 8192))
  }
  const strings: string[] = []
  let start = 0
  for (const end of ends) {
    if (end < start || end > text.length) throw damaged(where, 'its terms overlap')
    strings.push(text.slice(start, end))
    start = end
  }
  if (start !== text.length) throw damaged(where, 'its terms do not add up')
  return strings
}
