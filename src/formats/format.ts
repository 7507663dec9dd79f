/** A format says how the values of a topic stand in its bytes. Each other part in this room is one. */
import type { z } from 'zod'
import type { Batch } from '../core/batch.ts'
import { type Part, type PartDeclaration, type PartUse, usePart } from '../core/part.ts'
import type { SchemaRegistry } from './registry.ts'

/**
 * Values and bytes of one topic. A value is what JSON can hold, whatever the format: so joins, sinks,
 * dead letters and schemas mean the same for all of them. A null value (a delete) never comes here.
 */
export interface Codec {
  /**
   * Fetches the schemas that messages of this batch name and that are not known yet. Undefined when
   * nothing is to be fetched, which is so for almost every batch. A schema that does not exist is
   * remembered for a while: its messages are then refused by `decode`, one by one. Throws with the
   * order `try-later` while the registry is away, and `misconfigured` when it lets nobody in.
   */
  prepare(batch: Batch): Promise<void> | undefined
  /** The value in these bytes, for a message of a prepared batch. Throws with the order `refused`. */
  decode(bytes: Buffer, start: number, end: number): unknown
  /**
   * The bytes of a value. They are the codec's own and hold until the next call. Throws with the
   * order `refused`, naming the field, where a value does not fit.
   */
  encode(value: unknown): Buffer
  /** Gives back what `open` took. Safe to call twice. */
  close(): Promise<void>
}

export interface FormatContext {
  readonly registry: SchemaRegistry
  /** The topic as the log calls it, a prefix included. */
  readonly topic: string
  /** True: values will be written too, so there has to be a schema to write with. */
  readonly writes: boolean
  /** Milliseconds since 1970; given by tests. */
  readonly now?: () => number
}

export type FormatPart<Options extends z.ZodObject> = Part<Options, FormatContext, Codec>

/** A format in the declaration of a topic. `open` throws `SCHEMA_...` when it cannot be used so. */
export interface Format extends PartUse<FormatContext, Codec> {
  readonly kind: 'format'
}

/** Declares a format. */
export function defineFormat<Options extends z.ZodObject>(
  declaration: PartDeclaration<Options, FormatContext, Codec>,
): FormatPart<Options> {
  return { kind: 'format', ...declaration }
}

/** A format with its options checked, for a topic. Throws `OPTIONS_INVALID`. */
export function useFormat<Options extends z.ZodObject>(
  part: FormatPart<Options>,
  options: z.input<Options>,
): Format {
  return { ...usePart(part, options), kind: 'format' }
}
