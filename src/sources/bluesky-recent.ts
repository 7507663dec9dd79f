/**
 * What a reader of Bluesky remembers of the changes it was sent, so that it gives each once although
 * every connection goes back a little: all of the last minutes in memory, and of the last seconds as
 * much as fits into a position, which commits with the messages.
 */
import { hash } from 'node:crypto'

/** Small JSON: see `SourceBatch.position`. */
export interface BlueskyPosition {
  /** The newest change that was given, in microseconds since the epoch. */
  readonly timeUs: number
  /** Of all that was given from here on, the marks are in `given`. */
  readonly fromUs: number
  /** Which address it came from: another one dates the same change otherwise. */
  readonly host: string
  /** Marks of what was given, one behind the other. */
  readonly given: string
}

/** How far a connection goes back where it cannot know better: servers disagree by less. */
export const rewindUs = 5_000_000
/** Changes that are remembered in memory: more than any queue and rewind hold. */
const mostRemembered = 100_000
const markChars = 8
const mostMarks = 96

/** 48 bits of a digest: two of a hundred changes share them once in 10^11 restarts. */
export const markOf = (text: string) => hash('sha256', text, 'base64').slice(0, markChars)

/** The changes that came in this process. */
export class Seen {
  readonly #changes = new Set<string>()

  /** True the first time. */
  add(change: string): boolean {
    if (this.#changes.has(change)) return false
    this.#changes.add(change)
    if (this.#changes.size > mostRemembered) {
      const [oldest] = this.#changes
      this.#changes.delete(oldest!)
    }
    return true
  }
}

/** The changes that were given last, this process's and those of the position it began at. */
export class Given {
  #marks: { readonly mark: string; readonly timeUs: number }[] = []
  #timeUs = 0
  #fromUs = 0
  /** Marks of the position that this reader began at. */
  readonly #earlier: ReadonlySet<string>

  constructor(position: BlueskyPosition | undefined) {
    const marks: string[] = []
    if (position !== undefined) {
      for (let at = 0; at < position.given.length; at += markChars) {
        marks.push(position.given.slice(at, at + markChars))
      }
      this.#timeUs = position.timeUs
      this.#fromUs = position.fromUs
      // When each was seen is not kept: they go when all of that time have to.
      this.#marks = marks.map((mark) => ({ mark, timeUs: position.timeUs }))
    }
    this.#earlier = new Set(marks)
  }

  /** True for what an earlier process gave, and committed. */
  hasEarlier(change: string): boolean {
    return this.#earlier.size > 0 && this.#earlier.has(markOf(change))
  }

  add(change: string, timeUs: number): void {
    this.#timeUs = Math.max(this.#timeUs, timeUs)
    this.#marks.push({ mark: markOf(change), timeUs })
    if (this.#marks.length <= mostMarks) return
    const { timeUs: goneUs } = this.#marks.shift()!
    // Never behind the newest: of changes at one instant, rather some twice than one lost.
    this.#fromUs = Math.min(this.#timeUs, Math.max(this.#fromUs, goneUs + 1))
  }

  position(host: string): BlueskyPosition {
    const fromUs = Math.max(this.#fromUs, this.#timeUs - rewindUs)
    const given = this.#marks.map(({ mark }) => mark).join('')
    return { timeUs: this.#timeUs, fromUs, host, given }
  }
}
