/**
 * `GET /api/events`: server-sent events. Each second `state` and `point`, made once for all clients;
 * whoever comes back with `Last-Event-ID` gets the points that it missed. A client that does not keep
 * up is dropped: its browser comes back by itself.
 */
import type { Monitor } from './monitor.ts'
import { Problem } from './problem.ts'
import { type Route, route } from './route.ts'
import type { History, PanelsPage } from './state.ts'

const mostClients = 100
/** What may wait for one client. */
const bufferBytes = 1024 * 1024
const heartbeatMs = 15_000
const retryMs = 1000

type Client = ReadableStreamDefaultController<Uint8Array>

export class Events {
  readonly #monitor: Monitor
  readonly #clients = new Set<Client>()
  readonly #unlisten: () => void
  readonly #heartbeat: NodeJS.Timeout
  #isClosed = false
  /** What all clients have: whoever comes gets what there is. */
  #sentBoards: readonly unknown[] = []

  constructor(monitor: Monitor) {
    this.#monitor = monitor
    this.#unlisten = monitor.listen(() => this.#sendState())
    this.#heartbeat = setInterval(() => this.#send(encoded(': alive\n\n')), heartbeatMs)
    this.#heartbeat.unref()
  }

  get clientCount(): number {
    return this.#clients.size
  }

  /** Ends all streams. Safe to call twice. */
  close(): void {
    this.#isClosed = true
    this.#unlisten()
    clearInterval(this.#heartbeat)
    for (const client of this.#clients) client.close()
    this.#clients.clear()
  }

  route(): Route {
    return route({
      method: 'get',
      path: '/api/events',
      summary: 'the state each second, as server-sent events; resumable by Last-Event-ID',
      answer: {
        type: 'text/event-stream',
        description:
          'events `state` (State), `point` (HistoryPoint), `history` (History), `panels` (PanelsPage)',
      },
      handle: ({ context }) => this.#open(context.req.header('last-event-id')),
    })
  }

  #open(lastId: string | undefined): Response {
    if (this.#isClosed || this.#clients.size >= mostClients) {
      throw new Problem(503, 'BUSY', `${mostClients} clients are watching already`)
    }
    let own: Client
    const stream = new ReadableStream<Uint8Array>(
      {
        start: (client) => {
          own = client
          this.#clients.add(client)
          client.enqueue(
            encoded(
              `retry: ${retryMs}\n\n${this.#missed(lastId)}${this.#panels()}${this.#current()}`,
            ),
          )
        },
        cancel: () => void this.#clients.delete(own),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: bufferBytes }),
    )
    const headers = {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
    }
    return new Response(stream, { headers })
  }

  #missed(lastId: string | undefined): string {
    const afterMs = lastId === undefined ? Number.NaN : Number(lastId)
    if (!Number.isFinite(afterMs)) return ''
    const history: History = { points: this.#monitor.points(afterMs) }
    return event('history', history)
  }

  #current(): string {
    const { state } = this.#monitor
    return event('state', state, state.atMs)
  }

  #panels(): string {
    const page: PanelsPage = { boards: this.#monitor.boards }
    return event('panels', page)
  }

  #sendState(): void {
    if (this.#clients.size === 0) return
    const point = this.#monitor.points().at(-1)
    const news = point === undefined ? '' : event('point', point)
    const { boards } = this.#monitor
    const panels = boards === this.#sentBoards ? '' : this.#panels()
    this.#sentBoards = boards
    this.#send(encoded(`${news}${panels}${this.#current()}`))
  }

  #send(bytes: Uint8Array): void {
    for (const client of this.#clients) {
      if ((client.desiredSize ?? 0) > 0) client.enqueue(bytes)
      else {
        this.#clients.delete(client)
        // What waits for it is dropped too.
        client.error(new Error('this client did not keep up'))
      }
    }
  }
}

/** The id comes last, so that a client that has it has all that belongs to it. */
function event(name: string, data: object, id?: number): string {
  const ids = id === undefined ? '' : `id: ${id}\n`
  return `event: ${name}\n${ids}data: ${JSON.stringify(data)}\n\n`
}

const encoded = (text: string) => Buffer.from(text)
