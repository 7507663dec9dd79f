/**
 * How long something took, counted in fixed buckets that grow with what they count: exact enough for
 * p50 and p99 over any range, small enough to be told once a second, and sums over processes.
 */

/** A decade is divided so that Prometheus' usual bounds (1, 2.5, 5) are among these. */
const divisions = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9] as const
const firstMs = 0.1
const decades = 7

/** Upper bounds in milliseconds, each inclusive, from 0.1 ms to 1,000 s; one more bucket has the rest. */
export const latencyBoundsMs: readonly number[] = [
  ...Array.from({ length: decades }, (_, decade) =>
    divisions.map((one) => Number((firstMs * 10 ** decade * one).toPrecision(3))),
  ).flat(),
  firstMs * 10 ** decades,
]

/** Plain data: numbers of buckets and their counts, one after the other, empty ones left out. */
export interface SavedLatency {
  readonly sumMs: number
  readonly buckets: readonly number[]
}

export class Latency {
  readonly #counts = new Float64Array(latencyBoundsMs.length + 1)
  #sumMs = 0
  #count = 0

  get count(): number {
    return this.#count
  }

  get sumMs(): number {
    return this.#sumMs
  }

  /** Counts `count` things that took as long. */
  add(tookMs: number, count = 1): void {
    this.#counts[bucketOf(tookMs)]! += count
    this.#sumMs += Math.max(0, tookMs) * count
    this.#count += count
  }

  /** Adds what was saved elsewhere, or with `times` -1 takes it away. */
  addSaved({ sumMs, buckets }: SavedLatency, times: 1 | -1 = 1): void {
    for (let at = 0; at + 1 < buckets.length; at += 2) {
      const bucket = buckets[at]!
      if (!(bucket in this.#counts)) continue
      this.#counts[bucket]! += times * buckets[at + 1]!
      this.#count += times * buckets[at + 1]!
    }
    this.#sumMs += times * sumMs
  }

  save(): SavedLatency {
    const buckets: number[] = []
    this.#counts.forEach((count, bucket) => {
      if (count !== 0) buckets.push(bucket, count)
    })
    return { sumMs: this.#sumMs, buckets }
  }

  /**
   * The time within which a share of all lies, in milliseconds, straight between the bounds of its
   * bucket (as Prometheus' `histogram_quantile`). Null when nothing was counted.
   */
  quantile(share: number): number | null {
    if (this.#count <= 0) return null
    const wanted = share * this.#count
    let below = 0
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      const count = this.#counts[bucket]!
      if (count > 0 && below + count >= wanted) {
        const low = bucket === 0 ? 0 : latencyBoundsMs[bucket - 1]!
        const high = latencyBoundsMs[bucket] ?? low
        return low + ((high - low) * Math.max(0, wanted - below)) / count
      }
      below += count
    }
    return latencyBoundsMs.at(-1)!
  }

  /** How many took at most as long as a bound of `latencyBoundsMs`, for each of the given bounds. */
  cumulative(boundsMs: readonly number[]): number[] {
    let below = 0
    let bucket = 0
    return boundsMs.map((bound) => {
      while (bucket < latencyBoundsMs.length && latencyBoundsMs[bucket]! <= bound) {
        below += this.#counts[bucket++]!
      }
      return below
    })
  }
}

/** The first bucket whose bound is not below; a binary search. */
function bucketOf(tookMs: number): number {
  let low = 0
  let high = latencyBoundsMs.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (latencyBoundsMs[middle]! < tookMs) low = middle + 1
    else high = middle
  }
  return low
}
