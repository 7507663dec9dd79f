/**
 * Event time, as far as it is arithmetic: the watermark of one partition, and that of several
 * inputs together. What has a time before the watermark is no longer waited for. Clocks are handed
 * in as numbers; a watermark never goes back.
 */
import { farthestTimeMs } from './calendar-zone.ts'

export interface WatermarkOptions {
  /** How much older than the newest message another may be that is still waited for. */
  readonly outOfOrderMs: number
  /** How far ahead of the clock a message's time may be and still be believed. */
  readonly maxSkewMs: number
}

/** The watermark of one partition: the highest time seen, less what may be out of order. */
export class PartitionWatermark {
  readonly #outOfOrderMs: number
  readonly #maxSkewMs: number
  #atMs: number

  /** Goes on from `savedMs`, what `save` gave. */
  constructor({ outOfOrderMs, maxSkewMs }: WatermarkOptions, savedMs: number | null = null) {
    this.#outOfOrderMs = outOfOrderMs
    this.#maxSkewMs = maxSkewMs
    this.#atMs = savedMs ?? -Infinity
  }

  /** -Infinity before the first message. */
  get atMs(): number {
    return this.#atMs
  }

  /**
   * Takes the time of the next message, in the order of the log. False when it cannot be believed
   * (too far ahead of `nowMs`, or no time at all): it is late or dead, and moves nothing. Where the
   * log says when a message came, that is the `nowMs` with which a replay decides as live did.
   */
  observe(timeMs: number, nowMs: number): boolean {
    if (!(timeMs <= nowMs + this.#maxSkewMs && Math.abs(timeMs) <= farthestTimeMs)) return false
    const atMs = Math.floor(timeMs) - this.#outOfOrderMs
    if (atMs > this.#atMs) this.#atMs = atMs
    return true
  }

  /** For a checkpoint. */
  save(): number | null {
    return this.#atMs === -Infinity ? null : this.#atMs
  }
}

/** For a checkpoint, as JSON: an input takes a few bytes, because all are about as far. */
export interface SavedWatermarks {
  /** Where all inputs together are; left out before they are anywhere, and when all are done. */
  readonly at?: number
  /** The lowest of the inputs' watermarks; then each, as what it is above that, to base 36. */
  readonly low?: number
  readonly inputs: string
}

export interface JointOptions {
  readonly inputs: number
  /** An input that says nothing for so long is not waited for; Infinity: it always is. */
  readonly idleMs: number
}

/**
 * The watermark of several inputs: the lowest of those that are neither idle nor done. While all
 * are idle it goes on with the wall clock, from the highest of them, so that windows close also
 * when nothing comes any more. When all are done it is Infinity.
 */
export class JointWatermark {
  readonly #idleMs: number
  readonly #inputsMs: Float64Array
  readonly #seenAtMs: Float64Array
  readonly #idle: Uint8Array
  readonly #done: Uint8Array
  #atMs = -Infinity

  /** `nowMs` begins the wait for inputs that say nothing; `saved` is what `save` gave. */
  constructor({ inputs, idleMs }: JointOptions, nowMs: number, saved?: SavedWatermarks) {
    this.#idleMs = idleMs
    this.#inputsMs = new Float64Array(inputs).fill(-Infinity)
    this.#seenAtMs = new Float64Array(inputs).fill(nowMs)
    this.#idle = new Uint8Array(inputs)
    this.#done = new Uint8Array(inputs)
    if (saved !== undefined) this.#load(saved)
  }

  /** -Infinity before every input that is not idle had a message. */
  get atMs(): number {
    return this.#atMs
  }

  isIdle(input: number): boolean {
    return this.#idle[input] === 1
  }

  /**
   * An input had a message and its watermark is `atMs`; Infinity: it is done. True when this moved
   * all together.
   */
  advance(input: number, atMs: number, nowMs: number): boolean {
    if (atMs === Infinity) return this.finish(input)
    const wasMs = this.#inputsMs[input]!
    const isBack = this.#idle[input] === 1
    this.#seenAtMs[input] = nowMs
    if (isBack) this.#idle[input] = 0
    if (atMs <= wasMs) return isBack && this.#raise(this.#lowest())
    this.#inputsMs[input] = atMs
    // Who was above all together did not hold them.
    return (isBack || wasMs <= this.#atMs) && this.#raise(this.#lowest())
  }

  /**
   * Looks at the wall clock. To be called only while everything that the inputs hold has been read:
   * what waits unread is not idle. True when this moved all together.
   */
  tick(nowMs: number): boolean {
    let goesOnMs = -Infinity
    let allIdle = true
    let someOpen = false
    for (let input = 0; input < this.#inputsMs.length; input++) {
      const quietMs = Math.max(0, nowMs - this.#seenAtMs[input]!)
      goesOnMs = Math.max(goesOnMs, this.#inputsMs[input]! + quietMs)
      if (this.#done[input] === 1) continue
      someOpen = true
      if (quietMs >= this.#idleMs) this.#idle[input] = 1
      if (this.#idle[input] === 0) allIdle = false
    }
    return this.#raise(someOpen && allIdle ? goesOnMs : this.#lowest())
  }

  /** A finite input is at its end: nothing more comes. True when this moved all together. */
  finish(input: number): boolean {
    this.#done[input] = 1
    return this.#raise(this.#lowest())
  }

  save(): SavedWatermarks {
    const known = this.#inputsMs.filter((atMs) => atMs > -Infinity)
    const low = known.reduce((least, atMs) => Math.min(least, atMs), Infinity)
    const inputs = Array.from(this.#inputsMs, (atMs, input) => {
      const above = atMs === -Infinity ? '' : (atMs - low).toString(36)
      return this.#done[input] === 1 ? `${above}!` : above
    }).join(',')
    return {
      ...(Number.isFinite(this.#atMs) ? { at: this.#atMs } : {}),
      ...(known.length > 0 ? { low } : {}),
      inputs,
    }
  }

  /** Inputs that are new since then begin without a watermark; those that are gone are left out. */
  #load({ at, low = 0, inputs }: SavedWatermarks): void {
    for (const [input, text] of inputs.split(',').entries()) {
      if (input >= this.#inputsMs.length) break
      const above = text.replace('!', '')
      if (above !== '') this.#inputsMs[input] = low + Number.parseInt(above, 36)
      if (above !== text) this.#done[input] = 1
    }
    this.#atMs = Math.max(at ?? -Infinity, this.#lowest())
  }

  /** Of the inputs that are waited for; of none, when all others are idle. */
  #lowest(): number {
    let lowest = Infinity
    let isWaiting = false
    let allDone = true
    for (let input = 0; input < this.#inputsMs.length; input++) {
      if (this.#done[input] === 1) continue
      allDone = false
      if (this.#idle[input] === 1) continue
      isWaiting = true
      lowest = Math.min(lowest, this.#inputsMs[input]!)
    }
    if (allDone) return Infinity
    return isWaiting ? lowest : -Infinity
  }

  #raise(atMs: number): boolean {
    if (!(atMs > this.#atMs)) return false
    this.#atMs = atMs
    return true
  }
}
