/**
 * Features from history, as users write them: `rolling.sum('amount', { by: 'card', over: '1h' })` is
 * what was spent with the card of a message in the hour up to it.
 */
import { type Duration, durationOption, durationText } from '../core/duration.ts'
import { fail } from '../core/errors.ts'
import type { Maybe } from '../transforms/aggregator.ts'
import type { RollingKind, RollingMeasure } from '../transforms/rolling-measures.ts'
import type { Scalar } from '../transforms/value-hash.ts'
import type { AnyTopic } from './definition.ts'
import { checkKeys, type Topic } from './topic.ts'

export interface RollingFeatureOptions<By extends string> {
  /** The field that messages have in common; where it is not said, their own key. */
  readonly by?: By
  /** How much time before the message counts. */
  readonly over: Duration
  /** Leaves out what came so shortly before the message, and the message itself. */
  readonly delay?: Duration
}

/** Of features that are reckoned from another topic. */
export interface FromTopic<Origin, There extends string> {
  /**
   * The topic whose messages are counted, by their own event time and not the time at which they came.
   * It is read to its end before anything is looked up in it, and what comes later goes before other
   * messages.
   */
  readonly from: Topic<Origin, never>
  /** The field that its messages have in common, where that is not called as `by` is. */
  readonly fromBy?: There
}

/** What of history a message gets; `T` is what the message has to have for it. */
export interface RollingFeature<in T, out Out> {
  readonly kind: 'rolling'
  /** The field whose values are reckoned with; undefined: messages are counted. */
  readonly field: string | undefined
  readonly by: string | undefined
  /** Undefined: messages are reckoned with themselves. */
  readonly from: { readonly topic: AnyTopic; readonly by: string | undefined } | undefined
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
/** Of another topic's field: of the message itself only the key is needed. */
type FeatureFrom<By extends string, Out> = RollingFeature<Having<By, never, never>, Out>
type OptionsFrom<
  By extends string,
  There extends string,
  Field extends string,
  Value,
> = RollingFeatureOptions<By> & FromTopic<Having<NoInfer<There>, NoInfer<Field>, Value>, There>

interface Rolling<Value, Out> {
  <const Field extends string, const By extends string = never, const There extends string = By>(
    field: Field,
    options: OptionsFrom<By, There, Field, Value>,
  ): FeatureFrom<NoInfer<By>, Out>
  <const Field extends string, const By extends string = never>(
    field: Field,
    options: RollingFeatureOptions<By>,
  ): Feature<NoInfer<By>, Field, Value, Out>
}

interface RollingCount {
  <const By extends string = never, const There extends string = By>(
    options: OptionsFrom<By, There, never, never>,
  ): FeatureFrom<NoInfer<By>, number>
  <const By extends string = never>(
    options: RollingFeatureOptions<By>,
  ): Feature<NoInfer<By>, never, never, number>
}

/**
 * Statistics of what came with the same key in the time before a message, the message included: those
 * with an event time in (t - delay - over, t - delay]. Sums are exact, variances those of a sample
 * (n - 1). Of nothing counts and sums are 0, all others null. Null and missing values are left out.
 *
 * @example
 * .add({
 *   spent1h: rolling.sum('amount', { by: 'card', over: '1h' }),
 *   payments1d: rolling.count({ by: 'card', over: '1d' }),
 *   risk: rolling.mean('fraud', { by: 'terminal', over: '30d', delay: '7d', from: labels }),
 * })
 */
export const rolling = {
  count: ((options: AnyOptions) => feature('count', undefined, options)) as RollingCount,
  sum: ofField<Maybe<number>, number>('sum'),
  mean: ofField<Maybe<number>, number | null>('mean'),
  variance: ofField<Maybe<number>, number | null>('variance'),
  standardDeviation: ofField<Maybe<number>, number | null>('standardDeviation'),
  min: ofField<Maybe<number>, number | null>('min'),
  max: ofField<Maybe<number>, number | null>('max'),
  /** How many different values, exactly: each is kept. */
  distinct: ofField<Maybe<Scalar>, number>('distinct'),
  /** The newest value by event time. */
  last: ofField<Maybe<Scalar>, Scalar | null>('last'),
} as const

type AnyOptions = RollingFeatureOptions<string> & Partial<FromTopic<unknown, string>>

function ofField<Value, Out>(kind: RollingKind): Rolling<Value, Out> {
  return (field: string, options: AnyOptions) => feature<unknown, Out>(kind, field, options)
}

function feature<T, Out>(
  kind: RollingKind,
  field: string | undefined,
  options: AnyOptions,
): RollingFeature<T, Out> {
  const where = `rolling.${kind}`
  checkKeys(where, options, ['by', 'over', 'delay', 'from', 'fromBy'])
  const { by, over, delay = 0, from, fromBy } = options
  checkField(`${where}: option 'by'`, by)
  checkField(`${where}: option 'fromBy'`, fromBy)
  if (fromBy !== undefined && from === undefined) {
    throw fail('OPTIONS_INVALID', `${where}: option 'fromBy' is of the topic that 'from' names`)
  }
  if (from !== undefined && (from as Partial<AnyTopic>).kind !== 'topic') {
    throw fail('OPTIONS_INVALID', `${where}: option 'from' is what topic('name') gave back`)
  }
  const overMs = durationOption(`${where}: option 'over'`, over, 1)
  const delayMs = durationOption(`${where}: option 'delay'`, delay)
  const origin = from && { topic: from as AnyTopic, by: fromBy ?? by }
  return { kind: 'rolling', field, by, from: origin, measure: { kind, overMs, delayMs } }
}

function checkField(where: string, name: unknown): void {
  if (name === undefined || typeof name === 'string') return
  throw fail('OPTIONS_INVALID', `${where} is the name of a field`)
}

/** For plans. */
export function rollingText({ kind, overMs, delayMs = 0 }: RollingMeasure): string {
  const delayed = delayMs === 0 ? '' : `, ${durationText(delayMs)} before`
  return `${kind} over ${durationText(overMs)}${delayed}`
}
