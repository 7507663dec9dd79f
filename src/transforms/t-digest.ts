/**
 * Quantiles in bounded space: the merging t-digest (Dunning 2019, "Computing extremely accurate
 * quantiles using t-digests") with the arcsine scale, so that centroids are small towards both ends.
 * Up to `exactUpTo` values are kept as they are, and quantiles of them are exact; beyond that at most
 * `compression` centroids, and the rank of an answer is off by less than pi * sqrt(q (1 - q)) /
 * compression of all: 0.8 % at the median, 0.16 % at p99; in practice a tenth of that.
 */

export const compression = 200
export const exactUpTo = 400

export interface Digest {
  /** Sorted; each stands for so many values as its weight says. */
  means: Float64Array
  weights: Float64Array
  /** Values that are not in centroids yet: sorted, the first `pending` of the array. */
  singles: Float64Array
  pending: number
  /** Of all values. */
  count: number
  least: number
  greatest: number
}

const none = new Float64Array(0)

export function emptyDigest(): Digest {
  return {
    means: none,
    weights: none,
    singles: none,
    pending: 0,
    count: 0,
    least: Number.POSITIVE_INFINITY,
    greatest: Number.NEGATIVE_INFINITY,
  }
}

/** Adds a value: sorted in, so that reading needs no work and changes nothing. */
export function addToDigest(digest: Digest, value: number): void {
  // A full house is emptied by the value after it: exactly so many are exact.
  if (digest.pending === exactUpTo) compress(digest)
  const { pending } = digest
  if (pending === digest.singles.length) {
    const larger = new Float64Array(Math.min(exactUpTo, Math.max(4, pending * 2)))
    larger.set(digest.singles)
    digest.singles = larger
  }
  const place = placeOf(digest.singles, pending, value)
  if (place < pending) digest.singles.copyWithin(place + 1, place, pending)
  digest.singles[place] = value
  digest.pending = pending + 1
  digest.count++
  if (value < digest.least) digest.least = value
  if (value > digest.greatest) digest.greatest = value
}

/** Where a value goes: behind all that are not greater. */
function placeOf(values: Float64Array, length: number, value: number): number {
  let low = 0
  let high = length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (values[middle]! <= value) low = middle + 1
    else high = middle
  }
  return low
}

/** Adds the other one's values; the other is used up. */
export function mergeDigests(one: Digest, other: Digest): Digest {
  if (other.means.length === 0) {
    for (let index = 0; index < other.pending; index++) addToDigest(one, other.singles[index]!)
    return one
  }
  if (one.means.length === 0) return mergeDigests(other, one)
  compress(one)
  compress(other)
  const both = mergeSorted(one, other.means, other.weights, other.means.length)
  one.count += other.count
  one.least = Math.min(one.least, other.least)
  one.greatest = Math.max(one.greatest, other.greatest)
  setCentroids(one, both.means, both.weights)
  return one
}

function compress(digest: Digest): void {
  if (digest.pending === 0) return
  const both = mergeSorted(digest, digest.singles, null, digest.pending)
  // The room for singles stays, as it will be filled again.
  digest.pending = 0
  setCentroids(digest, both.means, both.weights)
}

/** The centroids of a digest and others as one sorted list; without weights each is 1. */
function mergeSorted(
  { means, weights }: Digest,
  others: Float64Array,
  otherWeights: Float64Array | null,
  otherCount: number,
) {
  const total = means.length + otherCount
  const merged = { means: new Float64Array(total), weights: new Float64Array(total) }
  let own = 0
  let other = 0
  for (let index = 0; index < total; index++) {
    if (other === otherCount || (own < means.length && means[own]! <= others[other]!)) {
      merged.means[index] = means[own]!
      merged.weights[index] = weights[own++]!
    } else {
      merged.means[index] = others[other]!
      merged.weights[index] = otherWeights === null ? 1 : otherWeights[other]!
      other++
    }
  }
  return merged
}

/** Takes sorted centroids and joins neighbours as far as the scale allows. Both lists are used up. */
function setCentroids(digest: Digest, means: Float64Array, weights: Float64Array): void {
  let total = 0
  for (const weight of weights) total += weight
  let last = 0
  let before = 0
  let limit = total * limitAfter(0)
  for (let index = 1; index < means.length; index++) {
    const weight = weights[index]!
    const joined = weights[last]! + weight
    if (before + joined <= limit) {
      means[last]! += ((means[index]! - means[last]!) * weight) / joined
      weights[last] = joined
      continue
    }
    before += weights[last]!
    limit = total * limitAfter(before / total)
    last++
    means[last] = means[index]!
    weights[last] = weight
  }
  digest.means = means.slice(0, last + 1)
  digest.weights = weights.slice(0, last + 1)
}

/** The share up to which a centroid may go that begins at the share `q`: one step of the scale. */
function limitAfter(q: number): number {
  const turn = Math.asin(2 * q - 1) + (2 * Math.PI) / compression
  return turn >= Math.PI / 2 ? 1 : (Math.sin(turn) + 1) / 2
}

/**
 * The value below which the share `q` of all lie, between two of them in proportion: numpy's and
 * pandas' default, SQL's PERCENTILE_CONT. null of nothing.
 */
export function quantileOf(digest: Digest, q: number): number | null {
  const { means, weights, singles, pending, count, least, greatest } = digest
  if (count === 0) return null
  const target = q * (count - 1)
  let own = 0
  let single = 0
  let rank = 0
  // The least value, as if it stood at the rank 0 by itself.
  let leftRank = 0
  let left = least
  for (;;) {
    let value: number
    let weight = 1
    if (own < means.length && (single === pending || means[own]! <= singles[single]!)) {
      value = means[own]!
      weight = weights[own++]!
    } else if (single < pending) value = singles[single++]!
    else break
    const middle = rank + (weight - 1) / 2
    if (target <= middle) return between(left, leftRank, value, middle, target)
    rank += weight
    leftRank = middle
    left = value
  }
  return between(left, leftRank, greatest, count - 1, target)
}

function between(
  left: number,
  leftRank: number,
  right: number,
  rightRank: number,
  target: number,
): number {
  if (rightRank <= leftRank || target >= rightRank) return right
  const share = (target - leftRank) / (rightRank - leftRank)
  return left + (right - left) * share
}
