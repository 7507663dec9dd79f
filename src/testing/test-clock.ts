/**
 * The clocks of tests. On a log in memory time stands still: whoever sleeps is woken by moving it. On
 * Kafka, whose brokers have a clock of their own, it runs, and can be moved on besides.
 */
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises'
import type { Clock } from '../core/clock.ts'

export interface TestClock extends Clock {
  leap(byMs: number): void
  /** A long time passes in so many parts at most: what waits for one another does so in turn. */
  readonly mostParts: number
  /**
   * Lets others work. `activity` rises with what they do; `isBusy`: somebody waits for something that
   * no clock brings about.
   */
  pause(activity: () => number, isBusy: () => boolean): Promise<void>
  /** Somebody waits before a next try: nobody else need do so. */
  hurry(): void
}

interface Sleeper {
  readonly wakesAtMs: number
  wake(): void
}

/** Those that sleep less are woken together: it makes no difference to them, and is sooner done. */
const leastLeapMs = 100
const hurryMs = 5000
/** So many turns in which nobody does anything: all of them sleep. */
const quietTurns = 3
/** Others want to look in between, where somebody never sleeps. */
const mostRounds = 50

export class VirtualClock implements TestClock {
  readonly mostParts = 24
  #nowMs: number
  readonly #sleepers = new Set<Sleeper>()

  constructor(startMs: number) {
    this.#nowMs = startMs
  }

  now(): number {
    return this.#nowMs
  }

  sleep(waitMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = () => {
        this.#sleepers.delete(sleeper)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      const sleeper = { wakesAtMs: this.#nowMs + waitMs, wake }
      this.#sleepers.add(sleeper)
      signal?.addEventListener('abort', wake, { once: true })
    })
  }

  leap(byMs: number): void {
    this.#nowMs += byMs
    const due = [...this.#sleepers].filter(({ wakesAtMs }) => wakesAtMs <= this.#nowMs)
    due.sort((one, other) => one.wakesAtMs - other.wakesAtMs)
    for (const { wake } of due) wake()
  }

  hurry(): void {
    this.leap(hurryMs)
  }

  async pause(activity: () => number, isBusy: () => boolean): Promise<void> {
    for (let round = 0, before = -1; before !== activity(); round++) {
      if (round === mostRounds) return
      before = activity()
      for (let turn = 0; turn < quietTurns; turn++) await nextTurn()
    }
    if (isBusy()) {
      await wait(1)
      return
    }
    const nextMs = Math.min(...[...this.#sleepers].map(({ wakesAtMs }) => wakesAtMs))
    if (Number.isFinite(nextMs)) this.leap(Math.max(leastLeapMs, nextMs - this.#nowMs))
  }
}

const pauseMs = 5

export class RunningClock implements TestClock {
  readonly mostParts = 6
  #leaptMs = 0
  readonly #startMs: number
  readonly #startedAt = performance.now()
  readonly #sleepers = new Set<Sleeper>()

  constructor(startMs: number) {
    this.#startMs = startMs
  }

  now(): number {
    return Math.floor(this.#startMs + this.#leaptMs + performance.now() - this.#startedAt)
  }

  sleep(waitMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer)
        this.#sleepers.delete(sleeper)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      const timer = setTimeout(wake, waitMs)
      const sleeper = { wakesAtMs: this.now() + waitMs, wake }
      this.#sleepers.add(sleeper)
      signal?.addEventListener('abort', wake, { once: true })
    })
  }

  leap(byMs: number): void {
    this.#leaptMs += byMs
    const nowMs = this.now()
    for (const { wakesAtMs, wake } of [...this.#sleepers]) if (wakesAtMs <= nowMs) wake()
  }

  /** Who is waited for may be a broker, which does not know this clock. */
  hurry(): void {}

  async pause(): Promise<void> {
    await wait(pauseMs)
  }
}
