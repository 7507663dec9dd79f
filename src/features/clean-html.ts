/** Cleaning steps for texts that were HTML. */
import { joinApart } from './clean-replace.ts'

const tag = /<\/?([a-z][a-z0-9-]*)(?=[\s/>])[^<>]*>/iy
const declaration = /<[!?][^<>]*>/y

/**
 * Leaves out tags, comments and the content of script and style. What only looks like a tag stays:
 * `a < b`, `<3`, `<bob@example.com>`, `<https://example.com>`.
 */
export function withoutTags(text: string): string {
  const pieces: string[] = []
  const search = new Search(text)
  let end = 0
  let at = text.indexOf('<')
  while (at >= 0) {
    const markupEnd = endOfMarkup(text, at, search)
    if (markupEnd > 0) {
      pieces.push(text.slice(end, at))
      end = markupEnd
    }
    at = text.indexOf('<', markupEnd > 0 ? markupEnd : at + 1)
  }
  if (end === 0) return text
  pieces.push(text.slice(end))
  return joinApart(pieces)
}

/** Where the tag or comment that begins there ends; 0 when it is none. */
function endOfMarkup(text: string, at: number, search: Search): number {
  if (text.startsWith('<!--', at)) return search.endOf('-->', at + 4)
  declaration.lastIndex = at
  if (declaration.test(text)) return declaration.lastIndex
  tag.lastIndex = at
  const name = tag.exec(text)?.[1]?.toLowerCase()
  if (name === undefined) return 0
  const end = tag.lastIndex
  if ((name !== 'script' && name !== 'style') || text[at + 1] === '/') return end
  const closing = search.endOf(`</${name}`, end)
  return (closing > 0 && search.endOf('>', closing)) || end
}

/** Finds strings in a text, and does not look again for one that is nowhere ahead. */
class Search {
  readonly #text: string
  #lowercase: string | undefined
  readonly #missing = new Set<string>()

  constructor(text: string) {
    this.#text = text
  }

  /** Where the first one from there on ends, in whatever case; 0 when there is none. */
  endOf(wanted: string, from: number): number {
    if (this.#missing.has(wanted)) return 0
    this.#lowercase ??= this.#text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
    const at = this.#lowercase.indexOf(wanted, from)
    if (at < 0) this.#missing.add(wanted)
    return at < 0 ? 0 : at + wanted.length
  }
}
