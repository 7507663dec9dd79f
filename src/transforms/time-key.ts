/** Times as text of one length whose order is the order of the times, for keys that are scanned by time. */

/** Of all that `timeKey` gives. */
export const timeKeyLength = 12

const halfRange = 2 ** 53
const digits = timeKeyLength - 1

/**
 * For whole milliseconds, before 1970 too. `-Infinity` comes before every time and `Infinity` behind
 * it, as bounds of a scan.
 */
export function timeKey(timeMs: number): string {
  if (timeMs >= halfRange) return '2'.padEnd(timeKeyLength, '0')
  if (timeMs >= 0) return `1${timeMs.toString(36).padStart(digits, '0')}`
  return `0${Math.max(0, timeMs + halfRange)
    .toString(36)
    .padStart(digits, '0')}`
}

/** The time of a text that begins, at `from`, with what `timeKey` gave. NaN where it does not. */
export function readTimeKey(text: string, from = 0): number {
  const number = Number.parseInt(text.slice(from + 1, from + timeKeyLength), 36)
  return text[from] === '1' ? number : text[from] === '0' ? number - halfRange : Number.NaN
}
