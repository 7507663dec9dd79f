/**
 * Memory that is used again and again, for what a thread writes a batch at a time. Memory outside
 * of V8's heap that comes and goes makes V8 collect everything, however small its heap is.
 *
 * Who took a buffer owns it until it gives it back; from then on nobody may read it, views of it
 * included. To give nothing back is harmless: the collector takes what nobody holds. So whoever is
 * not certain that all are done with a buffer keeps it.
 */

const smallestBytes = 16 * 1024
const largestBytes = 4 * 1024 * 1024
/** What lies here unused at most; more goes to the collector. */
const mostIdleBytes = 64 * 1024 * 1024

export class BufferPool {
  /** For tests: what is given back is overwritten, so that whoever still reads it sees that. */
  poisons = false
  readonly #mostIdleBytes: number
  /** By size: those of `roomOf`. */
  readonly #idle = new Map<number, Buffer[]>()
  /** Nothing else is ever taken back, and nothing twice. */
  readonly #lent = new WeakSet<ArrayBufferLike>()
  #idleBytes = 0

  constructor(mostBytes = mostIdleBytes) {
    this.#mostIdleBytes = mostBytes
  }

  get idleBytes(): number {
    return this.#idleBytes
  }

  /** A buffer of that size or more, alone in its memory, with anything in it. */
  take(sizeBytes: number): Buffer {
    // Such large ones are rare, and would take the place of all others.
    if (sizeBytes > largestBytes) return Buffer.allocUnsafeSlow(sizeBytes)
    const size = roomOf(sizeBytes)
    const idle = this.#idle.get(size)?.pop()
    if (idle !== undefined) this.#idleBytes -= size
    const buffer = idle ?? Buffer.allocUnsafeSlow(size)
    this.#lent.add(buffer.buffer)
    return buffer
  }

  /** Takes back the memory under a view, where it came from here and was not given back yet. */
  give(view: ArrayBufferView): void {
    const { buffer } = view
    if (!this.#lent.delete(buffer)) return
    const whole = Buffer.from(buffer)
    if (this.poisons) whole.fill(0xdb)
    if (this.#idleBytes + whole.length > this.#mostIdleBytes) return
    const idle = this.#idle.get(whole.length)
    if (idle === undefined) this.#idle.set(whole.length, [whole])
    else idle.push(whole)
    this.#idleBytes += whole.length
  }
}

/** Four sizes from each power of two to the next: a fifth of a buffer at most is not used. */
function roomOf(sizeBytes: number): number {
  if (sizeBytes <= smallestBytes) return smallestBytes
  const step = 2 ** (29 - Math.clz32(sizeBytes - 1))
  return Math.ceil(sizeBytes / step) * step
}

/** Of this thread: for the batches of commits and their encoded bytes. */
export const buffers = new BufferPool()
