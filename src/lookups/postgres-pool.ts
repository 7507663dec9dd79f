/** Connections to one Postgres: opened when they are needed, bounded, and errors turned into orders. */
import type { Pool, PoolClient, QueryResult } from 'pg'
import { fail, messageOf, orderOf } from '../core/errors.ts'
import type { PostgresConnection } from './lookup.ts'
import { valueTypes } from './postgres-types.ts'

export interface PoolLimits {
  readonly maxConnections: number
  readonly timeoutMs: number
}

export type Answered = Pick<QueryResult<Record<string, unknown>>, 'rows' | 'fields'>

const retryMs = 500

/** Thrown as it came from the server: something about the values is wrong, and nothing else. */
const refusals = /^(22|P0)/
/** The server ends, begins, is full, or was in the way of itself: later it will not be. */
const passing = /^(08|40|53|55|57|58)/

/** True for what is the fault of a key that was asked for. */
export const isRefusal = (error: unknown): boolean => refusals.test(stateOf(error))

/** The SQLSTATE of an error of the server; empty: it is none. */
function stateOf(error: unknown): string {
  const { code, severity } = error as { code?: unknown; severity?: unknown }
  return typeof code === 'string' && typeof severity === 'string' ? code : ''
}

export class PostgresPool {
  readonly #where: string
  readonly #pool: Pool
  readonly #limits: PoolLimits
  readonly #closing = new AbortController()
  #closed: Promise<void> | undefined

  /** Connects to nothing yet. `where` begins errors. */
  static async open(
    where: string,
    connection: PostgresConnection,
    limits: PoolLimits,
  ): Promise<PostgresPool> {
    // Loaded when it is used: most applications have no Postgres.
    const { default: pg } = await import('pg')
    const { host, port, database, user, password, tls } = connection
    const pool = new pg.Pool({
      ...{ host, port, database, user, password, ssl: tls ?? false },
      ...{ max: limits.maxConnections, connectionTimeoutMillis: limits.timeoutMs },
      ...{ types: valueTypes(pg.types), application_name: 'millrace', keepAlive: true },
    })
    return new PostgresPool(where, pool, limits)
  }

  private constructor(where: string, pool: Pool, limits: PoolLimits) {
    this.#where = where
    this.#pool = pool
    this.#limits = limits
    // A connection that breaks while nobody uses it is gone from the pool, and that is all.
    pool.on('error', () => undefined)
  }

  /**
   * Throws `LOOKUP_AWAY`, `LOOKUP_UNUSABLE`, the signal's reason, and as it came what `isRefusal` holds for.
   */
  async query(text: string, values: readonly unknown[], signal: AbortSignal): Promise<Answered> {
    const signals = AbortSignal.any([signal, this.#closing.signal])
    try {
      const client = await this.#connected(signals)
      return await this.#queryOn(client, text, values, signals)
    } catch (error) {
      signals.throwIfAborted()
      throw this.#ordered(error)
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.#closing.abort()
    const isConnecting = this.#pool.totalCount > this.#pool.idleCount
    const ended = this.#pool.end()
    // One that is still connecting ends by itself, within its time.
    if (!isConnecting) await ended
  }

  async #connected(signal: AbortSignal): Promise<PoolClient> {
    signal.throwIfAborted()
    const connecting = this.#pool.connect()
    const { promise: aborted, reject } = Promise.withResolvers<never>()
    const leave = () => {
      reject(signal.reason)
      connecting.then((client) => client.release(true)).catch(() => undefined)
    }
    signal.addEventListener('abort', leave, { once: true })
    try {
      return await Promise.race([connecting, aborted])
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }

  async #queryOn(
    client: PoolClient,
    text: string,
    values: readonly unknown[],
    signal: AbortSignal,
  ): Promise<Answered> {
    let isReleased = false
    const release = (isBroken: boolean) => {
      if (isReleased) return
      isReleased = true
      client.release(isBroken)
      // Of one that is broken more may be heard.
      if (!isBroken) client.off('error', ignore)
    }
    // What breaks while nobody waits for an answer would end the process.
    const ignore = () => undefined
    const end = () => release(true)
    client.on('error', ignore)
    signal.addEventListener('abort', end, { once: true })
    try {
      const query = { text, values: [...values], query_timeout: this.#limits.timeoutMs }
      const answered = await client.query<Record<string, unknown>>(query)
      release(false)
      return answered
    } catch (error) {
      release(!isRefusal(error))
      throw error
    } finally {
      signal.removeEventListener('abort', end)
    }
  }

  #ordered(error: unknown): unknown {
    if (orderOf(error) !== undefined || isRefusal(error)) return error
    const state = stateOf(error)
    const { code = '' } = error as { code?: string }
    const words = `${this.#where}: ${messageOf(error) || code}`
    const isUntrusted = /CERT|SELF_SIGNED|ISSUER|ALTNAME|UNABLE_TO_VERIFY/.test(code)
    if (isUntrusted) {
      const hint = 'name the authority of its certificate: postgres({ tls: { ca } })'
      return fail('LOOKUP_UNUSABLE', `${words} (${code}); ${hint} in the environment's connections`)
    }
    if (/does not support SSL/.test(words)) {
      return fail(
        'LOOKUP_UNUSABLE',
        `${words}; give it certificates, or say postgres({ tls: false })`,
      )
    }
    if (state !== '' && !passing.test(state)) {
      return fail('LOOKUP_UNUSABLE', `${words} (${state})`, { cause: error })
    }
    return fail('LOOKUP_AWAY', words, { waitMs: retryMs })
  }
}
