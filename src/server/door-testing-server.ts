/**
 * A server with nothing but the door, for tests that kill and for the benchmark. Tells its port as a
 * line of JSON; each line on its stdin is answered with what it holds. Argument: `ServerOptions`.
 */
import { createInterface } from 'node:readline'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import { openEmbeddedLog } from '../log/embedded.ts'
import { type DoorOptions, door } from './door.ts'

export interface ServerOptions {
  readonly directory: string
  readonly door?: Pick<DoorOptions, 'limits' | 'maxBodyBytes'>
  /** Answers at once and keeps nothing: what HTTP alone takes. */
  readonly bare?: boolean
  readonly headersTimeoutMs?: number
}

/** What a server holds: to be compared with what it held before. */
export interface Holding {
  readonly memoryBytes: number
  /** What is alive; exact where the server was started with --expose-gc. */
  readonly heapBytes: number
  readonly sockets: number
  /** Of all threads, since the server began. */
  readonly cpuMs: number
  readonly commits: number
  readonly transactions: number
}

const options = JSON.parse(process.argv[2]!) as ServerOptions
const { directory, headersTimeoutMs = 20_000 } = options
const log = await openEmbeddedLog({ directory })
if ((await log.topic('in')) === undefined) {
  await log.createTopic('in', { partitions: 4 }).catch(() => {})
}
const app = new Hono()
if (options.bare) {
  app.post('/topics/:name', async ({ req }) => {
    const body = await req.arrayBuffer()
    return Response.json({ accepted: body.byteLength })
  })
} else app.route('/topics', door({ log, ...options.door }))
const serverOptions = {
  headersTimeout: headersTimeoutMs,
  requestTimeout: headersTimeoutMs * 2,
  connectionsCheckingInterval: 500,
  maxHeaderSize: 16 * 1024,
}
const server = createAdaptorServer({ fetch: app.fetch, serverOptions })
server.listen(0, '127.0.0.1', () => tell({ port: (server.address() as { port: number }).port }))

function tell(what: object): void {
  process.stdout.write(`${JSON.stringify(what)}\n`)
}

createInterface({ input: process.stdin })
  .on('line', () => {
    const sockets = process.getActiveResourcesInfo().filter((one) => one === 'TCPSocketWrap').length
    globalThis.gc?.()
    const { rss: memoryBytes, heapUsed: heapBytes } = process.memoryUsage()
    const { user, system } = process.cpuUsage()
    const cpuMs = (user + system) / 1000
    const { commits, transactions } = log.metrics()
    tell({ memoryBytes, heapBytes, sockets, cpuMs, commits, transactions } satisfies Holding)
  })
  // Whoever started it is gone.
  .on('close', () => process.exit())
