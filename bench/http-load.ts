/**
 * A client that keeps so many connections busy: each sends its next request when it has the answer to
 * the last. Raw sockets, since a full client would take more of the machine than the server.
 */
import { createConnection, type Socket } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'

export interface LoadOptions {
  readonly name: string
  readonly port: number
  readonly type: string
  readonly body: string
  /** Messages in a body. */
  readonly count: number
  /** Each request has an Idempotency-Key of its own. */
  readonly keyed?: boolean
  readonly connections: number
  readonly seconds: number
}

export interface LoadResult {
  readonly messagesPerSecond: number
  readonly requests: number
  readonly refused: number
  readonly p50Ms: number
  readonly p99Ms: number
}

const options = workerData as LoadOptions
const body = Buffer.from(options.body)
const run = Math.random().toString(36).slice(2)
const tookMs: number[] = []
let refused = 0
let sent = 0

function head(): Buffer {
  const lines = [
    'POST /topics/in HTTP/1.1',
    'Host: 127.0.0.1',
    `Content-Type: ${options.type}`,
    'Prefer: return=minimal',
    `Content-Length: ${body.length}`,
  ]
  if (options.keyed) lines.push(`Idempotency-Key: "${run}-${sent}"`)
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)
}

/** One connection until the time is over. Answers are small: head and body come with Content-Length. */
function keepBusy(until: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket = createConnection(options.port, '127.0.0.1')
    socket.setNoDelay(true)
    let startedAt = 0
    let answer = ''
    const next = () => {
      if (performance.now() >= until) {
        socket.destroy()
        resolve()
        return
      }
      startedAt = performance.now()
      sent++
      socket.cork()
      socket.write(head())
      socket.write(body)
      socket.uncork()
    }
    socket.on('connect', next)
    socket.on('error', reject)
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1')
      const end = answer.indexOf('\r\n\r\n')
      if (end < 0) return
      const length = Number(/content-length: (\d+)/i.exec(answer)?.[1] ?? 0)
      if (answer.length < end + 4 + length) return
      if (answer.startsWith('HTTP/1.1 200')) tookMs.push(performance.now() - startedAt)
      else refused++
      answer = ''
      next()
    })
  })
}

const startedAt = performance.now()
const until = startedAt + options.seconds * 1000
await Promise.all(Array.from({ length: options.connections }, () => keepBusy(until)))
const elapsedSeconds = (performance.now() - startedAt) / 1000
tookMs.sort((a, b) => a - b)
const at = (share: number) => tookMs[Math.floor(tookMs.length * share)] ?? Number.NaN
parentPort!.postMessage({
  messagesPerSecond: (tookMs.length * options.count) / elapsedSeconds,
  requests: tookMs.length,
  refused,
  p50Ms: at(0.5),
  p99Ms: at(0.99),
} satisfies LoadResult)
