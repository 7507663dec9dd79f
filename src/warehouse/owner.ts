/**
 * Whoever has the DuckDB file open answers questions about it, because nobody else can open it: a
 * small HTTP server on this machine only, whose port and token are in a note beside the file.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { codeOf, fail, messageOf } from '../core/errors.ts'
import type { DuckdbSink } from '../sinks/duckdb.ts'
import type { WarehouseFile } from '../sinks/duckdb-file.ts'
import type { Sink } from '../sinks/sink.ts'
import { answerHeader, type OwnerNote, removeOwner, writeOwner } from './owner-file.ts'
import { defaultBounds, type QueryBounds, runSql } from './run-sql.ts'

export interface WarehouseOwner {
  readonly port: number
  /** Stops answering and removes the note. Safe to call twice; closing the file calls it too. */
  close(): Promise<void>
}

const maxBodyBytes = 1024 * 1024
const maxQuestionsAtOnce = 4
const serving = new WeakMap<WarehouseFile, Promise<WarehouseOwner>>()

/**
 * Serves SQL for an open file until the file is closed. Called again for a file that is served
 * already, it gives the same owner. It does not keep the process alive.
 */
export function serveWarehouse(
  file: WarehouseFile,
  bounds: Partial<QueryBounds> = {},
): Promise<WarehouseOwner> {
  const known = serving.get(file)
  if (known !== undefined) return known
  const owner = openOwner(file, { ...defaultBounds, ...bounds })
  serving.set(file, owner)
  owner.catch(() => serving.delete(file))
  return owner
}

/** As `serveWarehouse`, for a sink that keeps its messages in a DuckDB file; any other is left alone. */
export async function serveSink(sink: Sink): Promise<WarehouseOwner | undefined> {
  const { warehouse } = sink as Partial<DuckdbSink>
  return warehouse === undefined ? undefined : serveWarehouse(warehouse)
}

async function openOwner(file: WarehouseFile, bounds: QueryBounds): Promise<WarehouseOwner> {
  const token = randomBytes(32).toString('hex')
  const stopping = new AbortController()
  const desk = new Desk(file, token, bounds, stopping.signal)
  const server = createServer((request, response) => {
    void desk.answer(request, response)
  })
  server.headersTimeout = 5000
  server.requestTimeout = 10_000
  server.unref()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  const note: OwnerNote = { pid: process.pid, port, token }
  try {
    await writeOwner(file.path, note)
  } catch (error) {
    server.close()
    throw fail('SINK_UNUSABLE', `duckdb ${file.path}: ${messageOf(error)}`, { cause: error })
  }
  let closed: Promise<void> | undefined
  const close = () => {
    closed ??= (async () => {
      serving.delete(file)
      await removeOwner(file.path, note)
      stopping.abort()
      await desk.idle()
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    })()
    return closed
  }
  file.beforeClose(close)
  return { port, close }
}

/** Answers `POST /sql` with `{ "sql": ... }`; whoever does not know the token learns nothing. */
class Desk {
  readonly #file: WarehouseFile
  readonly #token: Buffer
  readonly #bounds: QueryBounds
  readonly #stopping: AbortSignal
  readonly #running = new Set<Promise<unknown>>()

  constructor(file: WarehouseFile, token: string, bounds: QueryBounds, stopping: AbortSignal) {
    this.#file = file
    this.#token = Buffer.from(token)
    this.#bounds = bounds
    this.#stopping = stopping
  }

  /** Resolves when no question is being answered any more. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#running)
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [status, body] = await this.#reply(request, response).catch(
      (error: unknown): [number, unknown] => [
        codeOf(error) === undefined ? 500 : 400,
        { error: codeOf(error) ?? 'INTERNAL', message: messageOf(error) },
      ],
    )
    if (response.destroyed) return
    response.writeHead(status, {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      [answerHeader]: '1',
      ...(status === 413 ? { connection: 'close' } : {}),
    })
    response.end(JSON.stringify(body))
  }

  async #reply(request: IncomingMessage, response: ServerResponse): Promise<[number, unknown]> {
    if (!this.#knowsToken(request.headers.authorization)) {
      return [401, { error: 'UNAUTHORIZED', message: 'the token is missing or wrong' }]
    }
    if (request.url !== '/sql' || request.method !== 'POST') {
      return [404, { error: 'NOT_FOUND', message: 'ask with POST /sql' }]
    }
    if (this.#running.size >= maxQuestionsAtOnce) {
      return [503, { error: 'BUSY', message: 'too many questions at once; ask again' }]
    }
    const body = await readBody(request)
    if (body === undefined) {
      return [413, { error: 'TOO_LARGE', message: `a question has at most ${maxBodyBytes} bytes` }]
    }
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const signal = AbortSignal.any([gone.signal, this.#stopping])
    const running = runSql(this.#file, sqlOf(body), this.#bounds, signal)
    this.#running.add(running)
    try {
      return [200, await running]
    } finally {
      this.#running.delete(running)
    }
  }

  #knowsToken(authorization: string | undefined): boolean {
    const given = Buffer.from(/^Bearer (\S+)$/i.exec(authorization ?? '')?.[1] ?? '')
    return given.length === this.#token.length && timingSafeEqual(given, this.#token)
  }
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const pieces: Buffer[] = []
  let sizeBytes = 0
  for await (const piece of request as AsyncIterable<Buffer>) {
    sizeBytes += piece.length
    if (sizeBytes > maxBodyBytes) return undefined
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}

function sqlOf(body: string): string {
  try {
    const { sql } = JSON.parse(body) as { sql?: unknown }
    if (typeof sql === 'string') return sql
  } catch {
    // Said below, as for any other body without a statement.
  }
  throw fail('SQL_INVALID', 'sql: the body is not {"sql": "..."}')
}
