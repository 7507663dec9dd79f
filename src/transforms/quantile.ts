/** Quantiles: exact of up to 400 values, a t-digest of more (`t-digest.ts` states its error). */
import { fail } from '../core/errors.ts'
import type { Aggregator, Json, Maybe } from './aggregator.ts'
import { checkNumber } from './checked-values.ts'
import { readDoubles, readList, readNumber, savedDoubles, unreadable } from './saved.ts'
import {
  addToDigest,
  compression,
  type Digest,
  emptyDigest,
  exactUpTo,
  mergeDigests,
  quantileOf,
} from './t-digest.ts'

/** The value below which the share `q`, from 0 to 1, of all values lie. */
export function quantile(q: number): Aggregator<Maybe<number>, number | null, Digest> {
  const name = `quantile(${q})`
  checkShare(name, q)
  return ofDigest(name, (digest) => quantileOf(digest, q))
}

export type Quantiles<Shares extends readonly number[]> = {
  readonly [Index in keyof Shares]: number | null
}

/** Several quantiles of the same values, which are kept once. */
export function quantiles<const Shares extends readonly number[]>(
  shares: Shares,
): Aggregator<Maybe<number>, Quantiles<Shares>, Digest> {
  const name = `quantiles(${shares.join(', ')})`
  for (const q of shares) checkShare(name, q)
  const all = [...shares]
  return ofDigest(name, (digest) => all.map((q) => quantileOf(digest, q)) as Quantiles<Shares>)
}

function checkShare(name: string, q: number): void {
  if (typeof q === 'number' && q >= 0 && q <= 1) return
  throw fail('PIPELINE_INVALID', `${name}: ${q} is no share from 0 to 1; p99 is 0.99`)
}

function ofDigest<Out>(
  name: string,
  result: (digest: Digest) => Out,
): Aggregator<Maybe<number>, Out, Digest> {
  return {
    name,
    version: 1,
    order: 'nearly',
    start: emptyDigest,
    check: (value) => checkNumber(name, value),
    add(digest, value) {
      checkNumber(name, value)
      // -0 is 0, as JSON has it.
      if (value !== null && value !== undefined) addToDigest(digest, value + 0)
      return digest
    },
    merge: mergeDigests,
    result,
    save: saved,
    load: (from) => loaded(name, from),
  }
}

function saved(digest: Digest): Json {
  const singles = savedDoubles(digest.singles.subarray(0, digest.pending))
  if (digest.means.length === 0) return [singles]
  return [
    singles,
    savedDoubles(digest.means),
    // Whole numbers, mostly of a few digits.
    [...digest.weights],
    digest.least,
    digest.greatest,
  ]
}

function loaded(name: string, from: Json): Digest {
  const [singles, means, weights, least, greatest, ...more] = readList(name, from)
  const digest = emptyDigest()
  if (more.length > 0) throw unreadable(name, 'is too long')
  if (means !== undefined) {
    digest.means = readDoubles(name, means)
    digest.weights = Float64Array.from(readList(name, weights), (item) => readNumber(name, item))
    digest.least = readNumber(name, least)
    digest.greatest = readNumber(name, greatest)
    digest.count = digest.weights.reduce((total, weight) => total + weight, 0)
    const isDigest =
      digest.weights.length === digest.means.length &&
      digest.means.length <= 2 * compression &&
      digest.weights.every((weight) => weight >= 1)
    if (!isDigest) throw unreadable(name, 'has centroids that are none')
  }
  const values = readDoubles(name, singles)
  if (values.length > exactUpTo) throw unreadable(name, 'has too many values')
  for (const value of values) addToDigest(digest, value)
  return digest
}
