/** How much the door takes at once: bounds of a request, of all of them together, of one client. */
import { type Clock, systemClock } from '../core/clock.ts'
import { fail } from '../core/errors.ts'
import { isLoopback, networkOf } from './door-address.ts'
import { Refused, retryAfter } from './door-refusal.ts'

export interface DoorLimits {
  /** Requests of one client in a second, on average. Default 1,000. `Infinity`: no limit. */
  readonly requestsPerSecond: number
  /** How many of them may come at once. Default 2,000. */
  readonly burstRequests: number
  /** Whether clients of this machine are limited too. Default false. */
  readonly limitLoopback: boolean
  /** Requests with a whole body, not answered yet; more are asked to come later. Default 4,096. */
  readonly requestsInFlight: number
  /** Bytes of bodies held at once, those of slow clients included. Default 128 MiB. */
  readonly bytesInFlight: number
  /** A body has to arrive within this time. Default 30 s. */
  readonly bodyMs: number
  readonly messagesPerRequest: number
  /** Arrays and objects within each other in one value. Default 256. */
  readonly depth: number
  /** Idempotency keys remembered. Default 100,000. */
  readonly keys: number
  /** How long they are remembered. Default 24 h. */
  readonly keyMs: number
  /** How long a request waits for another process that acts on idempotency keys. Default 15 s. */
  readonly turnMs: number
}

const defaults: DoorLimits = {
  requestsPerSecond: 1000,
  burstRequests: 2000,
  limitLoopback: false,
  requestsInFlight: 4096,
  bytesInFlight: 128 * 1024 * 1024,
  bodyMs: 30_000,
  messagesPerRequest: 10_000,
  depth: 256,
  keys: 100_000,
  keyMs: 24 * 60 * 60 * 1000,
  turnMs: 15_000,
}

/** With the defaults. Throws `OPTIONS_INVALID`. */
export function limitsOf(given: Partial<DoorLimits> = {}): DoorLimits {
  const limits = { ...defaults, ...given }
  for (const [name, value] of Object.entries(limits)) {
    if (!Object.hasOwn(defaults, name)) {
      const known = Object.keys(defaults).join(', ')
      throw fail('OPTIONS_INVALID', `door: unknown limit '${name}', known: ${known}`)
    }
    if (name !== 'limitLoopback' && !(typeof value === 'number' && value > 0)) {
      throw fail('OPTIONS_INVALID', `door: limit '${name}' is not a number above 0`)
    }
  }
  return limits
}

/** What is held for requests that are not answered yet. */
export class Load {
  readonly #limits: DoorLimits
  #bytes = 0
  #requests = 0

  constructor(limits: DoorLimits) {
    this.#limits = limits
  }

  get isEmpty(): boolean {
    return this.#bytes === 0 && this.#requests === 0
  }

  /** Room for bytes; whoever takes it gives it back. Throws a refusal, 503. */
  takeBytes(bytes: number): void {
    if (this.#bytes + bytes > this.#limits.bytesInFlight) throw this.#full('bytes of bodies')
    this.#bytes += bytes
  }

  giveBytes(bytes: number): void {
    this.#bytes -= bytes
  }

  takeRequest(): void {
    if (this.#requests >= this.#limits.requestsInFlight) throw this.#full('requests')
    this.#requests++
  }

  giveRequest(): void {
    this.#requests--
  }

  #full(what: string): Refused {
    const message = `too many ${what} wait to be written; try again shortly`
    return new Refused(503, 'BUSY', message, { headers: retryAfter(1000) })
  }
}

/** So many clients are remembered; the one that was silent longest is forgotten first. */
const clientsKept = 10_000

interface Bucket {
  tokens: number
  filledAt: number
}

/** A token bucket for each client. A network of IPv6 (its first 64 bits) counts as one client. */
export class RateLimit {
  readonly #limits: DoorLimits
  readonly #clock: Clock
  readonly #buckets = new Map<string, Bucket>()

  constructor(limits: DoorLimits, clock: Clock = systemClock) {
    this.#limits = limits
    this.#clock = clock
  }

  /** Throws a refusal, 429, that says when to come again. */
  take(address: string | undefined): void {
    const { requestsPerSecond, burstRequests, limitLoopback } = this.#limits
    if (address === undefined || requestsPerSecond === Number.POSITIVE_INFINITY) return
    if (!limitLoopback && isLoopback(address)) return
    const client = networkOf(address)
    const now = this.#clock.now()
    const bucket = this.#buckets.get(client) ?? { tokens: burstRequests, filledAt: now }
    const filled = (Math.max(0, now - bucket.filledAt) / 1000) * requestsPerSecond
    bucket.tokens = Math.min(burstRequests, bucket.tokens + filled)
    bucket.filledAt = now
    this.#remember(client, bucket)
    if (bucket.tokens >= 1) {
      bucket.tokens--
      return
    }
    const waitMs = ((1 - bucket.tokens) / requestsPerSecond) * 1000
    throw new Refused(
      429,
      'TOO_MANY_REQUESTS',
      `more than ${requestsPerSecond} requests a second; send more messages in one request, or wait`,
      { headers: retryAfter(waitMs) },
    )
  }

  #remember(client: string, bucket: Bucket): void {
    this.#buckets.delete(client)
    this.#buckets.set(client, bucket)
    if (this.#buckets.size <= clientsKept) return
    const [oldest] = this.#buckets.keys()
    this.#buckets.delete(oldest!)
  }
}
