/**
 * Looks at one broker from the outside in, as far as it lets itself be looked at: does its name
 * resolve, does anybody listen there. Nothing is sent yet. For `millrace doctor`.
 */
import { lookup } from 'node:dns/promises'
import { connect, isIP } from 'node:net'
import { fail } from '../core/errors.ts'
import type { KafkaConnection } from './kafka-client.ts'

export interface Place {
  readonly host: string
  readonly port: number
}

export type Reach =
  | { readonly kind: 'reached'; readonly address: string; readonly tookMs: number }
  /** The name has no address here. */
  | { readonly kind: 'unresolved'; readonly code: string }
  /** Somebody said no: nothing listens on the port, or a network says that there is no way. */
  | { readonly kind: 'refused'; readonly address: string; readonly code: string }
  /** Nobody answered at all, as behind a firewall. */
  | { readonly kind: 'silent'; readonly address: string; readonly waitedMs: number }

/** What is handed to TLS and to sign-in. */
export type Tls = NonNullable<KafkaConnection['tls']>

export const probeTimeoutMs = 5_000

export const placeText = ({ host, port }: Place): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`

/** Throws `OPTIONS_INVALID` for what is not host:port. */
export function placeIn(broker: string): Place {
  const colon = broker.lastIndexOf(':')
  const port = Number(broker.slice(colon + 1))
  if (colon < 1 || !Number.isInteger(port)) {
    throw fail('OPTIONS_INVALID', `kafka: broker '${broker}' is not host:port`)
  }
  return { host: broker.slice(0, colon).replace(/^\[|\]$/g, ''), port }
}

/** The name that has to be in the certificate: an address is never sent along. */
export const nameOf = ({ host }: Place, tls: Tls): string =>
  (tls as { readonly servername?: string }).servername ?? host

export const tlsFor = (place: Place, tls: Tls): Tls =>
  isIP(place.host) === 0 ? { servername: place.host, ...tls } : tls

export async function reach(place: Place, timeoutMs = probeTimeoutMs): Promise<Reach> {
  let address: string
  try {
    address = (await withinMs(lookup(place.host), timeoutMs)).address
  } catch (error) {
    return { kind: 'unresolved', code: codeIn(error) || 'no answer from DNS' }
  }
  return knock(place, address, timeoutMs)
}

function knock(place: Place, address: string, timeoutMs: number): Promise<Reach> {
  return new Promise((resolve) => {
    const startedAt = performance.now()
    const socket = connect({ ...place, timeout: timeoutMs })
    const end = (result: Reach) => {
      socket.destroy()
      resolve(result)
    }
    socket.once('connect', () => {
      end({ kind: 'reached', address, tookMs: performance.now() - startedAt })
    })
    socket.once('timeout', () => end({ kind: 'silent', address, waitedMs: timeoutMs }))
    socket.once('error', (error) => end({ kind: 'refused', address, code: codeIn(error) }))
  })
}

/** Rejects with a word that the time is over; what was waited for is left to itself. */
export async function withinMs<Value>(work: Promise<Value>, timeoutMs: number): Promise<Value> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => late.reject(new Error(`no answer within ${timeoutMs / 1000} s`)),
    timeoutMs,
  )
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
    work.catch(() => undefined)
  }
}

/** The first code among an error and what caused it: a name with several addresses has several. */
export function codeIn(error: unknown): string {
  const { code, errors, cause } = (error ?? {}) as {
    code?: unknown
    errors?: readonly unknown[]
    cause?: unknown
  }
  if (typeof code === 'string' && !code.startsWith('PLT_')) return code
  for (const inner of [...(errors ?? []), cause]) {
    const found = inner === undefined ? '' : codeIn(inner)
    if (found !== '') return found
  }
  return ''
}
