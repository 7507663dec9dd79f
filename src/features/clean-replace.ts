/** How cleaning steps put a word in the place of something else. */

/**
 * The text with each match of a global pattern replaced by what `wordOf` gives ('' leaves the match as
 * it stands), apart from its neighbours by a space where there is none yet. `wordOf` gets the groups
 * of the match as well, by their number less one; they must have no names. No pattern of a step may
 * go back over what it read more than once, nor repeat without bound a group or a class of characters
 * beyond ASCII: V8 overflows its stack on a few million of those.
 */
export function replaceByWords(
  text: string,
  pattern: RegExp,
  wordOf: (match: string, groups: readonly unknown[]) => string,
): string {
  /** Where the last match ended: a space stands there already. */
  let spacedAt = 0
  return text.replace(pattern, (match: string, ...details: unknown[]) => {
    const word = wordOf(match, details)
    if (word === '') return match
    const start = Number(details[details.length - 2])
    const end = start + match.length
    const before = start === spacedAt || isSpace(text.charCodeAt(start - 1)) ? '' : ' '
    const after = end === text.length || isSpace(text.charCodeAt(end)) ? '' : ' '
    spacedAt = end
    return before + word + after
  })
}

/** The pieces, with a space between two of which neither brings one. */
export function joinApart(pieces: readonly string[]): string {
  const joined: string[] = []
  let open = false
  for (const piece of pieces) {
    if (piece === '') continue
    if (open && !isSpace(piece.charCodeAt(0))) joined.push(' ')
    joined.push(piece)
    open = !isSpace(piece.charCodeAt(piece.length - 1))
  }
  return joined.join('')
}

function isSpace(unit: number): boolean {
  return unit === 0x20 || (unit >= 0x09 && unit <= 0x0d) || unit === 0xa0 || unit === 0x3000
}
