/** What the door answers when it takes nothing: a status, a code for programs, words for people. */
import { codeOf, messageOf, orderOf } from '../core/errors.ts'

export interface RefusalDetails {
  /** Of the message in the request, from 0. */
  readonly index?: number | undefined
  /** Of the body, from 1: NDJSON. */
  readonly line?: number | undefined
  /** Of the field in the value: `author.name`. */
  readonly path?: string | undefined
}

export interface RefusalMore extends RefusalDetails {
  readonly headers?: Readonly<Record<string, string>>
}

/** Thrown inside the door, answered at its end. Nothing was appended. */
export class Refused extends Error {
  readonly status: number
  readonly code: string
  readonly details: RefusalDetails
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, code: string, message: string, more: RefusalMore = {}) {
    super(message)
    this.name = 'Refused'
    const { headers = {}, ...details } = more
    this.status = status
    this.code = code
    this.details = details
    this.headers = headers
  }
}

export const retryAfter = (waitMs: number) => ({
  'Retry-After': String(Math.max(1, Math.ceil(waitMs / 1000))),
})

/** The answer that an error stands for; undefined for what is nobody's order: a bug. */
export function refusalOf(error: unknown): Refused | undefined {
  if ((error as { name?: unknown } | null)?.name === 'Refused') return error as Refused
  const code = codeOf(error)
  if (code === undefined) return undefined
  const message = messageOf(error)
  if (orderOf(error) === 'try-later') {
    const { waitMs = 0 } = error as { waitMs?: number }
    return new Refused(503, code, message, { headers: retryAfter(waitMs) })
  }
  // Fenced again and again: another process has what this one acts for.
  if (orderOf(error) === 'fenced') {
    return new Refused(503, code, message, { headers: retryAfter(0) })
  }
  if (code === 'TOPIC_UNKNOWN') return new Refused(404, code, message)
  if (code === 'MESSAGE_TOO_LARGE') return new Refused(413, code, message)
  if (code === 'MESSAGE_INVALID') return new Refused(400, code, message)
  return undefined
}

export function responseOf(refused: Refused): Response {
  const { status, code, message, details, headers } = refused
  const body = JSON.stringify({ code, message, ...details })
  return new Response(body, {
    status,
    headers: { 'Content-Type': 'application/json', ...headers },
  })
}
