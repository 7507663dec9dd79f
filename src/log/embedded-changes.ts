/**
 * Tells when something may have been committed. Own commits wake those who wait at once; commits of
 * other threads and processes are seen by asking SQLite for its `data_version`, from one shared timer
 * that runs only while somebody waits: every millisecond while there is traffic, every 10 when idle.
 */
import type { EmbeddedDatabase } from './embedded-database.ts'
import { isBusy } from './embedded-errors.ts'

const shortestPollMs = 1
const longestPollMs = 10
/** After this long without a change the polls become rarer. */
const activeMs = 100

interface Waiter {
  readonly until: number
  readonly finish: () => void
}

export class ChangeWatch {
  readonly #database: EmbeddedDatabase
  readonly #waiters = new Set<Waiter>()
  #timer: NodeJS.Timeout | undefined
  #pollMs = shortestPollMs
  #changedAt = 0
  /** What the database's versions were when they were last looked at. */
  #seen: string
  #revision = 0

  constructor(database: EmbeddedDatabase) {
    this.#database = database
    this.#seen = this.#version()
  }

  /** See `Log.revision`: rises with every look that finds something new. */
  get revision(): number {
    return this.#revision
  }

  /** See `Log.changed`. */
  async changed(since: number, waitMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted || this.#revision > since || waitMs <= 0) return
    this.#look()
    if (this.#revision > since) return
    await new Promise<void>((resolve) => {
      const finish = () => {
        this.#waiters.delete(waiter)
        signal?.removeEventListener('abort', finish)
        resolve()
      }
      const waiter = { until: performance.now() + waitMs, finish }
      this.#waiters.add(waiter)
      signal?.addEventListener('abort', finish, { once: true })
      this.#schedule()
    })
  }

  /** This handle has committed: whoever waits goes on. */
  wake(): void {
    this.#look()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#finishAll()
  }

  #finishAll(): void {
    for (const waiter of [...this.#waiters]) waiter.finish()
  }

  /** Looks whether something was committed since the last look; if so, whoever waits goes on. */
  #look(): boolean {
    const version = this.#version()
    if (version === this.#seen) return false
    this.#seen = version
    this.#revision++
    this.#changedAt = performance.now()
    this.#pollMs = shortestPollMs
    this.#finishAll()
    return true
  }

  #version(): string {
    try {
      return `${this.#database.dataVersion()}/${this.#database.ownVersion}`
    } catch (error) {
      // Somebody recovers the database: there will be something to see.
      if (isBusy(error)) return this.#seen
      throw error
    }
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => this.#poll(), this.#pollMs)
  }

  #poll(): void {
    this.#timer = undefined
    if (this.#waiters.size === 0) return
    if (this.#look()) return
    const now = performance.now()
    for (const waiter of [...this.#waiters]) if (now >= waiter.until) waiter.finish()
    if (now - this.#changedAt > activeMs) {
      this.#pollMs = Math.min(longestPollMs, this.#pollMs + 1)
    }
    if (this.#waiters.size > 0) this.#schedule()
  }
}
