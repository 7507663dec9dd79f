/** What tests of the door are written with: a log in memory, a door to it, and ways to knock. */
import type { Hono } from 'hono'
import { messagesOf } from '../core/message.ts'
import type { Log } from '../log/log.ts'
import { createMemoryLog, MemoryStore } from '../log/memory.ts'
import { type Accepted, type DoorOptions, door } from './door.ts'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Partial<Accepted> & {
    readonly code?: string
    readonly message?: string
    readonly index?: number
    readonly line?: number
    readonly path?: string
  }
}

export interface Knock {
  readonly type?: string | null
  readonly headers?: Readonly<Record<string, string>>
}

/** One process with its handle of the log, its door, and a way to end it. */
export class TestProcess {
  readonly log: Log
  readonly app: Hono
  readonly #closing = new AbortController()

  constructor(log: Log, options: Partial<DoorOptions> = {}) {
    this.log = log
    this.app = door({ log, signal: this.#closing.signal, ...options })
  }

  async post(path: string, body: string | Uint8Array, knock: Knock = {}): Promise<Answer> {
    const { type = 'application/json', headers = {} } = knock
    const all = { ...(type === null ? {} : { 'Content-Type': type }), ...headers }
    const request = new Request(`http://door${path}`, { method: 'POST', body, headers: all })
    if (type === null) request.headers.delete('content-type')
    const response = await this.app.request(request)
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: JSON.parse(text) }
  }

  end(): void {
    this.#closing.abort()
  }
}

/** A store in memory with topic `in` of two partitions, and processes on it. */
export async function withMemory(
  work: (
    first: TestProcess,
    another: (options?: Partial<DoorOptions>) => TestProcess,
  ) => Promise<void>,
  options: Partial<DoorOptions> = {},
): Promise<void> {
  const store = new MemoryStore()
  const processes: TestProcess[] = []
  const another = (given = options) => {
    const process = new TestProcess(createMemoryLog({ store }), given)
    processes.push(process)
    return process
  }
  const first = another()
  await first.log.createTopic('in', { partitions: 2, maxMessageBytes: 1000 })
  try {
    await work(first, another)
  } finally {
    for (const process of processes) process.end()
  }
}

export interface Kept {
  readonly place: string
  readonly key: string | null
  readonly value: string | null
  readonly time: number
  readonly id: string
  readonly headers: readonly (readonly [string, string | null])[]
}

/** All messages of a topic, by partition and offset. */
export async function keptIn(log: Log, topic: string): Promise<Kept[]> {
  const info = await log.topic(topic)
  const kept: Kept[] = []
  for (let partition = 0; partition < info!.partitions; partition++) {
    for (let offset = 0; ; ) {
      const batch = await log.read(topic, partition, offset)
      if (batch === undefined) break
      for (const message of messagesOf(batch)) {
        kept.push({
          place: `${partition}/${message.offset}`,
          key: message.key?.toString() ?? null,
          value: message.value?.toString() ?? null,
          time: message.time,
          id: message.id,
          headers: message.headers.map(({ key, value }) => [key, value?.toString() ?? null]),
        })
      }
      offset = batch.nextOffset
    }
  }
  return kept
}

export const batchType = 'application/vnd.millrace.batch+json'
export const linesType = 'application/x-ndjson'
