/**
 * Puts the server on a port: beside the pipelines of `millrace run`, or alone with `millrace serve`.
 * It has its own handle on the log and only reads, but for what somebody asks for on the page.
 */
import { createHash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import type { Server, ServerOptions } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import type { Clock } from '../core/clock.ts'
import { fail, messageOf } from '../core/errors.ts'
import { Codecs, formatSetting } from '../pipeline/codecs.ts'
import type { Definition } from '../pipeline/definition.ts'
import { environmentFor, openLog } from '../pipeline/open-log.ts'
import { isLoopbackHost, type ServerToken, serverToken } from './address.ts'
import { serverApp } from './app.ts'
import { originsIn, originsSetting } from './cross-origin.ts'
import { type DoorTopic, door } from './door.ts'
import { Monitor } from './monitor.ts'

export interface ServeOptions {
  readonly directory: string
  /** The application's file, where one is served: its configuration says where the log is. */
  readonly app?: string | undefined
  /** Of Millrace. */
  readonly version: string
  readonly clock: Clock
  /** Undefined: 4280, or the next free one where another process on the directory has that. */
  readonly port?: number | undefined
  readonly host?: string | undefined
  /** What the application declares of its topics: what comes in by HTTP is checked against it. */
  readonly topics?: readonly DoorTopic[] | undefined
  /** Those of the application, so that their state can be asked for. */
  readonly pipelines?: readonly Definition[] | undefined
  readonly environment?: NodeJS.ProcessEnv
  /** What is said goes to a person's screen and into no log: a link with the token may be in it. */
  readonly mayShowToken?: boolean
  /** Words for people. */
  say(line: string): void
}

export interface Serving {
  readonly url: string
  readonly port: number
  /** Ends streams and connections, whoever is on them. Safe to call twice. */
  close(): Promise<void>
}

export const defaultPort = 4280
const defaultHost = '127.0.0.1'
/** So many ports are tried where processes on the same directory have the first ones. */
const mostNeighbours = 20

const limits = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 5000,
  connectionsCheckingInterval: 2000,
} satisfies ServerOptions
const mostConnections = 1000
const mostRequestsOfConnection = 10_000
/** How long answers under way may still take at the end. */
const closeMs = 1000

/**
 * Throws `PORT_IN_USE`, `OPTIONS_INVALID` for a host that is not this machine's or a setting that is
 * wrong, and what the log throws.
 */
export async function startServer(options: ServeOptions): Promise<Serving> {
  const { directory, clock, version, host = defaultHost, environment = process.env } = options
  const origins = originsIn(environment)
  const token = serverToken(host, directory, environment)
  const log = await openLog({ directory, maintain: false, app: options.app })
  const codecs = new Codecs(formatSetting(await environmentFor(options.app)))
  const ending = new AbortController()
  const monitor = new Monitor({ log, clock, version, directory })
  const identity = identityOf(directory)
  let port = 0
  const { app, close } = serverApp({
    ...{ log, monitor, directory, version, identity, token: token?.value, origins },
    pipelines: options.pipelines,
    hosts: () => (isLoopbackHost(host) ? loopbackNames(host, port) : undefined),
    door: door({ log, clock, codecs, topics: options.topics, signal: ending.signal }),
  })
  const server = createAdaptorServer({ fetch: app.fetch, serverOptions: limits }) as Server
  harden(server)
  const closed = async () => {
    ending.abort()
    await close()
    await monitor.stop()
    await closeServer(server)
    await codecs.close()
    await log.close()
  }
  try {
    await monitor.start()
    port = await listen(server, host, options.port, identity)
  } catch (error) {
    await closed()
    throw error
  }
  const url = `http://${named(host)}:${port}`
  tellPlace(options, port, token, origins)
  let closing: Promise<void> | undefined
  const end = () => {
    closing ??= closed()
    return closing
  }
  return { url, port, close: end }
}

function tellPlace(
  { say, port: asked, host = defaultHost, mayShowToken = false }: ServeOptions,
  port: number,
  token: ServerToken | undefined,
  origins: readonly string[],
): void {
  if (asked === undefined && port !== defaultPort) {
    say(`port ${defaultPort} is taken by another process on this directory: this one takes ${port}`)
  }
  const url = `http://${named(host)}:${port}`
  say(token === undefined ? `the page: ${url}` : `the page: ${url}/ ${token.words}`)
  if (token !== undefined && mayShowToken) {
    const link = `http://${named(hereOf(host))}:${port}/?token=${encodeURIComponent(token.value)}`
    say(`signs you in: ${link}`)
  }
  if (origins.length > 0) say(`pages of ${origins.join(', ')} may ask here (${originsSetting})`)
}

/** As it stands in an address. */
const named = (host: string) => (host.includes(':') ? `[${host}]` : host)

/** Where all addresses are listened on, the one of this machine. */
const hereOf = (host: string) => (host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host)

function harden(server: Server): void {
  server.maxConnections = mostConnections
  server.maxRequestsPerSocket = mostRequestsOfConnection
  // What is no HTTP gets a short answer and no more.
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) return socket.destroy()
    const status =
      error.code === 'HPE_HEADER_OVERFLOW'
        ? '431 Request Header Fields Too Large'
        : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
          ? '408 Request Timeout'
          : '400 Bad Request'
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  })
}

/** The port that it listens on. Throws `PORT_IN_USE`, `OPTIONS_INVALID`. */
async function listen(
  server: Server,
  host: string,
  asked: number | undefined,
  identity: string,
): Promise<number> {
  const first = asked ?? defaultPort
  for (let port = first; ; port++) {
    try {
      return await listenOn(server, host, port)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'EADDRINUSE') {
        const hint = code === 'EACCES' ? 'ports below 1024 may need more rights' : messageOf(error)
        throw fail('OPTIONS_INVALID', `--host ${host} --port ${port}: cannot listen there: ${hint}`)
      }
      const isNeighbour = asked === undefined && port < first + mostNeighbours
      if (isNeighbour && (await identityAt(host, port)) === identity) continue
      throw fail('PORT_IN_USE', `port ${first} is taken; --port ${first + 1}`)
    }
  }
}

function listenOn(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}

/** The directory that whoever listens there serves; undefined: it is none of ours. */
async function identityAt(host: string, port: number): Promise<string | undefined> {
  try {
    const address = `http://${named(hereOf(host))}:${port}/health/live`
    const response = await fetch(address, { signal: AbortSignal.timeout(2000) })
    return ((await response.json()) as { directory?: string }).directory
  } catch {
    return undefined
  }
}

/** The same for all processes on one directory, and tells nothing of its name. */
function identityOf(directory: string): string {
  let path = directory
  try {
    path = realpathSync(directory)
  } catch {
    // It is not made yet; then nobody else serves it.
  }
  return createHash('sha256').update(`millrace ${path}`).digest('hex').slice(0, 16)
}

const loopbackNames = (host: string, port: number) => {
  const names = [...new Set(['127.0.0.1', 'localhost', '[::1]', named(host)])]
  // Browsers leave out the port that http has of itself.
  return [...names.map((name) => `${name}:${port}`), ...(port === 80 ? names : [])]
}

async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return
  const ended = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), closeMs)
  await ended
  clearTimeout(timer)
}
