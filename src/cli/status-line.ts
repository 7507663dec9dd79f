/** One line on a terminal that is written over and over; elsewhere only what is said once. */
import type { WriteStream } from 'node:tty'

type Stream = Pick<WriteStream, 'write'> & { readonly isTTY?: boolean; readonly columns?: number }

export class StatusLine {
  readonly #stream: Stream
  readonly isTerminal: boolean
  #shown = ''

  constructor(stream: Stream) {
    this.#stream = stream
    this.isTerminal = stream.isTTY === true
  }

  /** A line that stays. */
  say(text: string): void {
    this.#clear()
    this.#stream.write(`${text}\n`)
    if (this.#shown !== '') this.#stream.write(this.#shown)
  }

  /** The line that the next one replaces; nothing where there is no terminal. */
  show(text: string): void {
    if (!this.isTerminal) return
    this.#clear()
    this.#shown = text.slice(0, (this.#stream.columns ?? 80) - 1)
    this.#stream.write(this.#shown)
  }

  /** Leaves the last status where it is. */
  end(): void {
    if (this.#shown !== '') this.#stream.write('\n')
    this.#shown = ''
  }

  #clear(): void {
    if (this.#shown !== '') this.#stream.write('\r\x1b[2K')
  }
}
