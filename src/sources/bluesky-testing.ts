/**
 * A server that speaks Jetstream's format on this machine, for tests: WebSocket's handshake and
 * framing (RFC 6455), no more than is needed, so that it can also do each of them wrong.
 */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

export interface PostSettings {
  readonly timeUs: number
  readonly text?: string
  readonly langs?: readonly string[]
  readonly createdAt?: string
  readonly did?: string
  readonly rkey?: string
  readonly rev?: string
  readonly operation?: 'create' | 'update' | 'delete'
  readonly collection?: string
}

/** One event as Jetstream writes it. */
export function jetstreamEvent(settings: PostSettings): object {
  const { timeUs, text = `post ${timeUs}`, langs = ['en'], operation = 'create' } = settings
  const { did = 'did:plc:abcdefghijklmnopqrstuvwx', rkey = `3k${timeUs}` } = settings
  const { collection = 'app.bsky.feed.post', rev = `rev${timeUs}` } = settings
  const createdAt = settings.createdAt ?? new Date(timeUs / 1000).toISOString()
  const record = { $type: collection, createdAt, langs, text }
  const commit = { rev, operation, collection, rkey }
  const full = operation === 'delete' ? commit : { ...commit, record, cid: `bafyrei${timeUs}` }
  return { did, time_us: timeUs, kind: 'commit', commit: full }
}

/** One connection of a client, as a test's behaviour is handed it. */
export class ServerConnection {
  readonly socket: Socket
  /** 0 for the first that the server took. */
  readonly number: number
  readonly query: URLSearchParams

  constructor(socket: Socket, number: number, query: URLSearchParams) {
    this.socket = socket
    this.number = number
    this.query = query
  }

  /** Microseconds since the epoch; undefined: only what is yet to come. */
  get cursor(): number | undefined {
    const cursor = this.query.get('cursor')
    return cursor === null ? undefined : Number(cursor)
  }

  send(event: object | string): void {
    this.sendFrame(1, Buffer.from(typeof event === 'string' ? event : JSON.stringify(event)))
  }

  /** A whole frame of an opcode: 1 text, 2 binary, 8 close, 9 ping. */
  sendFrame(opcode: number, payload: Buffer): void {
    this.socket.write(frameOf(opcode, payload))
  }

  /** The first half of a text frame. */
  sendHalf(event: object): void {
    const frame = frameOf(1, Buffer.from(JSON.stringify(event)))
    this.socket.write(frame.subarray(0, frame.length >> 1))
  }

  /** A close frame, and the end. */
  close(): void {
    this.sendFrame(8, Buffer.from([0x03, 0xe8]))
    this.socket.end()
  }

  /** The connection breaks, without a word. */
  destroy(): void {
    this.socket.destroy()
  }
}

export interface JetstreamServerSettings {
  /** What it holds, in the order in which it sends it. */
  readonly events: readonly object[]
  /** What it does with a connection, in place of sending what is behind the cursor. */
  readonly behave?: (connection: ServerConnection, server: JetstreamServer) => void
  /** Answers a handshake with this status; undefined takes it. */
  readonly refuse?: (number: number) => number | undefined
}

export class JetstreamServer {
  readonly #server: Server
  readonly #settings: JetstreamServerSettings
  readonly #sockets = new Set<Socket>()
  readonly events: object[]
  /** Every connection that was taken, the oldest first. */
  readonly connections: ServerConnection[] = []
  handshakes = 0

  constructor(settings: JetstreamServerSettings) {
    this.#settings = settings
    this.events = [...settings.events]
    this.#server = createServer((_, response) => response.writeHead(426).end())
    this.#server.on('upgrade', (request, socket) => this.#upgrade(request, socket as Socket))
  }

  static async start(settings: JetstreamServerSettings): Promise<JetstreamServer> {
    const server = new JetstreamServer(settings)
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve))
    return server
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo
    return `ws://127.0.0.1:${port}/subscribe`
  }

  /** How many connections are open now. */
  get open(): number {
    return this.#sockets.size
  }

  /** What Jetstream does: everything from the cursor on that it holds. */
  replay(connection: ServerConnection): void {
    const { cursor } = connection
    if (cursor === undefined) return
    for (const event of this.events) {
      if ((event as { time_us?: number }).time_us! >= cursor) connection.send(event)
    }
  }

  /** Something happens now: everybody connected is told. */
  push(event: object): void {
    this.events.push(event)
    for (const connection of this.connections) {
      if (connection.socket.writable) connection.send(event)
    }
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #upgrade(request: IncomingMessage, socket: Socket): void {
    const status = this.#settings.refuse?.(this.handshakes++)
    socket.on('error', () => undefined)
    if (status !== undefined) {
      socket.end(`HTTP/1.1 ${status} Refused\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
      return
    }
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    socket.once('end', () => socket.end())
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n` +
        `sec-websocket-accept: ${acceptOf(request.headers['sec-websocket-key'] ?? '')}\r\n\r\n`,
    )
    const query = new URL(request.url ?? '/', 'ws://here').searchParams
    const connection = new ServerConnection(socket, this.connections.length, query)
    this.connections.push(connection)
    const behave = this.#settings.behave ?? (() => this.replay(connection))
    // A client's close frame is answered by ending; nothing else that it sends matters here.
    socket.on('data', (bytes: Buffer) => {
      if ((bytes[0]! & 0x0f) === 8 && this.#settings.behave === undefined) connection.close()
    })
    behave(connection, this)
  }
}

const acceptOf = (key: string) =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')

function frameOf(opcode: number, payload: Buffer): Buffer {
  const { length } = payload
  if (length < 126) return Buffer.concat([Buffer.from([0x80 | opcode, length]), payload])
  const head = Buffer.alloc(length < 65_536 ? 4 : 10)
  head[0] = 0x80 | opcode
  if (length < 65_536) {
    head[1] = 126
    head.writeUInt16BE(length, 2)
  } else {
    head[1] = 127
    head.writeBigUInt64BE(BigInt(length), 2)
  }
  return Buffer.concat([head, payload])
}
