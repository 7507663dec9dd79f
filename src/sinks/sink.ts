/** A sink carries messages out of the platform. Each other file in this room is one sink. */
import type { z } from 'zod'
import type { Batch } from '../core/batch.ts'
import type { Clock } from '../core/clock.ts'
import { type Part, type PartDeclaration, type PartUse, usePart } from '../core/part.ts'

export interface Sink {
  /**
   * Resolves, with the position to commit, once every message is safe at the destination.
   * Serial within a partition, concurrent across partitions; the same message can come again after a
   * crash, always with the same id and version (core/identity.ts reads both). A null value deletes.
   * Throws an error with the order `try-later` to get the whole batch again, `refused` to give up on
   * the named messages only: then all others of the batch are safe, and `position()` is to be committed.
   */
  write(batch: Batch): Promise<SinkPosition | undefined>
  /** Where the destination stands now; committed before the first write, and after a refusal. */
  position(): SinkPosition | undefined
  /** Gives back what `open` took. Safe to call twice. */
  close(): Promise<void>
}

/** Small JSON (under 1 KB) that commits together with the offsets: a file's length, an upload's intent. */
export type SinkPosition = unknown

export interface SinkContext {
  /** What the last committed write gave; undefined at the very start. */
  readonly position: SinkPosition | undefined
  /** The partition whose messages come, for sinks with something of its own per partition. */
  readonly partition: number
  /** MILLRACE_DIR, for a destination that lives there unless told otherwise. */
  readonly directory: string
  readonly clock: Clock
  readonly signal: AbortSignal
}

export interface SinkTraits {
  /**
   * `keyed`: writing a message again changes nothing, an older version never replaces a newer.
   * `positioned`: the destination is cut back to the committed position, so nothing is there twice.
   */
  readonly delivery: 'keyed' | 'positioned'
  /** True: all partitions are written through one open sink, in one process. */
  readonly single: boolean
}

interface Forgetful<Options extends z.ZodObject> {
  /** What only one sink at a time can write to, if it is that: a pipeline is refused a second. */
  destination?(options: z.output<Options>): string
  /**
   * Empties the destination of what this sink wrote, when a pipeline starts over: called only where
   * it did write, while nobody has it open. Harmless a second time.
   */
  forget(options: z.output<Options>, context: { readonly directory: string }): Promise<void>
}

export interface SinkPart<Options extends z.ZodObject>
  extends Part<Options, SinkContext, Sink>,
    SinkTraits,
    Forgetful<Options> {}

/** A sink in a pipeline; it takes any value that can be written as JSON. */
export interface SinkUse extends PartUse<SinkContext, Sink>, SinkTraits {
  readonly kind: 'sink'
  readonly destination: string | undefined
  forget(context: { readonly directory: string }): Promise<void>
}

/** Declares a sink. */
export function defineSink<Options extends z.ZodObject>(
  declaration: PartDeclaration<Options, SinkContext, Sink> & SinkTraits & Forgetful<Options>,
): SinkPart<Options> {
  return { kind: 'sink', ...declaration }
}

/** A sink with its options checked, for a pipeline. Throws `OPTIONS_INVALID`. */
export function useSink<Options extends z.ZodObject>(
  part: SinkPart<Options>,
  options: z.input<Options>,
): SinkUse {
  const use = usePart(part, options)
  return {
    ...use,
    ...{ kind: 'sink', delivery: part.delivery, single: part.single },
    destination: part.destination?.(use.options as z.output<Options>),
    forget: (context) => part.forget(use.options as z.output<Options>, context),
  }
}
