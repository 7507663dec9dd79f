/** Aligned tables, and values as one line that a terminal can show. */

export type Cell = string | number | undefined

/**
 * Lines of a table: the headings, then the rows. Columns of numbers are aligned on the right; a cell
 * that is undefined is shown as `-`. Nothing is cut. `numberText` writes the numbers.
 */
export function table(
  headings: readonly string[],
  rows: readonly (readonly Cell[])[],
  numberText: (number: number) => string = countText,
): string {
  const cellText = (cell: Cell) => {
    if (cell === undefined) return '-'
    return typeof cell === 'number' ? numberText(cell) : oneLine(cell)
  }
  const texts = rows.map((row) => headings.map((_, column) => cellText(row[column])))
  const isNumeric = headings.map(
    (_, column) =>
      rows.some((row) => isNumber(row[column])) &&
      rows.every((row) => row[column] === undefined || isNumber(row[column])),
  )
  const widths = headings.map((heading, column) =>
    Math.max(widthOf(heading), ...texts.map((row) => widthOf(row[column]!))),
  )
  const lines = [headings, ...texts].map((row) =>
    row.map((text, column) => pad(text, widths[column]!, isNumeric[column]!)).join('  '),
  )
  return lines.map((line) => line.trimEnd()).join('\n')
}

/** Also one that is told about, as `~1,234`. */
const isNumber = (cell: Cell) =>
  typeof cell === 'number' || (cell !== undefined && /^~[\d,]+$/.test(cell))

const widthOf = (text: string) => [...text].length

function pad(text: string, width: number, isRight: boolean): string {
  const blank = ' '.repeat(Math.max(0, width - widthOf(text)))
  return isRight ? blank + text : text + blank
}

/** 1234567 as 1,234,567. */
export const countText = (count: number) => count.toLocaleString('en', { maximumFractionDigits: 6 })

/** 1536 as '1.5 KiB'. */
export function bytesText(sizeBytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(4, sizeBytes < 1 ? 0 : Math.floor(Math.log2(sizeBytes) / 10))
  const amount = sizeBytes / 1024 ** power
  return `${amount >= 100 || power === 0 ? Math.round(amount) : amount.toFixed(1)} ${units[power]}`
}

/** Milliseconds since the epoch as ISO text; as they are where no date can hold them. */
export function timeText(timeMs: number): string {
  const date = new Date(timeMs)
  return Number.isNaN(date.getTime()) ? String(timeMs) : date.toISOString()
}

/** What would move a terminal's cursor, break a line or be invisible is written as `\u{...}`. */
export function oneLine(text: string): string {
  const escapes: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }
  return text.replace(
    /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu,
    (character) => escapes[character] ?? `\\u{${character.codePointAt(0)!.toString(16)}}`,
  )
}

/** The beginning of a text that fits into `width` characters, with `…` where it was cut. */
export function shortened(text: string, width: number): string {
  if (text.length <= width) return text
  const characters = [...text.slice(0, width * 2)]
  if (characters.length <= width && text.length <= width * 2) return text
  return `${characters.slice(0, Math.max(0, width - 1)).join('')}…`
}
