/** Aligned columns for reports that people read, whatever the labels are made of. */

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })
/** What terminals show twice as wide: emoji, and the scripts of East Asia. */
const wide =
  /\p{Emoji_Presentation}|\ufe0f|[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff01-\uff60\uffe0-\uffe6]/u
const maxLabelColumns = 48

/** Lines of cells; the first column is aligned on the left, the others on the right. */
export function alignedLines(rows: readonly (readonly string[])[]): string[] {
  const sizes = rows.map((row) => row.map(columnsOf))
  const widths: number[] = []
  for (const row of sizes) {
    for (const [column, size] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, size)
    }
  }
  return rows.map((row, index) =>
    row
      .map((cell, column) => {
        const blank = ' '.repeat(widths[column]! - sizes[index]![column]!)
        return column === 0 ? cell + blank : blank + cell
      })
      .join('  ')
      .trimEnd(),
  )
}

/** How many columns of a terminal a text takes: two for a wide character, one for any other. */
export function columnsOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length
  let columns = 0
  for (const { segment } of segmenter.segment(text)) columns += wide.test(segment) ? 2 : 1
  return columns
}

/**
 * A label as one line of at most 48 columns: what would break a line, move a cursor or turn the
 * direction of writing is written as `\u{...}`, and the middle of a longer one is `…`, since labels
 * differ at either end.
 */
export function labelText(label: string): string {
  const visible = label.replace(
    /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  )
  if (visible.trim() === '') return `'${visible.slice(0, maxLabelColumns - 2)}'`
  if (visible.length <= maxLabelColumns && columnsOf(visible) <= maxLabelColumns) return visible
  const half = Math.floor((maxLabelColumns - 1) / 2)
  // Looking at the ends alone: a label may be a whole document.
  const first = segmentsOf(visible.slice(0, 20 * maxLabelColumns))
  const last = segmentsOf(visible.slice(-20 * maxLabelColumns)).reverse()
  return `${fitting(first, half).join('')}…${fitting(last, half).reverse().join('')}`
}

const segmentsOf = (text: string) => Array.from(segmenter.segment(text), ({ segment }) => segment)

function fitting(segments: readonly string[], columns: number): string[] {
  let used = 0
  const end = segments.findIndex((segment) => {
    used += columnsOf(segment)
    return used > columns
  })
  return end < 0 ? [...segments] : segments.slice(0, end)
}
