/**
 * Windows and aggregates as pure arithmetic: to be used on messages in memory, in scripts, summaries
 * and the preparation of training data.
 */
export type { Aggregator, Json, OrderMatters } from './aggregator.ts'
export * from './aggregators.ts'
export type { KeyedState, StateForm } from './keyed-state.ts'
export {
  type Aggregate,
  type Aggregates,
  aggregateOf,
  type CompiledAggregate,
  type Over,
  over,
  type ResultsOf,
} from './over.ts'
export * from './rolling.ts'
export * from './rolling-step.ts'
export * from './watermark.ts'
export * from './window.ts'
export * from './window-assign.ts'
export * from './window-id.ts'
export * from './window-session.ts'
export * from './window-sliding.ts'
export * from './window-step.ts'
