/** One direction of a connection through a proxy, as good or bad as the proxy is told to be. */
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Trouble } from './proxy.ts'

export interface FlowOptions {
  readonly from: Socket
  readonly to: Socket
  /** From the broker to the client. */
  readonly isAnswers: boolean
  /** Nothing more comes, and the other end is to hear of it: of its loss too. */
  ended(wasLost: boolean): void
  /** The connection is to end at once, both ways. */
  reset(): void
}

interface Piece {
  readonly bytes: Buffer
  readonly cameAtMs: number
}

/** What waits here; whoever sends more has to wait, as on any network. */
const mostWaitingBytes = 1024 * 1024
const longestNapMs = 50

export class Flow {
  readonly #options: FlowOptions
  readonly #waiting: Piece[] = []
  #waitingBytes = 0
  #trouble: Trouble | undefined
  #isOver = false
  #wasLost = false
  #isPumping = false
  /** Bytes were lost: what comes behind them makes no sense to anybody. */
  #isDead = false
  #gaveAtMs = 0
  /** What may still pass before the connection is reset. */
  #leftBytes: number | undefined

  constructor(options: FlowOptions) {
    this.#options = options
    const { from } = options
    from.on('data', (bytes) => this.#take(bytes))
    const over = () => {
      this.#isOver = true
      this.#pump()
    }
    from.on('end', over)
    from.on('close', over)
    from.on('error', () => {
      this.#wasLost = true
      over()
    })
  }

  /** What is the matter from now on; undefined: nothing. */
  set trouble(trouble: Trouble | undefined) {
    this.#trouble = trouble
    this.#leftBytes = undefined
    if (this.#losesBytes && this.#waiting.length > 0) this.#lose()
    this.#pump()
  }

  #take(bytes: Buffer): void {
    if (this.#isDead || this.#losesBytes) {
      this.#lose()
      return
    }
    this.#waiting.push({ bytes, cameAtMs: Date.now() })
    this.#waitingBytes += bytes.length
    if (this.#waitingBytes > mostWaitingBytes) this.#options.from.pause()
    this.#pump()
  }

  #lose(): void {
    this.#isDead = true
    this.#waiting.length = 0
    this.#waitingBytes = 0
    this.#options.from.resume()
  }

  #pump(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    void this.#giveAll().finally(() => {
      this.#isPumping = false
    })
  }

  async #giveAll(): Promise<void> {
    while (!this.#isHalfOpen) {
      const [piece] = this.#waiting
      if (piece === undefined) {
        if (this.#isOver) this.#options.ended(this.#wasLost)
        return
      }
      const napMs = Math.min(longestNapMs, this.#dueAtMs(piece) - Date.now())
      if (napMs > 0) await sleep(napMs)
      else await this.#give(piece)
    }
  }

  #dueAtMs({ cameAtMs, bytes }: Piece): number {
    const trouble = this.#trouble
    if (trouble?.kind !== 'slow') return 0
    const takesMs = (bytes.length / trouble.bytesPerSecond) * 1000
    return Math.max(cameAtMs + trouble.delayMs, this.#gaveAtMs + takesMs)
  }

  async #give({ bytes }: Piece): Promise<void> {
    this.#waiting.shift()
    this.#waitingBytes -= bytes.length
    this.#gaveAtMs = Date.now()
    const { from, isAnswers } = this.#options
    const trouble = this.#trouble
    if (trouble?.kind === 'reset' && isAnswers) {
      this.#leftBytes ??= 1 + Math.floor(trouble.random() * trouble.mostBytes)
      this.#leftBytes -= bytes.length
      if (this.#leftBytes < 0) {
        // A part of what an answer says is there, the rest never comes.
        await this.#write(bytes.subarray(0, bytes.length >> 1))
        this.#options.reset()
        return
      }
    }
    await this.#write(bytes)
    if (this.#waitingBytes <= mostWaitingBytes) from.resume()
  }

  /** Resolves once the network has it, or nobody is there to take it. */
  #write(bytes: Buffer): Promise<void> {
    const { to } = this.#options
    return new Promise((resolve) => {
      if (to.destroyed) resolve()
      else to.write(bytes, () => resolve())
    })
  }

  get #isHalfOpen(): boolean {
    const trouble = this.#trouble
    if (trouble?.kind !== 'half-open') return false
    return trouble.direction === 'both' || this.#options.isAnswers
  }

  get #losesBytes(): boolean {
    return this.#isHalfOpen && this.#trouble?.kind === 'half-open' && !this.#trouble.isLate
  }
}
