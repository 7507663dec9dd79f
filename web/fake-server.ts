/**
 * A test tool: serves web/dist with a made-up state that moves, and with the headers of the real server.
 *
 *   npx vite build web && node web/fake-server.ts [PORT]
 */
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import type { MessagesPage, Trace } from '../src/server/state.ts'
import { answerTo, model } from './fake-models.ts'
import { FakeWorld } from './fake-world.ts'

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

export interface FakeServer {
  readonly url: string
  readonly port: number
  readonly world: FakeWorld
  /** Ends all connections at once, as a killed process does. */
  kill(): Promise<void>
}

export interface FakeOptions {
  readonly port?: number
  /** Default: web/dist. */
  readonly directory?: string
  /** What it goes on with; default: one that has run for ten minutes. */
  readonly world?: FakeWorld
  /** Asked for before anything of the API. */
  readonly token?: string
}

export async function startFakeServer(options: FakeOptions = {}): Promise<FakeServer> {
  const { port = 0, directory = path.join(import.meta.dirname, 'dist'), token } = options
  const world = options.world ?? new FakeWorld(600)
  const streams = new Set<ServerResponse>()
  const server = createServer((request, response) => {
    answer({ request, response, world, streams, directory, token }).catch((error: Error) =>
      sendError(response, 500, error.message),
    )
  })
  const timer = setInterval(() => {
    world.step()
    for (const stream of streams) sendNews(stream, world)
  }, 1000)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const { port: actual } = server.address() as AddressInfo
  const kill = () => {
    clearInterval(timer)
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeAllConnections()
    return closed
  }
  return { url: `http://127.0.0.1:${actual}/`, port: actual, world, kill }
}

interface Call {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly world: FakeWorld
  readonly streams: Set<ServerResponse>
  readonly directory: string
  readonly token: string | undefined
}

async function answer(call: Call): Promise<void> {
  const { request, response, world, directory } = call
  const url = new URL(request.url ?? '/', 'http://127.0.0.1')
  const [root, part = '', name = '', work = ''] = url.pathname.slice(1).split('/')
  if (root !== 'api') return sendFile(response, directory, url.pathname)
  if (call.token !== undefined && !(await isLetIn(call, part))) return
  const words = url.searchParams
  if (part === 'state') return sendJson(response, world.state)
  if (part === 'panels') return sendJson(response, world.panels)
  if (part === 'history') return sendJson(response, { points: world.points })
  if (part === 'events') return stream(call)
  if (part === 'topics') return sendJson(response, messages(world, decodeURIComponent(name), words))
  if (part === 'trace') return sendJson(response, trace(world, words.get('id') ?? ''))
  if (part === 'models' && name === '') return sendJson(response, { models: [model] })
  if (part === 'models' && work === '') return sendJson(response, model)
  if (part === 'models') {
    const { text, version = 2 } = await readBody<{ text: string; version?: number }>(request)
    return sendJson(response, answerTo(text, version))
  }
  if (part === 'dead-letters' && work === '') {
    return sendJson(response, { pipeline: name, groups: world.groups(name), isComplete: true })
  }
  if (part === 'dead-letters') {
    const { ids } = await readBody<{ ids: string[] }>(request)
    return sendJson(response, { done: world.takeLetters(ids), cut: [] })
  }
  sendError(response, 404, `there is nothing at ${url.pathname}`)
}

/** Answers itself what is not let in, and the request that brings the token. */
async function isLetIn({ request, response, token }: Call, part: string): Promise<boolean> {
  if (part !== 'session') {
    const isKnown = request.headers.cookie === `session=${token}`
    if (!isKnown) sendError(response, 401, 'a token is wanted')
    return isKnown
  }
  const given = await readBody<{ token: string }>(request)
  if (given.token !== token) sendError(response, 401, 'this token is not ours')
  else response.writeHead(204, { 'set-cookie': `session=${token}; HttpOnly; Path=/` }).end()
  return false
}

function stream({ request, response, world, streams }: Call): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  response.write('retry: 500\n\n')
  sendNews(response, world)
  streams.add(response)
  request.on('close', () => streams.delete(response))
}

function sendNews(response: ServerResponse, { state, panels }: FakeWorld): void {
  response.write(`id: ${state.atMs}\nevent: state\ndata: ${JSON.stringify(state)}\n\n`)
  response.write(`event: panels\ndata: ${JSON.stringify(panels)}\n\n`)
}

function messages(world: FakeWorld, topic: string, words: URLSearchParams): MessagesPage {
  const isEmpty = topic === 'score.replay'
  const wanted = words.get('key') ?? words.get('id')
  const limit = Number(words.get('limit') ?? 50)
  const before = Number(words.get('before') ?? world.newestOffset)
  const offset = Number(/(\d+)$/.exec(wanted ?? '')?.[1] ?? Number.NaN)
  const found = Number.isNaN(offset) ? [] : [world.message(topic, offset)]
  const newest = Array.from({ length: limit }, (_, index) =>
    world.message(topic, before - 1 - index),
  )
  return {
    topic,
    messages: isEmpty ? [] : wanted === null ? newest : found,
    older: isEmpty || wanted !== null ? null : String(before - limit),
    searched: { messages: limit, bytes: limit * 300, isComplete: true },
  }
}

function trace(world: FakeWorld, id: string): Trace {
  const offset = Number(/(\d+)$/.exec(id)?.[1] ?? 0)
  const deadLetters = world.lettersOf(id)
  const way = [
    { topic: 'mails', writtenBy: ['ingest-mails'] },
    { topic: 'mails.scored', writtenBy: ['score'] },
    { topic: 'mails.judged', writtenBy: ['judge'] },
  ]
  const stops = deadLetters.length > 0 ? way.slice(0, 1) : way
  return {
    id,
    stops: stops.map((stop) => ({ ...stop, message: world.message(stop.topic, offset) })),
    deadLetters,
    searched: { messages: 3, bytes: 900, isComplete: true },
  }
}

async function readBody<Body>(request: IncomingMessage): Promise<Body> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return JSON.parse(Buffer.concat(parts).toString()) as Body
}

function sendFile(response: ServerResponse, directory: string, pathname: string): void {
  const file = path.join(directory, path.normalize(pathname === '/' ? '/index.html' : pathname))
  const type = types[path.extname(file)]
  try {
    if (type === undefined) throw new Error('not of a kind that is served')
    const bytes = readFileSync(file)
    response.writeHead(200, { 'content-type': type, 'content-security-policy': policy })
    response.end(bytes)
  } catch {
    sendError(response, 404, `there is nothing at ${pathname}`)
  }
}

function sendJson(response: ServerResponse, body: object): void {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

function sendError(response: ServerResponse, status: number, message: string): void {
  if (!response.headersSent) response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ code: 'INPUT_INVALID', message }))
}

if (import.meta.main) {
  const { url } = await startFakeServer({ port: Number(process.argv[2] ?? 4281) })
  console.log(`made-up figures on ${url}`)
}
