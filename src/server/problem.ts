/** What the API answers when something is wrong: a status, a code for programs, words for people. */
import type { Context } from 'hono'
import { codeOf, messageOf, orderOf } from '../core/errors.ts'
import type { ApiError } from './state.ts'

const unknown = ['TOPIC_UNKNOWN', 'GROUP_UNKNOWN', 'MODEL_UNKNOWN', 'STEP_UNKNOWN']
const invalid = ['OPTIONS_INVALID', 'NAME_INVALID', 'INPUT_INVALID', 'INPUT_NOT_TEXT']
const conflict = ['GROUP_ACTIVE', 'TOPIC_DIFFERS', 'STATE_DIFFERS', 'REGISTRY_CONFLICT']

/** Thrown inside a route: an answer with its own status. */
export class Problem extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.name = 'Problem'
    this.status = status
    this.code = code
  }
}

/** The answer for what a route threw. Of a bug only its place in the server's own log is told. */
export function problemResponse(error: unknown): Response {
  const { status, code, message } = problemOf(error)
  const body: ApiError = { code, message }
  const headers = { 'Cache-Control': 'no-store', ...retryAfter(error, status) }
  return Response.json(body, { status, headers })
}

/** Middleware answers with it. */
export const refuse = (_: Context, status: number, code: string, message: string) =>
  problemResponse(new Problem(status, code, message))

function problemOf(error: unknown): { status: number; code: string; message: string } {
  if ((error as { name?: unknown } | null)?.name === 'Problem') return error as Problem
  const code = codeOf(error)
  if (code === undefined) {
    const stack = error instanceof Error ? error.stack : undefined
    process.stderr.write(`millrace: the server failed at a request\n${stack ?? messageOf(error)}\n`)
    return { status: 500, code: 'BUG', message: 'this is a bug of Millrace; its stderr says more' }
  }
  return { status: statusOf(error, code), code, message: messageOf(error) }
}

function statusOf(error: unknown, code: string): number {
  if (unknown.includes(code)) return 404
  if (invalid.includes(code)) return 400
  if (conflict.includes(code)) return 409
  const order = orderOf(error)
  return order === 'try-later' || order === 'fenced' ? 503 : 500
}

function retryAfter(error: unknown, status: number): Record<string, string> {
  if (status !== 503) return {}
  const { waitMs = 0 } = error as { waitMs?: number }
  return { 'Retry-After': String(Math.max(1, Math.ceil(waitMs / 1000))) }
}
