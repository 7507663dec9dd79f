/**
 * Sorts whole numbers from the lowest digit up, stable, in linear time: for the short rows of hashed
 * columns, where a sort that compares costs more than all of the hashing.
 */

/** Below this, putting each in its place among those before costs the least. */
const shortLength = 24
/** From this on, the larger table of counts is worth its passes saved. */
const longLength = 1024

export class KeySorter {
  /** What to sort; sorting may put another array here. */
  keys: Uint32Array<ArrayBuffer> = new Uint32Array(256)
  #other = new Uint32Array(256)
  readonly #counts = new Int32Array(2048)

  /** Makes `keys` hold `count`, and not much more than `keptLength`; what they held is lost. */
  reserve(count: number, keptLength: number): void {
    if (count <= this.keys.length && this.keys.length <= Math.max(count, keptLength)) return
    this.keys = new Uint32Array(Math.max(256, count, keptLength))
    this.#other = new Uint32Array(this.keys.length)
  }

  /** Sorts the first `count` keys by their bits from `firstBit` up to `endBit`; others stay as they come. */
  sort(count: number, firstBit: number, endBit: number): void {
    if (count <= shortLength) this.#insert(count, firstBit)
    else {
      const digitBits = count < longLength ? 8 : 11
      for (let bit = firstBit; bit < endBit; bit += digitBits) this.#pass(count, bit, digitBits)
    }
  }

  #insert(count: number, firstBit: number): void {
    const { keys } = this
    for (let index = 1; index < count; index++) {
      const key = keys[index]!
      const wanted = key >>> firstBit
      let place = index
      for (; place > 0 && keys[place - 1]! >>> firstBit > wanted; place--) {
        keys[place] = keys[place - 1]!
      }
      keys[place] = key
    }
  }

  #pass(count: number, bit: number, digitBits: number): void {
    const { keys } = this
    const other = this.#other
    const counts = this.#counts
    const size = 1 << digitBits
    const mask = size - 1
    counts.fill(0, 0, size)
    for (let index = 0; index < count; index++) counts[(keys[index]! >>> bit) & mask]!++
    let before = 0
    for (let digit = 0; digit < size; digit++) {
      const here = counts[digit]!
      counts[digit] = before
      before += here
    }
    for (let index = 0; index < count; index++) {
      const key = keys[index]!
      const digit = (key >>> bit) & mask
      const place = counts[digit]!
      counts[digit] = place + 1
      other[place] = key
    }
    this.#other = keys
    this.keys = other
  }
}
