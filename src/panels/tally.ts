/** What a measure needs to know of many messages; two tallies together are one of all their messages. */
import { conditionOf, fieldReader, type Reader } from './field.ts'
import type { Unit } from './panel-view.ts'

/** A checked measure. */
export type CheckedMeasure =
  | 'count'
  | { readonly [kind in 'mean' | 'sum' | 'min' | 'max']?: string }
  | { readonly share: Readonly<Record<string, unknown>> }

export class Tally {
  count = 0
  sum = 0
  min = Number.POSITIVE_INFINITY
  max = Number.NEGATIVE_INFINITY

  add(value: number): void {
    this.count++
    this.sum += value
    if (value < this.min) this.min = value
    if (value > this.max) this.max = value
  }

  addTally({ count, sum, min, max }: Tally): void {
    this.count += count
    this.sum += sum
    if (min < this.min) this.min = min
    if (max > this.max) this.max = max
  }
}

/** How a measure reads a message and what it makes of a tally. */
export interface Meter {
  readonly unit: Unit
  /** What of a message is tallied; undefined: nothing. */
  take(value: unknown): number | undefined
  /** Null where nothing was tallied. */
  result(tally: Tally): number | null
}

export function meterOf(measure: CheckedMeasure): Meter {
  if (measure === 'count') return { unit: 'count', take: () => 1, result: ({ count }) => count }
  if ('share' in measure) {
    const isMet = conditionOf(measure.share)
    return { unit: 'share', take: (value) => (isMet(value) ? 1 : 0), result: meanOf }
  }
  const [[kind, path]] = Object.entries(measure) as [[keyof typeof results, string]]
  return { unit: 'number', take: numberReader(fieldReader(path)), result: results[kind] }
}

const meanOf = ({ count, sum }: Tally) => (count === 0 ? null : sum / count)

const results = {
  mean: meanOf,
  sum: ({ sum }: Tally) => sum,
  min: ({ count, min }: Tally) => (count === 0 ? null : min),
  max: ({ count, max }: Tally) => (count === 0 ? null : max),
} as const

function numberReader(read: Reader): (value: unknown) => number | undefined {
  return (value) => {
    const found = read(value)
    return typeof found === 'number' && Number.isFinite(found) ? found : undefined
  }
}
