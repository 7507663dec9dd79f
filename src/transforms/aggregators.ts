/** Every aggregator there is, and what puts them together. */
export type { Aggregator, Json, Maybe, OrderMatters } from './aggregator.ts'
export { decayedCount, decayedMean, decayedSum } from './decayed.ts'
export { distinct } from './distinct.ts'
export { max, min, type Ordered } from './extremes.ts'
export { first, last } from './first-last.ts'
export { count, mean, type SpreadOptions, standardDeviation, sum, variance } from './moments.ts'
export {
  type Aggregate,
  type Aggregates,
  aggregateOf,
  type CompiledAggregate,
  type FieldForm,
  type Over,
  over,
  type ResultsOf,
} from './over.ts'
export { type Quantiles, quantile, quantiles } from './quantile.ts'
export { timeSince } from './time-since.ts'
export type { Scalar } from './value-hash.ts'
