/**
 * Keys in the order of their UTF-8 bytes, of a map that changes: what is new is sorted in when somebody
 * looks, so that many changes between two looks cost little.
 */
import { compareKeys } from '../core/key-order.ts'

export class SortedKeys {
  #sorted: string[] = []
  readonly #added = new Set<string>()

  add(key: string): void {
    this.#added.add(key)
  }

  clear(): void {
    this.#sorted = []
    this.#added.clear()
  }

  /** Those from `from` up to, not including, `to` that `has` knows, at most `limit`. */
  range(
    from: string,
    to: string | undefined,
    limit: number,
    has: (key: string) => boolean,
  ): string[] {
    this.#sort(has)
    const found: string[] = []
    for (let index = this.#placeOf(from); index < this.#sorted.length; index++) {
      const key = this.#sorted[index]!
      if (found.length >= limit || (to !== undefined && compareKeys(key, to) >= 0)) break
      if (has(key)) found.push(key)
    }
    return found
  }

  /** What is gone is left out at the same time. */
  #sort(has: (key: string) => boolean): void {
    if (this.#added.size === 0) return
    const added = [...this.#added].sort(compareKeys)
    this.#added.clear()
    const merged: string[] = []
    let next = 0
    for (const key of this.#sorted) {
      if (!has(key)) continue
      while (next < added.length && compareKeys(added[next]!, key) < 0) merged.push(added[next++]!)
      if (added[next] === key) next++
      merged.push(key)
    }
    while (next < added.length) merged.push(added[next++]!)
    this.#sorted = merged
  }

  /** Of the first key that is not before this one. */
  #placeOf(key: string): number {
    let [low, high] = [0, this.#sorted.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (compareKeys(this.#sorted[middle]!, key) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}
