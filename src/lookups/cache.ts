/**
 * Answers that are remembered for a while: bounded by their number, the one that was not used for the
 * longest time goes first. Only memory; nothing waits on it.
 */

interface Held<Answer> {
  readonly answer: Answer
  readonly endsAtMs: number
}

export class LookupCache<Answer> {
  readonly #entries: number
  readonly #nowMs: () => number
  /** In the order in which they were used last. */
  readonly #held = new Map<string, Held<Answer>>()

  constructor(entries: number, nowMs: () => number) {
    this.#entries = entries
    this.#nowMs = nowMs
  }

  /** Those held, of which some may have ended and not been asked for since. */
  get size(): number {
    return this.#held.size
  }

  get(key: string): Answer | undefined {
    const held = this.#held.get(key)
    if (held === undefined) return undefined
    this.#held.delete(key)
    if (this.#nowMs() >= held.endsAtMs) return undefined
    this.#held.set(key, held)
    return held.answer
  }

  /** Replaces what is held of the key; it holds for `livesMs` from now on. */
  set(key: string, answer: Answer, livesMs: number): void {
    if (livesMs <= 0 || this.#entries === 0) return
    this.#held.delete(key)
    this.#held.set(key, { answer, endsAtMs: this.#nowMs() + livesMs })
    if (this.#held.size > this.#entries) this.#held.delete(this.#held.keys().next().value!)
  }
}
