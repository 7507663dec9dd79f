/** Work that must not be disturbed, and whoever waits until none is going on. */
export class Steady {
  #working = 0
  #idle = Promise.withResolvers<void>()

  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#working++
    try {
      return await work()
    } finally {
      if (--this.#working === 0) {
        this.#idle.resolve()
        this.#idle = Promise.withResolvers<void>()
      }
    }
  }

  /** Resolves at once where nothing goes on, else when the last piece of work has ended. */
  async idle(): Promise<void> {
    while (this.#working > 0) await this.#idle.promise
  }
}
