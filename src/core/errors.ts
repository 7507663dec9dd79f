/**
 * Errors are orders to whoever catches them, recognised by `order` and `code`, never by `instanceof`
 * (an error may come from another thread, another copy of the package or a user's own part).
 * Every code is declared once, in `errorCodes`; docs/reference/errors.md is generated from it.
 */
import { errorCodes } from './error-codes.ts'

export type ErrorCode = keyof typeof errorCodes

/**
 * - `misconfigured`: a person must change something; nothing was started.
 * - `try-later`: the same call may succeed after `waitMs`; whoever called retries, within bounds.
 * - `refused`: the messages named in `refused` can never be taken; their neighbours can.
 * - `fenced`: this member no longer owns what it acts for; drop what is in memory and join again.
 * - `stop`: what was found (a damaged file, a bug) makes going on wrong.
 */
export type Order = 'misconfigured' | 'try-later' | 'refused' | 'fenced' | 'stop'

/** One message that a part gives up on: its index in the batch, and why. */
export interface Refusal {
  readonly index: number
  readonly reason: string
}

export interface ErrorDetails {
  readonly cause?: unknown
  readonly waitMs?: number
  readonly refused?: readonly Refusal[]
}

export class MillraceError extends Error {
  readonly code: ErrorCode
  readonly order: Order
  /** With the order `try-later`: how long to wait before the next try. */
  readonly waitMs: number
  /** With the order `refused`: the messages given up on. */
  readonly refused: readonly Refusal[]

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'MillraceError'
    this.code = code
    this.order = errorCodes[code].order
    this.waitMs = details.waitMs ?? 0
    this.refused = details.refused ?? []
  }
}

/** Makes the error of a declared code. `message` says where, what was seen and what to do. */
export function fail(code: ErrorCode, message: string, details?: ErrorDetails): MillraceError {
  return new MillraceError(code, message, details)
}

/** The order that an error carries, or undefined when it is nobody's order: a bug, or a user's own. */
export function orderOf(error: unknown): Order | undefined {
  const code = codeOf(error)
  return code === undefined ? undefined : errorCodes[code].order
}

/** The declared code that an error carries, if any. */
export function codeOf(error: unknown): ErrorCode | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' && Object.hasOwn(errorCodes, code)
    ? (code as ErrorCode)
    : undefined
}

/** What a person reads of an unknown thrown value, on one line. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? (error.message as unknown) : error
  if (typeof message === 'string') return message
  try {
    return String(message)
  } catch {
    // An object without a prototype, or with a toString that throws.
    return Object.prototype.toString.call(message)
  }
}

/** `did you mean ...?` for a mistyped word: the nearest of the known ones, or an empty string. */
export function suggestion(word: string, known: Iterable<string>): string {
  let best = ''
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best === '' ? '' : `did you mean '${best}'?`
}

/** Levenshtein distance, by rows. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const change = previous[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1)
      current[column] = Math.min(change, previous[column]! + 1, current[column - 1]! + 1)
    }
    previous = current
  }
  return previous[b.length]!
}
