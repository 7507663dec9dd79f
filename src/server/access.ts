/**
 * Who may ask: requests under another name of this machine (DNS rebinding) and from another site's
 * page are refused, and where a token is wanted, those without it.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Context, MiddlewareHandler } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { z } from 'zod'
import { CrossOrigin } from './cross-origin.ts'
import { Problem, refuse } from './problem.ts'
import { type Route, route } from './route.ts'

export interface AccessOptions {
  /** Names under which this server may be asked, `127.0.0.1:4280`; undefined: under any. */
  readonly hosts: () => readonly string[] | undefined
  /** Undefined: none is wanted. */
  readonly token: string | undefined
  /** Of other sites whose pages may ask too. Default: none. */
  readonly origins?: readonly string[] | undefined
}

const contentPolicy = [
  "default-src 'self'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

const strictHeaders = {
  'Content-Security-Policy': contentPolicy,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
}

/** Sets the headers of every answer, also of one that refuses. */
export const withStrictHeaders: MiddlewareHandler = async (context, next) => {
  await next()
  for (const [name, value] of Object.entries(strictHeaders)) context.res.headers.set(name, value)
}

export class Access {
  readonly #options: AccessOptions
  readonly #cookie: string
  readonly #session: string
  readonly #crossOrigin: CrossOrigin

  constructor(options: AccessOptions) {
    this.#options = options
    this.#crossOrigin = new CrossOrigin(options.origins)
    const token = options.token ?? ''
    // Cookies do not know ports: servers with different tokens on one machine keep theirs apart.
    this.#cookie = `millrace_session_${createHash('sha256').update(token).digest('hex').slice(0, 8)}`
    this.#session = createHmac('sha256', token).update('millrace session').digest('base64url')
  }

  /** Refuses requests to a name that is not this server's, and changes that another site asks for. */
  readonly guardOrigin: MiddlewareHandler = async (context, next) => {
    const host = context.req.header('host')?.toLowerCase()
    const hosts = this.#options.hosts()
    if (hosts !== undefined && (host === undefined || !hosts.includes(host))) {
      const words = `this server answers to ${hosts.join(', ')} only; --host opens it to others`
      return refuse(context, 421, 'HOST_REFUSED', words)
    }
    return this.#crossOrigin.answer(context, async () => {
      if (this.#mayAsk(context)) return next()
      const words = 'another site may not change anything here'
      context.res = refuse(context, 403, 'ORIGIN_REFUSED', words)
    })
  }

  #mayAsk(context: Context): boolean {
    const { method, path } = context.req
    if (method === 'GET' || method === 'HEAD' || isFromHere(context)) return true
    return this.#crossOrigin.allows(context.req.header('origin'), path)
  }

  /** Refuses requests without the token; `?token=` is taken once and becomes a cookie. */
  readonly guardToken: MiddlewareHandler = async (context, next) => {
    if (this.isKnown(context)) return next()
    const words = 'a token is wanted: as Authorization: Bearer, or by the link that was printed'
    const response = refuse(context, 401, 'TOKEN_WANTED', words)
    response.headers.set('WWW-Authenticate', 'Bearer realm="millrace"')
    return response
  }

  /** A link with `?token=`: the token leaves the address at once. */
  readonly exchangeLink: MiddlewareHandler = async (context, next) => {
    const token = context.req.query('token')
    // Links are followed by people; a script of another site gets no cookie.
    if (context.req.method !== 'GET' || token === undefined || !isFromHere(context)) return next()
    if (!this.#isToken(token)) return refuse(context, 401, 'TOKEN_WANTED', 'this token is not ours')
    this.#remember(context)
    const address = new URL(context.req.url)
    address.searchParams.delete('token')
    // Two slashes at the start would name another site.
    const path = address.pathname.replace(/^[/\\]+/, '/')
    context.header('Cache-Control', 'no-store')
    return context.redirect(`${path}${address.search}`, 303)
  }

  isKnown(context: Context): boolean {
    if (this.#options.token === undefined) return true
    const bearer = /^bearer +(\S+) *$/i.exec(context.req.header('authorization') ?? '')?.[1]
    if (bearer !== undefined) return this.#isToken(bearer)
    // A browser adds cookies to what a page of a neighbouring site asks: they say nothing then.
    if (!isFromHere(context)) return false
    const session = getCookie(context, this.#cookie)
    return session !== undefined && isSame(session, this.#session)
  }

  /** The one route of the API that is asked without a token: it brings it. */
  beginRoute(): Route {
    return route({
      method: 'post',
      path: '/api/session',
      summary: 'begins a session: the token becomes a cookie',
      body: z.strictObject({ token: z.string().max(1000) }),
      answer: { status: 204, description: 'the cookie is set' },
      handle: ({ body, context }) => {
        if (!this.#isToken(body.token)) {
          throw new Problem(401, 'TOKEN_WANTED', 'this token is not ours')
        }
        this.#remember(context)
        return context.body(null, 204)
      },
    })
  }

  endRoute(): Route {
    return route({
      method: 'delete',
      path: '/api/session',
      summary: 'ends the session of this browser',
      answer: { status: 204, description: 'the cookie is gone' },
      handle: ({ context }) => {
        deleteCookie(context, this.#cookie, { path: '/' })
        return context.body(null, 204)
      },
    })
  }

  #isToken(given: string): boolean {
    return this.#options.token === undefined || isSame(given, this.#options.token)
  }

  #remember(context: Context): void {
    if (this.#options.token === undefined) return
    setCookie(context, this.#cookie, this.#session, {
      ...{ httpOnly: true, sameSite: 'Strict', path: '/' },
      secure: new URL(context.req.url).protocol === 'https:',
    })
  }
}

/** In a time that tells nothing of where they differ, nor how long the right one is. */
function isSame(given: string, right: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(given), hash(right))
}

/** Programs send no Origin; browsers send one with every change, and when another site's page asks. */
function isFromHere({ req }: Context): boolean {
  const origin = req.header('origin')
  if (origin === undefined) return true
  return URL.canParse(origin) && new URL(origin).host === req.header('host')?.toLowerCase()
}
