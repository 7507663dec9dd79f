/** Speaks to a real server of the door: starts and kills it, sends requests whole, raw or broken. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import type { Holding, ServerOptions } from './door-testing-server.ts'

export class TestServer {
  readonly port: number
  readonly #child: ChildProcess
  readonly #lines: Interface
  readonly agent = new http.Agent({ keepAlive: true, maxSockets: 64 })

  private constructor(child: ChildProcess, lines: Interface, port: number) {
    this.#child = child
    this.#lines = lines
    this.port = port
  }

  static async start(options: ServerOptions): Promise<TestServer> {
    const file = join(import.meta.dirname, 'door-testing-server.ts')
    const child = spawn(process.execPath, ['--expose-gc', file, JSON.stringify(options)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: child.stdout! })
    const ended = once(child, 'exit').then(() => {
      throw new Error('the server ended before it began')
    })
    ended.catch(() => {})
    const [line] = (await Promise.race([once(lines, 'line'), ended])) as [string]
    return new TestServer(child, lines, (JSON.parse(line) as { port: number }).port)
  }

  /** Undefined: it runs. */
  get endedBy(): string | number | undefined {
    return this.#child.exitCode ?? this.#child.signalCode ?? undefined
  }

  async holding(): Promise<Holding> {
    const line = once(this.#lines, 'line')
    this.#child.stdin!.write('\n')
    return JSON.parse(((await line) as [string])[0]) as Holding
  }

  async kill(): Promise<void> {
    this.agent.destroy()
    const ended = once(this.#child, 'exit')
    if (this.endedBy === undefined) this.#child.kill('SIGKILL')
    else return
    await ended
  }
}

export interface Reply {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly text: string
}

export interface Parcel {
  readonly path?: string
  readonly method?: string
  readonly headers?: http.OutgoingHttpHeaders
  readonly body?: string | Uint8Array
}

/** Rejects when the connection ends before the answer did. */
export function send(server: TestServer, parcel: Parcel): Promise<Reply> {
  const { path = '/topics/in', method = 'POST', body = '' } = parcel
  const headers = { 'Content-Type': 'application/json', ...parcel.headers }
  return new Promise((resolve, reject) => {
    const { port, agent } = server
    const options = { host: '127.0.0.1', port, agent, path, method, headers }
    const request = http.request(options, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('close', () => {
        const { complete, statusCode = 0 } = response
        const text = Buffer.concat(chunks).toString()
        if (complete) resolve({ status: statusCode, headers: response.headers, text })
        else reject(new Error('the answer was cut off'))
      })
    })
    request.on('error', reject)
    request.end(body)
  })
}

/** Writes bytes as they are, a piece at a time; everything that came back until the server closed. */
export function sendRaw(
  server: TestServer,
  pieces: readonly (string | Uint8Array)[],
  options: {
    readonly abortAfter?: boolean
    readonly endAfter?: boolean
    readonly waitMs?: number
  } = {},
): Promise<string> {
  const { abortAfter = false, endAfter = false, waitMs = 5000 } = options
  return new Promise((resolve) => {
    const socket = net.connect(server.port, '127.0.0.1')
    const chunks: Buffer[] = []
    const timer = setTimeout(() => socket.destroy(), waitMs)
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(Buffer.concat(chunks).toString('latin1'))
    })
    socket.on('connect', async () => {
      for (const piece of pieces) {
        socket.write(piece)
        await new Promise((resume) => setImmediate(resume))
      }
      if (abortAfter) socket.resetAndDestroy()
      else if (endAfter) socket.end()
    })
  })
}

/** The status codes of all answers in what came back over one connection. */
export function statusesIn(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]))
}
