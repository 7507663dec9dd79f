/**
 * Keyed state as a step sees it, and how a step says in which form it is stored: what windows and
 * other steps that remember are written against, whatever keeps their state.
 */

/** Keyed state of one step in one partition, decoded, as the step sees it. Only its owner changes it. */
export interface KeyedState<Value> {
  /** Brings the values of keys here; they stay at least until the next `load`. */
  load(keys: Iterable<string>): Promise<void>
  /** Of a key that was loaded, scanned or set. What it gives is live: after a change it is set again. */
  get(key: string): Value | undefined
  /** The key need not have been loaded. The value may be the one that was there, changed. */
  set(key: string, value: Value): void
  /** The key need not have been loaded. */
  delete(key: string): void
  /**
   * Keys from `from` up to, not including, `to` in the order of their UTF-8 bytes, with what they have
   * now; they count as loaded. At most `limit`: fewer than that are all there are.
   */
  scan(from: string, to: string, limit: number): Promise<readonly (readonly [string, Value])[]>
}

/** How a step's values are written: plain JSON bytes. */
export interface StateForm<Value> {
  /**
   * What stored state belongs to: kind of window and its parameters, aggregator names and versions.
   * State of another name is refused by the pipeline, never guessed at.
   */
  readonly name: string
  /** Of the form that `encode` gives; raised when that changes. */
  readonly version: number
  encode(value: Value): Uint8Array
  /** Throws STATE_UNREADABLE. */
  decode(bytes: Buffer): Value
  /**
   * Reads what was written in another form, and gives it as this one has it; undefined, or not there:
   * it cannot, so such state is refused.
   */
  older?(written: StateName): Pick<StateForm<Value>, 'decode'> | undefined
}

export type StateName = Pick<StateForm<unknown>, 'name' | 'version'>
