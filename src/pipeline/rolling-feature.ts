/**
 * Features from history, as users write them: `rolling.sum('amount', { by: 'card', over: '1h' })` is
 * what was spent with the card of a message in the hour up to it.
 */
import { type Duration, durationOption, durationText } from '../core/duration.ts'
import { fail } from '../core/errors.ts'
import type { Maybe } from '../transforms/aggregator.ts'
import type { RollingKind, RollingMeasure } from '../transforms/rolling-measures.ts'
import type { Scalar } from '../transforms/value-hash.ts'
import { checkKeys } from './topic.ts'

export interface RollingFeatureOptions<By extends string> {
  /** The field that messages have in common; where it is not said, their own key. */
  readonly by?: By
  /** How much time before the message counts. */
  readonly over: Duration
  /** Leaves out what came so shortly before the message, and the message itself. */
  readonly delay?: Duration
}

/** What of history a message gets; `T` is what the message has to have for it. */
export interface RollingFeature<in T, out Out> {
  readonly kind: 'rolling'
  /** The field whose values are reckoned with; undefined: messages are counted. */
  readonly field: string | undefined
  readonly by: string | undefined
  readonly measure: RollingMeasure
  readonly '~takes'?: (value: T) => void
  readonly '~gives'?: () => Out
}

type KeyValue = string | number | bigint | boolean
type Having<By extends string, Field extends string, Value> = {
  readonly [Name in By]: KeyValue
} & { readonly [Name in Field]: Value }

type Feature<By extends string, Field extends string, Value, Out> = RollingFeature<
  Having<By, Field, Value>,
  Out
>
type Numeric<Out> = <const Field extends string, const By extends string = never>(
  field: Field,
  options: RollingFeatureOptions<By>,
) => Feature<By, Field, Maybe<number>, Out>

/**
 * Statistics of what came with the same key in the time before a message, the message included: those
 * with an event time in (t - delay - over, t - delay]. Sums are exact, variances those of a sample
 * (n - 1). Of nothing counts and sums are 0, all others null. Null and missing values are left out.
 *
 * @example
 * .add({
 *   spent1h: rolling.sum('amount', { by: 'card', over: '1h' }),
 *   payments1d: rolling.count({ by: 'card', over: '1d' }),
 *   fraud30d: rolling.mean('fraud', { by: 'terminal', over: '30d', delay: '7d' }),
 * })
 */
export const rolling = {
  count: <const By extends string = never>(
    options: RollingFeatureOptions<By>,
  ): Feature<By, never, never, number> => feature('count', undefined, options),
  sum: numeric<number>('sum'),
  mean: numeric<number | null>('mean'),
  variance: numeric<number | null>('variance'),
  standardDeviation: numeric<number | null>('standardDeviation'),
  min: numeric<number | null>('min'),
  max: numeric<number | null>('max'),
  /** How many different values, exactly: each is kept. */
  distinct: <const Field extends string, const By extends string = never>(
    field: Field,
    options: RollingFeatureOptions<By>,
  ): Feature<By, Field, Maybe<Scalar>, number> => feature('distinct', field, options),
  /** The newest value by event time. */
  last: <const Field extends string, const By extends string = never>(
    field: Field,
    options: RollingFeatureOptions<By>,
  ): Feature<By, Field, Maybe<Scalar>, Scalar | null> => feature('last', field, options),
} as const

function numeric<Out>(kind: RollingKind): Numeric<Out> {
  return (field, options) => feature(kind, field, options)
}

function feature<T, Out>(
  kind: RollingKind,
  field: string | undefined,
  options: RollingFeatureOptions<string>,
): RollingFeature<T, Out> {
  const where = `rolling.${kind}`
  checkKeys(where, options, ['by', 'over', 'delay'])
  const { by, over, delay = 0 } = options
  if (by !== undefined && typeof by !== 'string') {
    throw fail('OPTIONS_INVALID', `${where}: option 'by' is the name of a field`)
  }
  const overMs = durationOption(`${where}: option 'over'`, over, 1)
  const delayMs = durationOption(`${where}: option 'delay'`, delay)
  return { kind: 'rolling', field, by, measure: { kind, overMs, delayMs } }
}

/** For plans. */
export function rollingText({ kind, overMs, delayMs = 0 }: RollingMeasure): string {
  const delayed = delayMs === 0 ? '' : `, ${durationText(delayMs)} before`
  return `${kind} over ${durationText(overMs)}${delayed}`
}
