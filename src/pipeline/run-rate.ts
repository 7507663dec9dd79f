/** How fast a run is, for its status line. */
import type { Clock } from '../core/clock.ts'

/** Messages a second over the last few calls. */
export class Rate {
  readonly #clock: Clock
  readonly #points: { at: number; messages: number }[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  next(messages: number): number {
    this.#points.push({ at: this.#clock.now(), messages })
    if (this.#points.length > 10) this.#points.shift()
    const first = this.#points[0]!
    const last = this.#points.at(-1)!
    const seconds = (last.at - first.at) / 1000
    return seconds === 0 ? 0 : (last.messages - first.messages) / seconds
  }
}
