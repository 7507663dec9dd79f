/**
 * One connection to Jetstream by Node's own WebSocket. That can neither say why a handshake failed
 * nor let go of a server that no longer answers; what it is made of tells both, on its diagnostics
 * channels (`undici:...`). Where they are silent, it only says less and lets go later.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { messageOf } from '../core/errors.ts'

export interface SocketListener {
  opened(): void
  /** A whole message: a text, or what came as binary. */
  came(data: unknown): void
  /** It is over, once, and why; nothing comes after. */
  ended(why: string): void
}

interface Told {
  readonly request?: { readonly origin?: unknown; readonly path?: unknown }
  readonly socket?: Socket
  readonly response?: { readonly statusCode?: number }
  readonly connectParams?: { readonly host?: unknown; readonly hostname?: unknown }
  readonly error?: unknown
}

export class JetstreamSocket {
  readonly #url: URL
  readonly #socket: WebSocket
  readonly #listener: SocketListener
  readonly #unsubscribe: () => void
  #stream: Socket | undefined
  #reason: string | undefined
  #isOver = false

  constructor(url: URL, listener: SocketListener) {
    this.#url = url
    this.#listener = listener
    this.#unsubscribe = this.#subscribe()
    this.#socket = new WebSocket(url)
    this.#socket.binaryType = 'arraybuffer'
    this.#socket.onopen = () => {
      this.#unsubscribe()
      if (!this.#isOver) listener.opened()
    }
    this.#socket.onmessage = ({ data }) => {
      if (!this.#isOver) listener.came(data)
    }
    this.#socket.onclose = ({ code, reason }) => this.#end(this.#why(code, reason))
  }

  /** Lets go at once, whether the server answers or not; the listener hears no more. */
  drop(): void {
    this.#isOver = true
    this.#unsubscribe()
    this.#socket.close()
    this.#stream?.destroy()
  }

  #end(why: string): void {
    this.#unsubscribe()
    if (this.#isOver) return
    this.#isOver = true
    this.#listener.ended(why)
  }

  #why(code: number, reason: string): string {
    if (this.#reason !== undefined) return this.#reason
    if (code === 1006) return 'the connection broke'
    return `it closed the connection (${code}${reason === '' ? '' : `, ${reason}`})`
  }

  #subscribe(): () => void {
    const { hostname, pathname, search, host } = this.#url
    const isOurs = ({ request }: Told) =>
      request?.path === pathname + search && String(request.origin).endsWith(`//${host}`)
    const listeners: { readonly [channel: string]: (told: Told) => void } = {
      'undici:client:sendHeaders': (told) => {
        if (!isOurs(told)) return
        this.#stream = told.socket
        // Dropped before it was connected.
        if (this.#isOver) told.socket?.destroy()
      },
      'undici:request:headers': (told) => {
        const status = told.response?.statusCode
        if (isOurs(told) && status !== 101) this.#reason = `it answered ${status}${hint(status)}`
      },
      'undici:client:connectError': ({ connectParams, error }) => {
        if (connectParams?.hostname === hostname) this.#reason ??= reasonOf(error)
      },
    }
    const named = Object.entries(listeners).map(
      ([name, listener]) => [name, (told: unknown) => listener(told as Told)] as const,
    )
    for (const [name, listener] of named) subscribe(name, listener)
    return () => {
      for (const [name, listener] of named) unsubscribe(name, listener)
    }
  }
}

/** A connection that failed at every address of a name has one error for each. */
function reasonOf(error: unknown): string {
  const { errors } = error as { errors?: unknown }
  return messageOf(Array.isArray(errors) && errors.length > 0 ? errors[0] : error)
}

const hint = (status: number | undefined) =>
  status === 429 ? ': too many connections from this address' : ''
