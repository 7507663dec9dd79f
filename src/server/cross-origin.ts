/**
 * Pages of other sites that may ask here (CORS): only those that MILLRACE_CORS_ORIGINS names, only
 * for what programs read and write, and never by a cookie. Without the setting there are none.
 */
import type { MiddlewareHandler } from 'hono'
import { fail } from '../core/errors.ts'

export const originsSetting = 'MILLRACE_CORS_ORIGINS'

/** A browser asks again whether it may after so long. */
const maxAgeSeconds = 600

const preflightHeaders = {
  'Access-Control-Allow-Methods': 'GET, HEAD, POST',
  'Access-Control-Allow-Headers':
    'Authorization, Content-Type, Content-Encoding, Idempotency-Key, Last-Event-ID, Prefer',
  'Access-Control-Max-Age': String(maxAgeSeconds),
}

/** Headers of answers that a script of another site may read beside those it always may. */
const exposedHeaders = 'Retry-After, WWW-Authenticate, Idempotency-Replayed, Preference-Applied'

/** The origins in the setting, each as browsers send it. Throws `OPTIONS_INVALID`. */
export function originsIn(environment: NodeJS.ProcessEnv): readonly string[] {
  const words = (environment[originsSetting] ?? '').split(',').map((word) => word.trim())
  return [...new Set(words.filter((word) => word !== '').map(checkedOrigin))]
}

function checkedOrigin(word: string): string {
  if (word.includes('*')) {
    throw invalid(word, 'would let more sites ask than you name; name each: https://HOST[:PORT]')
  }
  const url = URL.canParse(word) ? new URL(word) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw invalid(word, 'is no origin; write https://HOST[:PORT], separated by commas')
  }
  // Browsers send exactly this: another way to write it would never match.
  if (url.origin !== word) throw invalid(word, `is not how browsers write it; write ${url.origin}`)
  return word
}

const invalid = (word: string, words: string) =>
  fail('OPTIONS_INVALID', `${originsSetting}: '${word}' ${words}`)

/** What other sites' pages may ask: not the page itself, and no session, which is a cookie. */
const openPaths = /^\/(api|topics|metrics|openapi\.json|health)(?=\/|$)/
const sessionPath = /^\/api\/session(?=\/|$)/

export class CrossOrigin {
  readonly #origins: ReadonlySet<string>

  constructor(origins: readonly string[] = []) {
    this.#origins = new Set(origins)
  }

  /** Whether a page of that origin may ask for that path. */
  allows(origin: string | undefined, path: string): boolean {
    return origin !== undefined && this.#origins.has(origin) && isOpen(path)
  }

  /** Says to browsers what they may pass on, and answers their questions beforehand. */
  readonly answer: MiddlewareHandler = async (context, next) => {
    const { req } = context
    if (this.#origins.size === 0 || !isOpen(req.path)) return next()
    const origin = req.header('origin')
    const isAllowed = this.allows(origin, req.path)
    const asksBefore = req.method === 'OPTIONS' && req.header('access-control-request-method')
    if (isAllowed && asksBefore) context.res = new Response(null, { status: 204 })
    else await next()
    const { headers } = context.res
    // Whoever keeps answers must not give that of one site to another.
    headers.append('Vary', 'Origin')
    if (!isAllowed) return
    headers.set('Access-Control-Allow-Origin', origin!)
    headers.set('Access-Control-Expose-Headers', exposedHeaders)
    if (!asksBefore) return
    for (const [name, value] of Object.entries(preflightHeaders)) headers.set(name, value)
  }
}

const isOpen = (path: string) => openPaths.test(path) && !sessionPath.test(path)
