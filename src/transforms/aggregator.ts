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
  /**
   * What `save` gave under an older version, as it would give it now; without it such state is refused.
   * May be called for the same state again and again.
   */
  readonly migrate?: ((saved: Json, fromVersion: number) => Json) | undefined
}

/** Aggregators of several versions that are saved together, by field. */
export interface Parts {
  readonly parts: readonly (readonly [field: string, aggregator: Aggregator<never, unknown>])[]
}

/**
 * How state of an aggregator whose name and version were `written` becomes that of this one. Undefined:
 * it is of another aggregator, of a newer one, or of one that says nothing of older state.
 */
export function migrationOf(
  aggregator: Aggregator<never, unknown> & Partial<Parts>,
  written: string,
): ((saved: Json) => Json) | undefined {
  const { parts = [['', aggregator]] } = aggregator
  const isOne = aggregator.parts === undefined
  const names = parts.map(([field, { name }]) => {
    return `${RegExp.escape(isOne ? name : `${field}: ${name}`)} v(\\d+)`
  })
  const all = isOne ? names[0]! : `\\{ ${names.join(', ')} \\} v${aggregator.version}`
  const versions = new RegExp(`^${all}$`).exec(written)?.slice(1).map(Number)
  if (versions === undefined) return undefined
  const isKnown = parts.every(([, { version, migrate }], index) => {
    const from = versions[index]!
    return from === version || (from < version && migrate !== undefined)
  })
  if (!isKnown) return undefined
  const brought = ([, { version, migrate }]: Parts['parts'][number], index: number, saved: Json) =>
    versions[index] === version ? saved : migrate!(saved, versions[index]!)
  if (isOne) return (saved) => brought(parts[0]!, 0, saved)
  return (saved) => {
    const fields = { ...(saved as { readonly [field: string]: Json }) }
    for (const [index, part] of parts.entries()) {
      if (Object.hasOwn(fields, part[0])) fields[part[0]] = brought(part, index, fields[part[0]]!)
    }
    return fields
  }
}

/** A value that may be missing. */
export type Maybe<Value> = Value | null | undefined
