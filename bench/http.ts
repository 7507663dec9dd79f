/**
 * How many messages a second does `POST /topics/NAME` take durably, beside a plain hono handler that
 * reads the body and keeps nothing? One value, a batch of 100, NDJSON of 1,000; 1, 16 and 64
 * connections that are kept alive; all in one run, each server in a process of its own.
 * `npm run bench:http [-- --seconds 5]`.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { TestServer } from '../src/server/door-testing-client.ts'
import { makeTweets } from './embedded-load.ts'
import type { LoadOptions, LoadResult } from './http-load.ts'

const { values: flags } = parseArgs({ options: { seconds: { type: 'string', default: '3' } } })
const seconds = Number(flags.seconds)

const tweets = makeTweets(1000)
const meanBytes = tweets.reduce((sum, tweet) => sum + tweet.length, 0) / tweets.length

const messages = tweets.slice(0, 100).map((tweet) => `{"value":${tweet}}`)
const batchType = 'application/vnd.millrace.batch+json'
const shapes: readonly Omit<LoadOptions, 'port' | 'connections' | 'seconds'>[] = [
  { name: 'one', type: 'application/json', body: tweets[0]!, count: 1 },
  {
    name: 'one, Idempotency-Key',
    type: 'application/json',
    body: tweets[0]!,
    count: 1,
    keyed: true,
  },
  { name: 'batch of 100', type: batchType, body: `{"messages":[${messages}]}`, count: 100 },
  { name: 'NDJSON of 1,000', type: 'application/x-ndjson', body: tweets.join('\n'), count: 1000 },
]

/** The client is a thread of its own, so that it never waits for what measures it. */
function load(options: LoadOptions): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./http-load.ts', import.meta.url), { workerData: options })
    worker.on('message', resolve).on('error', reject)
  })
}

async function measured(server: TestServer, options: LoadOptions) {
  await load({ ...options, seconds: 0.5 })
  const before = await server.holding()
  const result = await load(options)
  const after = await server.holding()
  const transactions = Math.max(1, after.transactions - before.transactions)
  const cpuMicroseconds = (after.cpuMs - before.cpuMs) * 1000
  const cpuPerMessage = cpuMicroseconds / Math.max(1, result.requests * options.count)
  return { ...result, perTransaction: result.requests / transactions, cpuPerMessage }
}

const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
const open = (name: string, bare: boolean) =>
  TestServer.start({ directory: join(directory, name), bare })
const [kept, bare] = [await open('kept', false), await open('bare', true)]
const rate = (value: number) => Math.round(value).toLocaleString('en').padStart(9)
const us = (value: number) => value.toFixed(1).padStart(7)
const ms = (value: number) => value.toFixed(1).padStart(7)

console.log(
  `POST /topics/in on loopback, values of ${meanBytes.toFixed(0)} bytes, ${seconds} s each; durable means a power cut`,
)
console.log(
  '                       conn.  messages/s   p50 ms  p99 ms | bare hono   p50 ms  p99 ms | ratio | µs of the server a message, bare | requests a transaction',
)
try {
  for (const shape of shapes) {
    for (const connections of [1, 16, 64]) {
      const common = { ...shape, connections, seconds }
      const ours = await measured(kept, { ...common, port: kept.port })
      const plain = await measured(bare, { ...common, port: bare.port })
      const refused = ours.refused > 0 ? `  ${ours.refused} answers were not 200` : ''
      console.log(
        `${shape.name.padEnd(22)} ${String(connections).padStart(5)}  ${rate(ours.messagesPerSecond)}  ${ms(ours.p50Ms)} ${ms(ours.p99Ms)} | ${rate(plain.messagesPerSecond)} ${ms(plain.p50Ms)} ${ms(plain.p99Ms)} |  ${(ours.messagesPerSecond / plain.messagesPerSecond).toFixed(2)} | ${us(ours.cpuPerMessage)}, ${us(plain.cpuPerMessage)} | ${ours.perTransaction.toFixed(1)}${refused}`,
      )
    }
  }
} finally {
  await kept.kill()
  await bare.kill()
  rmSync(directory, { recursive: true, force: true })
}
