/** One question to a schema registry and its answer: bounded in time and size, without secrets in errors. */
import { type IncomingMessage, request as plainRequest } from 'node:http'
import { request as secureRequest } from 'node:https'
import { fail } from '../core/errors.ts'

/** Where a registry is, and what it takes to ask it. */
export interface RegistryConnection {
  /** Without a slash at the end; where one does not answer, the next is asked. */
  readonly urls: readonly string[]
  /** As node:tls takes it. */
  readonly tls?: object
  /** The header of each request, asked for anew. */
  readonly authorization?: () => Promise<string>
}

export interface Question {
  readonly method: 'GET' | 'POST'
  /** Begins with a slash. */
  readonly path: string
  readonly body?: unknown
}

export interface Answer {
  readonly status: number
  readonly body: unknown
  /** What it said beside a failure. */
  readonly message: string
  readonly errorCode: number | undefined
}

export interface AskOptions {
  readonly timeoutMs: number
  readonly maxBytes: number
  readonly signal: AbortSignal | undefined
}

const contentType = 'application/vnd.schemaregistry.v1+json'
const retryMs = 500
const longestWaitMs = 60_000

/**
 * Asks one address. Throws `SCHEMA_REGISTRY_AWAY` and `SCHEMA_REGISTRY_UNUSABLE`; an answer below 500
 * that is neither 401, 403 nor 429 is given back.
 */
export async function ask(
  url: string,
  connection: RegistryConnection,
  question: Question,
  options: AskOptions,
): Promise<Answer> {
  const where = `schema registry ${url}`
  const authorization = await connection.authorization?.()
  let response: Raw
  try {
    response = await send(url, connection.tls, question, authorization, options)
  } catch (error) {
    throw unreachable(where, error)
  }
  const { status, text, retryAfter } = response
  const body = parse(text)
  const said = body as { message?: unknown; error_code?: unknown } | null | undefined
  const message = typeof said?.message === 'string' ? said.message.slice(0, 1000) : ''
  const answer = `it answered ${status}${message === '' ? '' : ` (${message.slice(0, 300)})`}`
  if (status === 401) {
    throw unusable(`${where}: ${answer}; give it the right username and password, or token`)
  }
  if (status === 403) throw unusable(`${where}: ${answer}; this user may not do that there`)
  if (status >= 500 || status === 429 || status === 408) {
    throw fail('SCHEMA_REGISTRY_AWAY', `${where}: ${answer}; it is tried again`, {
      waitMs: waitOf(retryAfter),
    })
  }
  if (body === undefined) {
    const what = `${answer}, and that is no JSON; is this the address of its API?`
    throw unusable(`${where}: ${what}`)
  }
  const errorCode = typeof said?.error_code === 'number' ? said.error_code : undefined
  return { status, body, message, errorCode }
}

const unusable = (message: string) => fail('SCHEMA_REGISTRY_UNUSABLE', message)

interface Raw {
  readonly status: number
  readonly text: string
  readonly retryAfter: string | undefined
}

function send(
  url: string,
  tls: object | undefined,
  { method, path, body }: Question,
  authorization: string | undefined,
  { timeoutMs, maxBytes, signal }: AskOptions,
): Promise<Raw> {
  const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
  const headers = {
    Accept: `${contentType}, application/json`,
    ...(bytes === undefined ? {} : { 'Content-Type': contentType, 'Content-Length': bytes.length }),
    ...(authorization === undefined ? {} : { Authorization: authorization }),
  }
  const limit = AbortSignal.timeout(timeoutMs)
  const signals = signal === undefined ? limit : AbortSignal.any([signal, limit])
  return new Promise((resolve, reject) => {
    const request = url.startsWith('https:') ? secureRequest : plainRequest
    const options = { method, headers, signal: signals, ...tls }
    const sent = request(`${url}${path}`, options, (response) => {
      collect(response, maxBytes).then((text) => {
        const { statusCode: status = 0, headers } = response
        resolve({ status, text, retryAfter: headers['retry-after'] })
      }, reject)
    })
    // What timed out says so, and not that it was aborted.
    sent.on('error', (error) => reject(limit.aborted ? limit.reason : error))
    sent.end(bytes)
  })
}

async function collect(response: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes > maxBytes) throw new Error(`its answer is longer than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Seconds, at most a minute; a date is not waited for. */
function waitOf(retryAfter: string | undefined): number {
  const seconds = Number(retryAfter)
  return seconds > 0 ? Math.min(seconds * 1000, longestWaitMs) : retryMs
}

/** A certificate that is not taken will not be taken next time: a person has to do something. */
function unreachable(where: string, error: unknown): Error {
  const { code = '', name, message } = error as { code?: string; name?: string; message?: string }
  if (/CERT|SELF_SIGNED|ISSUER|ALTNAME|UNABLE_TO_VERIFY/.test(code)) {
    const hint = "name the authority of its certificate (schemaRegistry's tls: { ca })"
    return unusable(`${where}: its certificate is not trusted (${code}); ${hint}`)
  }
  if (code === 'EPROTO') return unusable(`${where}: it does not speak TLS there; use http://`)
  const why = name === 'TimeoutError' ? 'no answer in time' : code || message
  return fail('SCHEMA_REGISTRY_AWAY', `${where}: ${why}; it is tried again`, { waitMs: retryMs })
}
