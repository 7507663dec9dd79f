/**
 * Where a command writes: results to stdout, words for people to stderr. Handed in, so that a test
 * can read what a command prints. When stdout is closed early (`| head`) a command ends quietly.
 */

export interface Output {
  /** Characters that fit on a line of a terminal; undefined when stdout is none. */
  readonly columns: number | undefined
  /** Aborts when nobody reads the results any more. */
  readonly closed: AbortSignal
  /** Writes lines of the result; resolves once more may be written. */
  print(text: string): Promise<void>
  /** One line for a person. */
  say(text: string): void
}

let shared: Output | undefined

/** The output of this process; the listener on stdout is set once. */
export function processOutput(): Output {
  shared ??= new ProcessOutput()
  return shared
}

class ProcessOutput implements Output {
  readonly #closed = new AbortController()

  constructor() {
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      this.#closed.abort()
    })
  }

  get columns(): number | undefined {
    return process.stdout.isTTY ? process.stdout.columns : undefined
  }

  get closed(): AbortSignal {
    return this.#closed.signal
  }

  print(text: string): Promise<void> {
    if (this.#closed.signal.aborted || text === '') return Promise.resolve()
    // An error is the listener's; the callback comes in both cases, so nobody waits for ever.
    return new Promise((resolve) => process.stdout.write(`${text}\n`, () => resolve()))
  }

  say(text: string): void {
    process.stderr.write(`${text}\n`)
  }
}
