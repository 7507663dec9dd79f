/**
 * What users write: `aggregate('by-author', (over) => ({ posts: over.count(), score: over.mean((p) =>
 * p.score) }))`, and how it becomes one aggregator over whole messages.
 */
import { codeOf, fail, messageOf } from '../core/errors.ts'
import type { Aggregator, Json, Maybe, OrderMatters, Parts } from './aggregator.ts'
import { decayedCount, decayedMean, decayedSum } from './decayed.ts'
import { distinct } from './distinct.ts'
import { max, min, type Ordered } from './extremes.ts'
import { first, last } from './first-last.ts'
import { count, mean, type SpreadOptions, standardDeviation, sum, variance } from './moments.ts'
import { type Quantiles, quantile, quantiles } from './quantile.ts'
import { readFields, unreadable } from './saved.ts'
import { timeSince } from './time-since.ts'
import type { Scalar } from './value-hash.ts'

/** An aggregator and where it takes its values from: undefined leaves a message out. */
export interface Aggregate<in T, out Out> {
  readonly aggregator: Aggregator<unknown, Out>
  readonly value: (message: T) => unknown
}

type Numbers<Given> = (message: Given) => Maybe<number>

/**
 * Aggregates over messages. A value function gives what is counted of a message; null and undefined
 * leave the message out, NaN and what is of another kind make it a dead letter. `Given` is what a
 * `where` leaves of T.
 */
export interface Over<T, Given extends T = T> {
  /** Only messages of which this holds. */
  where<Narrow extends Given>(condition: (message: Given) => message is Narrow): Over<T, Narrow>
  where(condition: (message: Given) => boolean): Over<T, Given>
  /** How many messages; with a value function, how many of them have one. */
  count(value?: (message: Given) => unknown): Aggregate<T, number>
  /** Exact, then rounded once; 0 of nothing. */
  sum(value: Numbers<Given>): Aggregate<T, number>
  mean(value: Numbers<Given>): Aggregate<T, number | null>
  /** Of a sample (n - 1) unless told otherwise. */
  variance(value: Numbers<Given>, options?: SpreadOptions): Aggregate<T, number | null>
  /** Of a sample (n - 1) unless told otherwise. */
  standardDeviation(value: Numbers<Given>, options?: SpreadOptions): Aggregate<T, number | null>
  min<Value extends Ordered>(value: (message: Given) => Maybe<Value>): Aggregate<T, Value | null>
  max<Value extends Ordered>(value: (message: Given) => Maybe<Value>): Aggregate<T, Value | null>
  /** Of the earliest message by event time. What JSON can hold. */
  first<Value>(value: (message: Given) => Value): Aggregate<T, NonNullable<Value> | null>
  /** Of the latest message by event time. What JSON can hold. */
  last<Value>(value: (message: Given) => Value): Aggregate<T, NonNullable<Value> | null>
  /** How many different values: exact up to 384, then within about 1.6 %. */
  distinct(value: (message: Given) => Maybe<Scalar>): Aggregate<T, number>
  /** The value below which the share `q` lies: exact up to 400 values, then a t-digest. */
  quantile(q: number, value: Numbers<Given>): Aggregate<T, number | null>
  quantiles<const Shares extends readonly number[]>(
    shares: Shares,
    value: Numbers<Given>,
  ): Aggregate<T, Quantiles<Shares>>
  /** Sums in which a value weighs half as much with every half-life of event time. */
  decayedSum(halfLifeMs: number, value: Numbers<Given>): Aggregate<T, number>
  decayedCount(halfLifeMs: number): Aggregate<T, number>
  decayedMean(halfLifeMs: number, value: Numbers<Given>): Aggregate<T, number | null>
  /** Milliseconds since the message before. */
  timeSince(): Aggregate<T, number | null>
  /** An aggregator of your own. */
  with<In, Out, State>(
    aggregator: Aggregator<In, Out, State>,
    value: (message: Given) => In,
  ): Aggregate<T, Out>
}

/** What a definition gives: a name for each aggregate. */
export type Aggregates<T> = { readonly [field: string]: Aggregate<T, unknown> }

/** What is emitted: the results under these names. */
export type ResultsOf<Fields> = {
  readonly [Field in keyof Fields]: Fields[Field] extends Aggregate<never, infer Out> ? Out : never
}

/** What an aggregate of a definition is, for the plan and for what stored state belongs to. */
export interface FieldForm {
  readonly name: string
  readonly version: number
  readonly order: OrderMatters
}

export interface CompiledAggregate<T, Out> extends Aggregator<T, Out, unknown[]> {
  readonly fields: { readonly [field: string]: FieldForm }
  /** See `migrationOf`. */
  readonly parts: Parts['parts']
}

/** A message of every aggregate is counted by its being there. */
const present = () => true

/** The words a definition is written in. */
export function over<T>(): Over<T> {
  return overWhere<T>(null)
}

function overWhere<T>(condition: ((message: T) => boolean) | null): Over<T> {
  const of = <Out>(aggregator: unknown, value: (message: T) => unknown): Aggregate<T, Out> => ({
    // Its values are checked when they come.
    aggregator: aggregator as Aggregator<unknown, Out>,
    value:
      condition === null ? value : (message) => (condition(message) ? value(message) : undefined),
  })
  return {
    where: (other: (message: T) => boolean) =>
      overWhere<T>(condition === null ? other : (message) => condition(message) && other(message)),
    count: (value = present) => of(count(), value),
    sum: (value) => of(sum(), value),
    mean: (value) => of(mean(), value),
    variance: (value, options) => of(variance(options), value),
    standardDeviation: (value, options) => of(standardDeviation(options), value),
    min: (value) => of(min(), value),
    max: (value) => of(max(), value),
    first: (value) => of(first(), value),
    last: (value) => of(last(), value),
    distinct: (value) => of(distinct(), value),
    quantile: (q, value) => of(quantile(q), value),
    quantiles: (shares, value) => of(quantiles(shares), value),
    decayedSum: (halfLifeMs, value) => of(decayedSum(halfLifeMs), value),
    decayedCount: (halfLifeMs) => of(decayedCount(halfLifeMs), () => 1),
    decayedMean: (halfLifeMs, value) => of(decayedMean(halfLifeMs), value),
    timeSince: () => of(timeSince(), present),
    with: (aggregator, value) => of(aggregator, value),
  } as Over<T>
}

/**
 * One aggregator over messages, whose result has a field for each aggregate of the definition. A
 * message is added to all of them or, where one refuses it or a value function throws, to none.
 */
export function aggregateOf<T, const Fields extends Aggregates<T>>(
  definition: (over: Over<T>) => Fields,
): CompiledAggregate<T, ResultsOf<Fields>> {
  const fields = definition(over<T>())
  // By name, so that the order in which they are written is no part of the plan.
  const names = Object.keys(fields).sort()
  checkNames(names)
  const aggregators = names.map((field) => fields[field]!.aggregator)
  const valueFrom = names.map((field) => fields[field]!.value)
  const read = reader(names, aggregators, valueFrom)
  const forms = names.map((field, index): [string, FieldForm] => {
    const { name, version, order } = aggregators[index]!
    return [field, { name, version, order }]
  })
  const results = (states: unknown[], atMs: number) =>
    byName(names, (index) => aggregators[index]!.result(states[index], atMs))
  return {
    // With the versions of its parts, as its own state is only theirs.
    name: `{ ${forms.map(([field, { name, version }]) => `${field}: ${name} v${version}`).join(', ')} }`,
    version: 1,
    order: widest(aggregators),
    fields: Object.fromEntries(forms),
    parts: names.map((field, index) => [field, aggregators[index]!]),
    start: () => aggregators.map((aggregator) => aggregator.start()),
    check: (message) => {
      read(message)
    },
    add(states, message, timeMs) {
      const values = read(message)
      for (let index = 0; index < aggregators.length; index++) {
        states[index] = aggregators[index]!.add(states[index], values[index], timeMs)
      }
      return states
    },
    merge: (one, other) =>
      aggregators.map((aggregator, index) => aggregator.merge(one[index], other[index])),
    result: (states, atMs) => results(states, atMs) as ResultsOf<Fields>,
    save: (states) => byName(names, (index) => aggregators[index]!.save(states[index])),
    load: (saved) => loadFields(names, aggregators, saved),
  }
}

/** Gives the values of a message, all of them checked; the list is used again for the next. */
function reader<T>(
  names: readonly string[],
  aggregators: readonly Aggregator<unknown, unknown>[],
  valueFrom: readonly ((message: T) => unknown)[],
): (message: T) => readonly unknown[] {
  const values: unknown[] = aggregators.map(() => undefined)
  return (message) => {
    for (let index = 0; index < values.length; index++) values[index] = valueFrom[index]!(message)
    for (let index = 0; index < values.length; index++) {
      try {
        aggregators[index]!.check(values[index])
      } catch (cause) {
        const code = codeOf(cause)
        if (code === undefined) throw cause
        throw fail(code, `${names[index]}: ${messageOf(cause)}`, { cause })
      }
    }
    return values
  }
}

function loadFields(
  names: readonly string[],
  aggregators: readonly Aggregator<unknown, unknown>[],
  saved: Json,
): unknown[] {
  const fields = readFields('aggregate', saved)
  const unknown = Object.keys(fields).filter((field) => !names.includes(field))
  const missing = names.filter((field) => !Object.hasOwn(fields, field))
  if (unknown.length + missing.length > 0) {
    throw unreadable('aggregate', `has the fields ${Object.keys(fields).join(', ')}`)
  }
  return aggregators.map((aggregator, index) => aggregator.load(fields[names[index]!]!))
}

function byName<Value>(names: readonly string[], valueFrom: (index: number) => Value) {
  const record: Record<string, Value> = {}
  for (let index = 0; index < names.length; index++) record[names[index]!] = valueFrom(index)
  return record
}

function checkNames(names: readonly string[]): void {
  if (names.length === 0) {
    throw fail('PIPELINE_INVALID', 'aggregate: the definition gives nothing; name what to reckon')
  }
  if (names.includes('__proto__')) {
    throw fail('PIPELINE_INVALID', "aggregate: '__proto__' cannot be a field; choose another name")
  }
}

function widest(aggregators: readonly Aggregator<unknown, unknown>[]): OrderMatters {
  const orders = new Set(aggregators.map(({ order }) => order))
  return orders.has('nearly') ? 'nearly' : orders.has('ties') ? 'ties' : 'any'
}
