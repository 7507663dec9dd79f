/** Who may ask now: so many requests at a time, so many a second; whoever waits longest comes first. */
import type { Clock } from '../core/clock.ts'

export interface TurnLimits {
  readonly maxInFlight: number
  /** Undefined: as many as there are. */
  readonly ratePerSecond?: number | undefined
}

/** What was not used in a time without requests is made up for by a burst of at most this much. */
const burstMs = 100

export class Turns {
  readonly #limits: TurnLimits
  readonly #clock: Clock
  readonly #waiting: (() => void)[] = []
  #inFlight = 0
  /** When the next request is due. */
  #dueMs = Number.NEGATIVE_INFINITY

  constructor(limits: TurnLimits, clock: Clock) {
    this.#limits = limits
    this.#clock = clock
  }

  /** Runs `work` when it is its turn. Throws the signal's reason where that comes first. */
  async take<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    await this.#slot(signal)
    try {
      await this.#pace(signal)
      signal.throwIfAborted()
      return await work()
    } finally {
      this.#inFlight--
      this.#waiting.shift()?.()
    }
  }

  async #slot(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    // Whoever is woken was first in line: it comes before those that ask at that moment.
    if (this.#inFlight >= this.#limits.maxInFlight || this.#waiting.length > 0) {
      await new Promise<void>((resolve, reject) => {
        const wake = () => {
          signal.removeEventListener('abort', leave)
          this.#inFlight++
          resolve()
        }
        const leave = () => {
          const place = this.#waiting.indexOf(wake)
          if (place >= 0) this.#waiting.splice(place, 1)
          reject(signal.reason)
        }
        this.#waiting.push(wake)
        signal.addEventListener('abort', leave, { once: true })
      })
      return
    }
    this.#inFlight++
  }

  async #pace(signal: AbortSignal): Promise<void> {
    const { ratePerSecond } = this.#limits
    if (ratePerSecond === undefined) return
    const nowMs = this.#clock.now()
    const dueMs = Math.max(this.#dueMs, nowMs - burstMs)
    this.#dueMs = dueMs + 1000 / ratePerSecond
    if (dueMs > nowMs) await this.#clock.sleep(dueMs - nowMs, signal)
  }
}
