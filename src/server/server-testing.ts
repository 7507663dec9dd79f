/** For tests of the server: one on a log in memory, that looks when it is told to. */
import { tmpdir } from 'node:os'
import { type Clock, systemClock } from '../core/clock.ts'
import type { Log } from '../log/log.ts'
import { createMemoryLog } from '../log/memory.ts'
import { type ServerApp, type ServerAppOptions, serverApp } from './app.ts'
import { Monitor } from './monitor.ts'

export interface TestServer extends ServerApp {
  readonly log: Log
  readonly monitor: Monitor
  /** Asks as a program on this machine does. */
  ask(path: string, init?: RequestInit): Promise<Response>
  json<Answer>(path: string, init?: RequestInit): Promise<Answer>
  post(path: string, body: unknown): Promise<Response>
}

export interface TestServerOptions extends Partial<ServerAppOptions> {
  readonly clock?: Clock
}

export const testHost = '127.0.0.1:4280'

export function testServer(options: TestServerOptions = {}): TestServer {
  const { log = createMemoryLog(), clock = systemClock } = options
  const monitor = new Monitor({ log, clock, version: '1.2.3', directory: undefined })
  const server = serverApp({
    ...{ log, monitor, directory: tmpdir(), version: '1.2.3', identity: 'here', token: undefined },
    hosts: () => [testHost, 'localhost:4280'],
    processMetrics: false,
    ...options,
  })
  const ask = async (path: string, init: RequestInit = {}) => {
    const headers = new Headers({
      host: testHost,
      ...Object.fromEntries(new Headers(init.headers)),
    })
    return server.app.request(`http://${testHost}${path}`, { ...init, headers })
  }
  return {
    ...{ ...server, log, monitor, ask },
    async json<Answer>(path: string, init?: RequestInit) {
      return (await (await ask(path, init)).json()) as Answer
    },
    post: (path, body) =>
      ask(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
  }
}
