/** A source brings messages in. Each other file in this room is one source. */
import type { z } from 'zod'
import type { Batch } from '../core/batch.ts'
import type { Clock } from '../core/clock.ts'
import type { Part, PartDeclaration, PartUse } from '../core/part.ts'

/**
 * What a source can promise after a crash. `exact`: from a saved position it gives the same
 * messages again. `overlap`: it gives some again, with the same ids. `none`: what was not committed
 * is only there again if the sender sends it again.
 */
export type Replay = 'exact' | 'overlap' | 'none'

/** A raw message that the source could not read: it becomes a dead letter, its neighbours go on. */
export interface Unreadable {
  readonly id: string
  readonly raw: Buffer
  readonly reason: string
}

export interface SourceBatch {
  /**
   * The messages, each with its id in the header `millrace.id`; values are JSON unless the source
   * says otherwise. Topic, partition and offsets of the batch mean nothing.
   */
  readonly batch: Batch
  readonly unreadable: readonly Unreadable[]
  /** Small JSON (under 1 KB) from which `open` goes on behind this batch; commits with it. */
  readonly position: unknown
}

export interface SourceReader {
  /**
   * The next messages, at most `maxMessages` of them. Undefined: the end of a finite source, for
   * good. A source that waits (for a follower's next line, for its rate) resolves with an empty
   * batch after at most 100 ms, so that the caller can stop it. Called by one caller at a time.
   * Throws `SOURCE_UNREADABLE`; `TRY_LATER` codes are retried by the pipeline.
   */
  read(maxMessages: number): Promise<SourceBatch | undefined>
  /** Gives back what `open` took. Safe to call twice. */
  close(): Promise<void>
}

export interface SourceContext {
  /** What the last committed batch gave; undefined at the very start. */
  readonly position: unknown
  readonly clock: Clock
  /** Ends a wait promptly. */
  readonly signal: AbortSignal
  /** True: a source that would wait for what is yet to come ends at what is there. */
  readonly untilEnd?: boolean
  /** Messages a second instead of the source's own pace; Infinity: as fast as it goes. */
  readonly ratePerSecond?: number | undefined
}

export interface SourceDeclaration<Options extends z.ZodObject>
  extends PartDeclaration<Options, SourceContext, SourceReader> {
  readonly replay: Replay
}

export interface SourcePart<Options extends z.ZodObject>
  extends Part<Options, SourceContext, SourceReader> {
  readonly replay: Replay
}

/** A source in a pipeline; `Value` is what its messages hold. */
export interface SourceUse<out Value> extends PartUse<SourceContext, SourceReader> {
  readonly kind: 'source'
  readonly replay: Replay
  readonly '~reads'?: () => Value
}

/** Declares a source. */
export function defineSource<Options extends z.ZodObject>(
  declaration: SourceDeclaration<Options>,
): SourcePart<Options> {
  return { kind: 'source', ...declaration }
}
