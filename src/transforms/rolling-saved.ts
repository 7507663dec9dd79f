/**
 * Rolling state as JSON. Times are told as differences and numbers in decimals, which for amounts and
 * intervals is shorter than base64 of doubles; of a bucket only what its measures need.
 */
import type { Json } from './aggregator.ts'
import { seen } from './checked-values.ts'
import { canonical } from './exact-sum.ts'
import { summedUp } from './moments.ts'
import type { RollingState } from './rolling.ts'
import { type Bucket, emptyBucket } from './rolling-cells.ts'
import type { Layout } from './rolling-measures.ts'
import { readCount, readFields, readList, readNumber, readNumbers, unreadable } from './saved.ts'
import type { Scalar } from './value-hash.ts'

export function saveRolling(layout: Layout, state: RollingState): Json {
  const { singles, buckets, horizonMs } = state
  const saved: Record<string, Json> = {}
  if (horizonMs !== Number.NEGATIVE_INFINITY) saved.horizonMs = horizonMs
  saved.times = differences(singles.times, singles.first)
  if (layout.keepsValues) saved.values = singles.cells.slice(singles.first)
  if (buckets !== null && buckets.size > 0) {
    saved.ends = differences(buckets.times, buckets.first)
    saved.buckets = buckets.cells.slice(buckets.first).map((bucket) => savedBucket(layout, bucket))
  }
  return saved
}

export function loadRolling(layout: Layout, saved: Json, state: RollingState): RollingState {
  const { name, keepsValues } = layout
  const fields = readFields(name, saved)
  const times = readTimes(name, fields.times)
  const values = keepsValues ? readList(name, fields.values) : times.map(() => 1)
  if (values.length !== times.length) throw unreadable(name, 'has more times than values, or less')
  if (fields.horizonMs !== undefined) {
    state.horizonMs = readNumber(name, fields.horizonMs)
    state.droppedMs = layout.neededAfter(state.horizonMs)
  }
  times.forEach((timeMs, index) => {
    state.singles.insert(timeMs, readValue(layout, values[index]!))
  })
  if (fields.buckets === undefined) return state
  const ends = readTimes(name, fields.ends)
  const buckets = readList(name, fields.buckets)
  if (state.buckets === null || ends.length !== buckets.length) {
    throw unreadable(name, 'has buckets that it should not have')
  }
  for (let index = 0; index < ends.length; index++) {
    if (index > 0 && ends[index - 1] === ends[index]) throw unreadable(name, 'has a bucket twice')
    state.buckets.insert(ends[index]!, loadedBucket(layout, buckets[index]!))
  }
  return state
}

function differences(times: readonly number[], first: number): number[] {
  const told: number[] = []
  for (let place = first; place < times.length; place++) {
    told.push(place === first ? times[place]! : times[place]! - times[place - 1]!)
  }
  return told
}

function readTimes(name: string, saved: Json | undefined): number[] {
  const told = readNumbers(name, saved)
  for (let place = 1; place < told.length; place++) {
    if (told[place]! < 0) throw unreadable(name, 'has times that go back')
    told[place]! += told[place - 1]!
  }
  return told
}

function readValue({ name, isNumeric }: Layout, value: Json): Scalar {
  if (isNumeric) return readNumber(name, value)
  if (value === null || typeof value === 'object') throw unreadable(name, `holds ${seen(value)}`)
  return value
}

function savedBucket({ needs, extremes, keepsLast }: Layout, bucket: Bucket): Json {
  const saved: Json[] = [bucket.count]
  if (needs.sum) saved.push(canonical(bucket.sum))
  if (needs.squares) saved.push(canonical(bucket.squares))
  if (needs.values) saved.push([...bucket.values!])
  if (extremes.low) saved.push(bucket.low)
  if (extremes.high) saved.push(bucket.high)
  if (keepsLast) saved.push(bucket.last, bucket.lastMs)
  return saved
}

function loadedBucket(layout: Layout, saved: Json): Bucket {
  const { name, needs, extremes, keepsLast } = layout
  const parts = readList(name, saved)
  let place = 0
  const next = () => parts[place++]
  const sumOf = (isNeeded: boolean) =>
    isNeeded ? summedUp(name, readNumbers(name, next())) : ([] as number[])
  const bucket = emptyBucket(needs)
  bucket.count = readCount(name, next())
  const loaded: Bucket = {
    ...bucket,
    sum: sumOf(needs.sum),
    squares: sumOf(needs.squares),
    values: needs.values
      ? new Set(readList(name, next()).map((value) => readValue(layout, value)))
      : null,
  }
  if (extremes.low) loaded.low = readNumber(name, next())
  if (extremes.high) loaded.high = readNumber(name, next())
  if (keepsLast) {
    loaded.last = readValue(layout, next() ?? null)
    loaded.lastMs = readNumber(name, next())
  }
  if (place !== parts.length) throw unreadable(name, 'has a bucket of another form')
  return loaded
}
