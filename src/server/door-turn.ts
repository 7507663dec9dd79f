/**
 * Keeps the turn of the book (door-book.ts) while requests use it, so that not each of them has to
 * join a group; gives it up when another process wants it, or after a while without use.
 */
import type { Clock } from '../core/clock.ts'
import { codeOf, fail } from '../core/errors.ts'
import type { Log } from '../log/log.ts'
import { type Turn, takeTurn } from '../log/turn.ts'
import { bookName, Page } from './door-book.ts'
import type { DoorLimits } from './door-limits.ts'

/** How often it is asked whether another process waits; no longer than that one waits for all of it. */
const askEveryMs = 25
const idleMs = 500
/** A process that slept may find its turn gone; twice in a row is rare already. */
const fencedTries = 5

export interface TurnOptions {
  readonly log: Log
  readonly clock: Clock
  readonly limits: DoorLimits
  /** The turn is given back, and none is taken again. */
  readonly signal?: AbortSignal | undefined
}

class Tenure {
  readonly turn: Turn
  readonly page: Page
  users = 0
  usedAt = performance.now()
  isAsking = false
  timer: NodeJS.Timeout | undefined
  /** Called when the last user goes. */
  onUnused = () => {}

  constructor(turn: Turn, page: Page) {
    this.turn = turn
    this.page = page
  }
}

export class TurnKeeper {
  readonly #options: TurnOptions
  #taking: Promise<Tenure> | undefined
  #current: Tenure | undefined
  #ending: Promise<void> | undefined

  constructor(options: TurnOptions) {
    this.#options = options
    options.signal?.addEventListener('abort', () => this.#end(this.#current), { once: true })
  }

  /**
   * Runs `work` while this process has the turn; again when the turn was lost meanwhile (nothing of
   * it was committed then). Throws `LOG_BUSY` when others keep the turn for too long.
   */
  async run<Result>(work: (page: Page) => Promise<Result>): Promise<Result> {
    for (let tries = 1; ; tries++) {
      const tenure = await this.#enter()
      try {
        return await work(tenure.page)
      } catch (error) {
        if (codeOf(error) !== 'MEMBER_FENCED' || tries === fencedTries) throw error
        this.#end(tenure)
      } finally {
        tenure.users--
        tenure.usedAt = performance.now()
        if (tenure.users === 0) tenure.onUnused()
      }
    }
  }

  async #enter(): Promise<Tenure> {
    if (this.#options.signal?.aborted) throw fail('LOG_BUSY', 'door: it closes', { waitMs: 1000 })
    const current = this.#current
    if (current === undefined || this.#ending !== undefined) return this.#wait()
    current.users++
    return current
  }

  /** For the turn, or for its end and then for the next one. */
  async #wait(): Promise<Tenure> {
    let timer: NodeJS.Timeout | undefined
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const words = 'another process acts on idempotency keys and does not give way'
        reject(fail('LOG_BUSY', `door: ${words}; it is tried again`, { waitMs: 1000 }))
      }, this.#options.limits.turnMs)
    })
    try {
      for (;;) {
        await Promise.race([this.#ending, tooLate])
        if (this.#ending !== undefined) continue
        this.#taking ??= this.#take()
        const tenure = await Promise.race([this.#taking, tooLate])
        if (this.#current !== tenure || this.#ending !== undefined) continue
        tenure.users++
        return tenure
      }
    } finally {
      clearTimeout(timer)
    }
  }

  async #take(): Promise<Tenure> {
    const { log, clock, limits } = this.#options
    try {
      const turn = await takeTurn(log, bookName, clock, () => {})
      const page = await Page.open({ log, clock, limits, member: turn.member }).catch((error) => {
        turn.end().catch(() => {})
        throw error
      })
      const tenure = new Tenure(turn, page)
      this.#current = tenure
      tenure.timer = setInterval(() => this.#look(tenure), askEveryMs)
      tenure.timer.unref()
      return tenure
    } catch (error) {
      this.#taking = undefined
      throw error
    }
  }

  /** Gives the turn up when nobody needs it here, or somebody else does. */
  async #look(tenure: Tenure): Promise<void> {
    if (tenure.isAsking) return
    if (tenure.users === 0 && performance.now() - tenure.usedAt > idleMs) {
      this.#end(tenure)
      return
    }
    tenure.isAsking = true
    try {
      const group = await this.#options.log.group(bookName)
      if (group === undefined || group.members.length > 1) this.#end(tenure)
    } catch {
      // The log is busy or closed: whoever works with it will be told.
      if (tenure.users === 0) this.#end(tenure)
    } finally {
      tenure.isAsking = false
    }
  }

  #end(tenure: Tenure | undefined): void {
    if (tenure === undefined || this.#current !== tenure || this.#ending !== undefined) return
    clearInterval(tenure.timer)
    this.#ending = this.#giveUp(tenure)
  }

  async #giveUp(tenure: Tenure): Promise<void> {
    if (tenure.users > 0) {
      await new Promise<void>((resolve) => {
        tenure.onUnused = resolve
      })
    }
    // What cannot be said is found out: the member falls silent, or its log is closed.
    await tenure.turn.end().catch(() => {})
    this.#current = undefined
    this.#taking = undefined
    this.#ending = undefined
  }
}
