/** One request to a service and its answer: bounded in time and size, connections kept open, no secrets in errors. */
import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http'
import { Agent as SecureAgent, request as secureRequest } from 'node:https'
import { fail } from '../core/errors.ts'

export interface HttpQuestion {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Undefined: it is a GET; else a POST. */
  readonly body: string | undefined
}

export interface HttpAnswer {
  readonly status: number
  readonly retryAfter: string | undefined
  /** Undefined: it is longer than may be. */
  readonly text: string | undefined
}

export interface HttpLimits {
  readonly timeoutMs: number
  readonly maxAnswerBytes: number
}

const retryMs = 500

export class HttpClient {
  readonly #where: string
  readonly #tls: object | undefined
  readonly #limits: HttpLimits
  readonly #plain = new PlainAgent({ keepAlive: true })
  readonly #secure = new SecureAgent({ keepAlive: true })

  /** `where` begins its errors. */
  constructor(where: string, tls: object | undefined, limits: HttpLimits) {
    this.#where = where
    this.#tls = tls
    this.#limits = limits
  }

  /** Throws `LOOKUP_AWAY`, `LOOKUP_UNUSABLE`, and the signal's reason where that comes first. */
  async send(question: HttpQuestion, signal: AbortSignal): Promise<HttpAnswer> {
    const limit = AbortSignal.timeout(this.#limits.timeoutMs)
    try {
      return await this.#send(question, AbortSignal.any([signal, limit]))
    } catch (error) {
      signal.throwIfAborted()
      throw this.#unreachable(limit.aborted ? limit.reason : error)
    }
  }

  close(): void {
    this.#plain.destroy()
    this.#secure.destroy()
  }

  #send({ url, headers: given, body }: HttpQuestion, signal: AbortSignal): Promise<HttpAnswer> {
    const isSecure = url.startsWith('https:')
    const headers = {
      Accept: 'application/json',
      ...(body === undefined
        ? {}
        : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }),
      ...given,
    }
    const method = body === undefined ? 'GET' : 'POST'
    const agent = isSecure ? this.#secure : this.#plain
    return new Promise((resolve, reject) => {
      const request = isSecure ? secureRequest : plainRequest
      const sent = request(url, { method, headers, signal, agent, ...this.#tls }, (response) => {
        this.#collect(response).then((text) => {
          const { statusCode: status = 0, headers: told } = response
          resolve({ status, text, retryAfter: told['retry-after'] })
        }, reject)
      })
      sent.on('error', reject)
      sent.end(body)
    })
  }

  async #collect(response: IncomingMessage): Promise<string | undefined> {
    const chunks: Buffer[] = []
    let sizeBytes = 0
    for await (const chunk of response as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length
      // Leaving the loop ends the connection: the rest is not fetched.
      if (sizeBytes > this.#limits.maxAnswerBytes) return undefined
      chunks.push(chunk)
    }
    return Buffer.concat(chunks).toString()
  }

  /** A certificate that is not taken will not be taken next time: a person has to do something. */
  #unreachable(error: unknown): Error {
    const { code = '', name, message } = error as { code?: string; name?: string; message?: string }
    if (/CERT|SELF_SIGNED|ISSUER|ALTNAME|UNABLE_TO_VERIFY/.test(code)) {
      const hint =
        "name the authority of its certificate: http({ tls: { ca } }) in the environment's connections"
      const words = `${this.#where}: its certificate is not trusted (${code}); ${hint}`
      return fail('LOOKUP_UNUSABLE', words)
    }
    if (code === 'EPROTO') {
      return fail('LOOKUP_UNUSABLE', `${this.#where}: it does not speak TLS there; use http://`)
    }
    const { timeoutMs } = this.#limits
    const why = name === 'TimeoutError' ? `no answer within ${timeoutMs} ms` : code || message
    return fail('LOOKUP_AWAY', `${this.#where}: ${why}`, { waitMs: retryMs })
  }
}
