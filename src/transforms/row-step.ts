/**
 * Steps over keyed state that let messages go on, each in the light of those with the same key that
 * came before it.
 */

import type { Json } from './aggregator.ts'
import type { KeyedState, StateForm } from './keyed-state.ts'
import type { WindowInput } from './window-step.ts'

/** Changes of a table in the order in which they came, by column. */
export interface TableInput {
  readonly count: number
  readonly keys: readonly string[]
  /** Null: the key was deleted. */
  readonly values: readonly Json[]
  readonly timesMs: ArrayLike<number>
}

/** What came of a timer that a user set for a key. */
export type CalledTimer = {
  readonly key: string
  /** For when it was set. */
  readonly timeMs: number
} & (
  | {
      /** What goes on. */
      readonly value: unknown
    }
  | {
      /** It threw, and changed nothing of this state. */
      readonly error: unknown
      readonly state: Json
    }
)

export type Called = (timer: CalledTimer) => void

export interface RowOutput {
  /** The message goes on as this. */
  passes(row: number, value: unknown): void
  /** One like it went on before. */
  duplicate(row: number): void
  /** It goes no further. */
  filtered(row: number): void
  /** What would have to be known for it was forgotten. */
  late(row: number): void
  /** Nothing was changed by it. */
  failed(row: number, error: unknown): void
  /** The timer of a key was called, between the messages told of before and those behind. */
  readonly called: Called
}

/** Serves one partition: its calls come one after the other, with the state of that partition. */
export interface RowStep<Value = unknown> {
  readonly form: StateForm<Value>
  /**
   * What an entry of a key says to whoever looks in; undefined: nothing. Where a step has not this, its
   * entries are told as they are stored.
   */
  told?(entry: Value): unknown
  /**
   * Takes messages in their order; each is told of once. All that is forgotten at `forgottenMs` was
   * forgotten here already, or is being.
   */
  take(
    state: KeyedState<Value>,
    input: WindowInput,
    forgottenMs: number,
    output: RowOutput,
  ): Promise<void>
  /** Of a step that looks things up in a table: takes changes of that in. */
  takeTable?(state: KeyedState<Value>, input: TableInput, forgottenMs: number): Promise<void>
  /** Of a step that reckons with messages of another topic: takes such in. */
  takeFrom?(
    state: KeyedState<Value>,
    input: WindowInput,
    forgottenMs: number,
    output: Pick<RowOutput, 'failed'>,
  ): Promise<void>
  /**
   * Forgets what no message asks for that is not late at `watermarkMs`. Looks at no more than `limit`
   * entries; true: there is more. Calls timers that are due.
   */
  forget(
    state: KeyedState<Value>,
    watermarkMs: number,
    limit: number,
    called?: Called,
  ): Promise<boolean>
  /**
   * Of a step with timers, where nothing comes any more: calls those that are set, from a place on ('':
   * the first). Where to go on; undefined: that was all.
   */
  end?(
    state: KeyedState<Value>,
    from: string,
    limit: number,
    called: Called,
  ): Promise<string | undefined>
}
