/**
 * Cleaning steps for mails and newsgroup posts: scikit-learn's `strip_newsgroup_header`, `_footer` and
 * `_quoting` (sklearn.datasets, `fetch_20newsgroups(remove=...)`), exactly. Lines end in `\n`: use
 * `lineEndings` before where they may end in `\r\n`.
 */
import { isSpace } from './hashed-bytes.ts'

export function unifyLineEndings(text: string): string {
  return text.replace(/\r\n?/g, '\n')
}

/** All up to the first blank line goes: the whole text, where there is none. */
export function withoutHeaders(text: string): string {
  const blank = text.indexOf('\n\n')
  return blank < 0 ? '' : text.slice(blank + 2)
}

const quoting = /writes in|writes:|wrote:|says:|said:|^In article|^Quoted from|^\||^>/

/** Lines that are quoted, by `>` or `|`, or that say of whom, go. */
export function withoutQuotes(text: string): string {
  return text
    .split('\n')
    .filter((line) => !quoting.test(line))
    .join('\n')
}

/**
 * What stands behind the last line that is blank or all hyphens goes, and so does that line; where
 * it is the first line, or there is none, the text stays as it is.
 */
export function withoutFooter(text: string): string {
  const [start, end] = innerRange(text)
  const lines = text.slice(start, end).split('\n')
  let last = lines.length - 1
  while (last > 0 && !isRule(lines[last]!)) last--
  return last > 0 ? lines.slice(0, last).join('\n') : text
}

/** Without the white space around, as Python's `strip`. */
function innerRange(text: string): readonly [start: number, end: number] {
  let start = 0
  let end = text.length
  while (start < end && isSpace(text.charCodeAt(start))) start++
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--
  return [start, end]
}

function isRule(line: string): boolean {
  const [start, end] = innerRange(line)
  for (let index = start; index < end; index++) {
    if (line[index] !== '-') return false
  }
  return true
}
