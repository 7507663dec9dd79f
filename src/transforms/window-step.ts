/**
 * Windows over keyed state: what a pipeline's step does with its messages. It takes them in by the
 * batch, closes windows as the watermark goes on, and holds nothing that is not in the state, so that
 * after a crash another step goes on from there.
 */
import type { Aggregator } from './aggregator.ts'
import type { KeyedState, StateForm } from './keyed-state.ts'
import type { Window } from './window.ts'
import { isAligned } from './window-assign.ts'
import { AlignedStep } from './window-step-aligned.ts'
import { SessionStep } from './window-step-session.ts'
import { SlidingStep } from './window-step-sliding.ts'

/** Messages in the order in which they came, by column. */
export interface WindowInput {
  readonly count: number
  /** Well-formed text. */
  readonly keys: readonly string[]
  readonly values: readonly unknown[]
  /** Whole milliseconds. */
  readonly timesMs: ArrayLike<number>
  /** The watermark before each message, of the partition it came from. */
  readonly watermarksMs: ArrayLike<number>
}

export interface WindowResult {
  readonly key: string
  readonly startMs: number
  /** The first millisecond behind it; of sliding and session windows the last one in it. */
  readonly endMs: number
  /** How many messages it has taken. */
  readonly revision: number
  /** What the aggregator gave. */
  readonly value: unknown
}

/** What becomes of messages, and what comes out: each row that is not told of was taken. */
export interface WindowOutput {
  /** All windows that could take it are closed. */
  late(row: number): void
  /** The aggregate refused it; nothing was changed by it. */
  failed(row: number, error: unknown): void
  result(result: WindowResult): void
  /**
   * The id of a session that was given up, because it has an earlier beginning now or became part of
   * another: what was emitted under it is to be deleted. `revision` is above all that it had.
   */
  gone(key: string, startMs: number, revision: number): void
}

/** Serves one partition: its calls come one after the other, with the state of that partition. */
export interface WindowStep<Value = unknown> {
  readonly form: StateForm<Value>
  /**
   * How much later than its end a window closes: results still to come have an end above the
   * watermark minus this, so that is the watermark that goes on.
   */
  readonly closesAfterMs: number
  /**
   * Takes messages in. With emit 'current', every window that changed gives one result at the end of
   * the call. All that closes up to `closedMs` was closed here already, or is being closed: what only
   * those windows could take is late too.
   */
  take(
    state: KeyedState<Value>,
    input: WindowInput,
    closedMs: number,
    output: WindowOutput,
  ): Promise<void>
  /**
   * Closes what is closed at `watermarkMs`: gives its final result (not where emit is 'current' and
   * that revision was emitted already), and forgets it. Looks at no more than `limit` entries of the
   * state; true: there is more, so call again before the watermark moves on. Scans only where
   * something may close.
   */
  close(
    state: KeyedState<Value>,
    watermarkMs: number,
    limit: number,
    output: WindowOutput,
  ): Promise<boolean>
  /**
   * The inputs ended: gives the results of all open windows whose revision was not emitted yet and
   * remembers that, but keeps them: more may come in a later run. `from` is '' at first, then what
   * the call before gave; undefined: that was all.
   */
  flush(
    state: KeyedState<Value>,
    from: string,
    limit: number,
    output: WindowOutput,
  ): Promise<string | undefined>
}

/** Serves one partition; every partition has its own. */
export function windowStep(window: Window, aggregator: Aggregator<unknown, unknown>): WindowStep {
  if (isAligned(window)) return new AlignedStep(window, aggregator) as WindowStep
  if (window.kind === 'session') return new SessionStep(window, aggregator) as WindowStep
  return new SlidingStep(window, aggregator) as WindowStep
}
