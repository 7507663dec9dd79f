/** A service over HTTP that a test is in charge of: what it knows, and how badly it behaves. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'

export interface Asked {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

type Answer = (asked: Asked, response: ServerResponse) => void

interface Certificate {
  readonly cert: string
  readonly key: string
}

export class TestService {
  /** What it is asked for, oldest first. */
  readonly asked: Asked[] = []
  readonly #server: Server
  readonly #protocol: string
  #port = 0
  #answer: Answer
  #inFlight = 0
  mostInFlight = 0
  /** Answers wait for it. */
  #gate: Promise<void> = Promise.resolve()

  /** With a certificate and its key it speaks HTTPS. */
  static async start(answer: Answer, tls?: Certificate): Promise<TestService> {
    const service = new TestService(answer, tls)
    await service.#listen()
    return service
  }

  private constructor(answer: Answer, tls: Certificate | undefined) {
    this.#answer = answer
    this.#protocol = tls === undefined ? 'http' : 'https'
    this.#server = tls === undefined ? createServer() : createSecureServer(tls)
    this.#server.on('request', (request, response) => void this.#take(request, response))
  }

  get url(): string {
    return `${this.#protocol}://127.0.0.1:${this.#port}`
  }

  answers(answer: Answer): void {
    this.#answer = answer
  }

  async away(work: () => Promise<void>): Promise<void> {
    await this.stop()
    try {
      await work()
    } finally {
      await this.#listen()
    }
  }

  async stalled(work: () => Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#gate = promise
    try {
      await work()
    } finally {
      resolve()
    }
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(this.#port, '127.0.0.1', () => {
        this.#port = (this.#server.address() as AddressInfo).port
        resolve()
      })
    })
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.mostInFlight = Math.max(this.mostInFlight, ++this.#inFlight)
    response.on('close', () => this.#inFlight--)
    let body = ''
    request.setEncoding('utf8')
    for await (const chunk of request) body += chunk
    const { method = '', url = '', headers } = request
    this.asked.push({ method, url, headers, body })
    await this.#gate
    this.#answer({ method, url, headers, body }, response)
  }
}

/** Answers from a table: `/things/KEY`, `/things?ids=KEY,KEY` and a POST of keys. */
export function fromTable(table: Readonly<Record<string, unknown>>): Answer {
  const has = (key: string) => Object.hasOwn(table, key)
  return ({ method, url, body }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://service')
    const several =
      method === 'POST' ? (JSON.parse(body) as string[]) : searchParams.get('ids')?.split(',')
    const keys = several ?? [decodeURIComponent(pathname.split('/').at(-1)!)]
    if (keys.includes('wrong')) return send(response, 400, { message: 'no such form of key' })
    if (several !== undefined) {
      const found = keys.filter(has).map((key) => [key, table[key]] as const)
      return send(response, 200, Object.fromEntries(found))
    }
    const [key] = keys as [string]
    return has(key) ? send(response, 200, table[key]) : send(response, 404, { message: 'none' })
  }
}

export function send(response: ServerResponse, status: number, body: unknown): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(text)
}
