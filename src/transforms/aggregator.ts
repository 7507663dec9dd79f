/**
 * The contract of aggregates: how many values become one, as plain data that can be saved, merged and
 * read at any time. Pure arithmetic: no clock, no random, nothing that a second run would not repeat.
 */

/** What a state is saved as. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [field: string]: Json }

/**
 * What the order in which values came, and the grouping in which they were merged, can change:
 * - `any`: nothing. The result is a function of the values and their times, to the last bit.
 * - `ties`: only which of several values of the same time is meant.
 * - `nearly`: the result, within the error that the aggregator states.
 */
export type OrderMatters = 'any' | 'ties' | 'nearly'

/**
 * null and undefined are no values: every aggregator leaves them out, as SQL does. NaN, infinite
 * numbers and what is not of the declared kind are refused, because they would poison all that comes
 * after them. A result is finite, or null where there is nothing to tell it from.
 */
export interface Aggregator<In, Out, State = unknown> {
  /** Of its kind and parameters: part of the plan, and of what stored state belongs to. */
  readonly name: string
  /** Of the form that `save` gives; raised when that changes. */
  readonly version: number
  readonly order: OrderMatters
  start(): State
  /**
   * Throws what is wrong with a value. `add` throws the same, before it has changed anything; a value
   * that passes here never fails there, so that several aggregates take a message all or none.
   */
  check(value: In): void
  /** Adds a message's value; may change and return the state that it is given. */
  add(state: State, value: In, timeMs: number): State
  /** The same as if the values of `other` had been added to `one` after its own. Both may be used up. */
  merge(one: State, other: State): State
  /** Changes nothing that a later result shows. What it returns must not be changed: it may be held on. */
  result(state: State, atMs: number): Out
  /** Small, and JSON (bytes in base64). A state that was loaded goes on as the saved one would have. */
  save(state: State): Json
  /** Throws STATE_UNREADABLE where it is not what `save` gave. */
  load(saved: Json): State
}

/** A value that may be missing. */
export type Maybe<Value> = Value | null | undefined
