/**
 * The word tokeniser of scikit-learn's text vectorisers, `(?u)\b\w\w+\b`, as an array of strings:
 * the plain definition. The hot path is `TermTable`, which finds the same words without making them.
 */

const words = /[\p{L}\p{N}_]{2,}/gu

/**
 * The words of a text in order: maximal runs of two or more letters, numbers and underscores,
 * counted in code points. Combining marks, emoji and surrogates without their other half separate
 * words, as in Python.
 */
export function tokenise(text: string, options: { lowercase?: boolean } = {}): string[] {
  return (options.lowercase === false ? text : text.toLowerCase()).match(words) ?? []
}

/**
 * n-grams of words as scikit-learn joins them: all of the shortest first, in order, joined with one
 * space. Stop words are to be left out before.
 */
export function wordNgrams(tokens: readonly string[], range: readonly [number, number]): string[] {
  const grams: string[] = []
  for (let size = range[0]; size <= range[1]; size++) {
    for (let start = 0; start + size <= tokens.length; start++) {
      grams.push(size === 1 ? tokens[start]! : tokens.slice(start, start + size).join(' '))
    }
  }
  return grams
}

/**
 * Orders strings as Python does: by code point, not by UTF-16 unit. A surrogate without its other
 * half is a code point of its own.
 */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) {
    const unitA = a.charCodeAt(index)
    const unitB = b.charCodeAt(index)
    if (unitA === unitB) continue
    if (unitA < 0xd800 || unitB < 0xd800) return unitA - unitB
    // What differs can be the second half of a character that begins the same.
    const start = index > 0 && (a.charCodeAt(index - 1) & 0xfc00) === 0xd800 ? index - 1 : index
    const order = a.codePointAt(start)! - b.codePointAt(start)!
    return order !== 0 ? order : a.codePointAt(index)! - b.codePointAt(index)!
  }
  return a.length - b.length
}

const aboveSurrogates = /[\ud800-\uffff]/

/** Sorts strings in place by code point. */
export function sortByCodePoint(strings: string[]): string[] {
  // Below the surrogates the order of the units is that of the code points, and the engine's own.
  return strings.some((text) => aboveSurrogates.test(text))
    ? strings.sort(compareCodePoints)
    : strings.sort()
}
