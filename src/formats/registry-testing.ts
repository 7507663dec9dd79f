/** A schema registry in memory, on a port of its own, for tests: it keeps schemas, and can be made to fail. */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { SchemaReference, SchemaType } from './registry.ts'

interface Kept {
  readonly id: number
  readonly type: SchemaType
  readonly text: string
  readonly references: readonly SchemaReference[]
}

interface Sent {
  readonly schema: string
  readonly schemaType?: SchemaType
  readonly references?: readonly SchemaReference[]
}

type Answer = readonly [status: number, body: unknown]

const noSubject: Answer = [404, { error_code: 40401, message: 'Subject not found.' }]
const noVersion: Answer = [404, { error_code: 40403, message: 'Schema not found.' }]

export class TestRegistry {
  readonly #server: Server
  readonly #protocol: string
  readonly #byId = new Map<number, Kept>()
  readonly #subjects = new Map<string, Kept[]>()
  /** Paths that were asked for, with their method. */
  readonly asked: string[] = []
  /** The headers of the last request. */
  headers: IncomingMessage['headers'] = {}
  /** It takes requests and answers none. */
  isMute = false
  /** Answers instead, where it gives something. */
  instead: ((path: string) => Answer | string | undefined) | undefined
  /** Why the second does not go with the first; undefined: it does. */
  whyIncompatible: (latest: string, next: string) => string | undefined = () => undefined

  private constructor(server: Server, protocol: string) {
    this.#server = server
    this.#protocol = protocol
  }

  /** With a certificate and its key it speaks HTTPS. */
  static async start(tls?: { readonly cert: string; readonly key: string }): Promise<TestRegistry> {
    const server = tls === undefined ? createServer() : createSecureServer(tls)
    const registry = new TestRegistry(server, tls === undefined ? 'http' : 'https')
    server.on('request', (request, response) => {
      if (registry.isMute) return
      void registry.#take(request).then(([status, body]) => {
        response.writeHead(status, { 'Content-Type': 'application/json', Connection: 'close' })
        response.end(typeof body === 'string' ? body : JSON.stringify(body))
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return registry
  }

  get url(): string {
    return `${this.#protocol}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Puts a schema there, as somebody else did; gives its id. */
  add(
    subject: string,
    text: string,
    type: SchemaType = 'AVRO',
    references: readonly SchemaReference[] = [],
    id = this.#byId.size + 1,
  ): number {
    const same = this.#subjects.get(subject)?.find((one) => one.text === text)
    if (same !== undefined) return same.id
    const kept = { id, type, text, references }
    this.#byId.set(id, kept)
    this.#subjects.set(subject, [...(this.#subjects.get(subject) ?? []), kept])
    return id
  }

  /** As it was at its start. */
  clear(): void {
    this.#byId.clear()
    this.#subjects.clear()
    this.asked.length = 0
    this.instead = undefined
    this.whyIncompatible = () => undefined
  }

  versions(subject: string): number {
    return this.#subjects.get(subject)?.length ?? 0
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  async #take(request: IncomingMessage): Promise<Answer> {
    const path = request.url ?? ''
    this.asked.push(`${request.method} ${path}`)
    this.headers = request.headers
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const instead = this.instead?.(path)
    if (instead !== undefined) return typeof instead === 'string' ? [200, instead] : instead
    const text = Buffer.concat(chunks).toString()
    return this.#answer(request.method ?? '', path, text === '' ? undefined : JSON.parse(text))
  }

  #answer(method: string, path: string, sent: Sent | undefined): Answer {
    const parts = path.replace(/\?.*$/, '').split('/').slice(1).map(decodeURIComponent)
    if (parts[0] === 'schemas') {
      const found = this.#byId.get(Number(parts[2]))
      return found === undefined ? noVersion : [200, shown(found)]
    }
    const isCheck = parts[0] === 'compatibility'
    const subject = parts[isCheck ? 2 : 1]!
    const versions = this.#subjects.get(subject)
    if (isCheck) return this.#check(versions, sent!)
    if (method === 'GET') return version(subject, versions, parts[3]!)
    if (parts[2] === 'versions') return this.#register(subject, versions, sent!)
    const found = versions?.find((one) => one.text === sent!.schema)
    return versions === undefined ? noSubject : found ? [200, shown(found)] : noVersion
  }

  #check(versions: readonly Kept[] | undefined, { schema }: Sent): Answer {
    const latest = versions?.at(-1)
    if (latest === undefined) return noSubject
    const why = this.whyIncompatible(latest.text, schema)
    return [200, { is_compatible: why === undefined, messages: why === undefined ? [] : [why] }]
  }

  #register(subject: string, versions: readonly Kept[] | undefined, sent: Sent): Answer {
    const latest = versions?.at(-1)
    const why = latest && this.whyIncompatible(latest.text, sent.schema)
    if (why !== undefined) return [409, { error_code: 409, message: why }]
    const { schema, schemaType = 'AVRO', references = [] } = sent
    return [200, { id: this.add(subject, schema, schemaType, references) }]
  }
}

function version(subject: string, versions: readonly Kept[] | undefined, wanted: string): Answer {
  if (versions === undefined) return noSubject
  const number = wanted === 'latest' ? versions.length : Number(wanted)
  const found = versions[number - 1]
  return found === undefined ? noVersion : [200, { ...shown(found), subject, version: number }]
}

/** Avro is what a registry does not name. */
const shown = ({ id, type, text, references }: Kept) => ({
  id,
  schema: text,
  ...(type === 'AVRO' ? {} : { schemaType: type }),
  ...(references.length === 0 ? {} : { references }),
})
