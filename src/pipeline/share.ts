/** Stops a pipeline of which most messages fail, so that a bad deploy does not empty a topic. */
import { fail } from '../core/errors.ts'
import type { Failure } from './decode.ts'

/** So many of the newest messages are looked at. */
const windowSize = 1000

export class DeadLetterShare {
  readonly #pipeline: string
  readonly #most: number
  /** Batches within the window: messages and dead letters of each. */
  readonly #batches: { messages: number; dead: number }[] = []
  #messages = 0
  #dead = 0

  constructor(pipeline: string, maxDeadLetterShare: number) {
    this.#pipeline = pipeline
    this.#most = maxDeadLetterShare * windowSize
  }

  /** Throws `TOO_MANY_DEAD_LETTERS` before the batch that goes over the bound is committed. */
  add(messages: number, dead: number, first: Failure | undefined): void {
    if (messages === 0) return
    // A batch larger than the window stands for its own share of it.
    const scale = Math.min(1, windowSize / messages)
    this.#batches.push({ messages: messages * scale, dead: dead * scale })
    this.#messages += messages * scale
    this.#dead += dead * scale
    while (this.#messages - this.#batches[0]!.messages >= windowSize) {
      const oldest = this.#batches.shift()!
      this.#messages -= oldest.messages
      this.#dead -= oldest.dead
    }
    if (dead === 0 || this.#dead <= this.#most) return
    const reason = first === undefined ? '' : `; the newest: ${first.error}: ${first.message}`
    throw fail(
      'TOO_MANY_DEAD_LETTERS',
      `pipeline ${this.#pipeline}: ${Math.round(this.#dead)} of the last ${windowSize} messages failed, more than maxDeadLetterShare allows (${this.#most})${reason}. These were not skipped: correct the step and start again`,
    )
  }
}
