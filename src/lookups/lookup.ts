/**
 * A look-up asks another system what it knows of a key. Each other part in this room asks one kind of
 * system. Waiting, trying again, remembering answers and counting are the pipeline's, for all parts.
 */
import type { z } from 'zod'
import type { Clock } from '../core/clock.ts'
import { type Part, type PartDeclaration, type PartUse, usePart } from '../core/part.ts'
import type { Schema } from '../core/schema.ts'

export type KeyField = string | number | bigint | boolean

/** What is looked up by; a list where a key has several fields. */
export type LookupKey = KeyField | readonly KeyField[]

/** One call of `find`. */
export interface Asking {
  /** What is known of the key with this index; null or undefined: nothing. Once for each key. */
  answer(index: number, value: unknown): void
  /** Ends the call promptly; it may then end in any way. */
  readonly signal: AbortSignal
}

export interface Lookup {
  /**
   * Answers keys that all differ, at most `maxKeys` of them, in any order, and resolves once all are
   * answered. Called concurrently; the same key may be asked for again at any time.
   * Throws an error with the order `try-later`: those not answered by then are asked for again;
   * `refused`, which names keys by their index: all others are answered by then.
   */
  find(keys: readonly LookupKey[], asking: Asking): Promise<void>
  /** Gives back what `open` took. Safe to call twice, and ends what is under way. */
  close(): Promise<void>
}

/** A service that speaks HTTP, as the environment describes it. It holds no secret. */
export interface HttpConnection {
  /** Without a slash at the end. */
  readonly url: string
  /** As node:tls takes it. */
  readonly tls?: object
  /** Asked for anew with each request, so that what was renewed is taken up. */
  headers(): Promise<Readonly<Record<string, string>>>
}

/** A Postgres database, as the environment describes it. It holds no secret. */
export interface PostgresConnection {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  /** Asked for anew with each connection. Undefined: there is none. */
  readonly password?: () => Promise<string>
  /** As node:tls takes it. Undefined: no encryption. */
  readonly tls?: object
}

export interface Connections {
  readonly http: HttpConnection
  readonly postgres: PostgresConnection
}

export interface ConnectionNeeded {
  readonly kind: keyof Connections
  readonly name: string
}

export interface LookupContext {
  readonly clock: Clock
  /** Ends `open` and all that waits. */
  readonly signal: AbortSignal
  /** A connection by its name in the environment. Throws `CONFIG_INVALID` where there is none of that kind. */
  connection<Kind extends keyof Connections>(kind: Kind, name: string): Promise<Connections[Kind]>
}

interface Traits<Options extends z.ZodObject> {
  /** So many keys at most are asked for in one call of `find`. */
  maxKeys(options: z.output<Options>): number
  /** The connection of the environment that `open` asks for, if it does. */
  connects?(options: z.output<Options>): ConnectionNeeded | undefined
  /** Where it looks, for the plan and for people; no secrets, nothing that differs by message. */
  place(options: z.output<Options>): string
}

export interface LookupPart<Options extends z.ZodObject>
  extends Part<Options, LookupContext, Lookup>,
    Traits<Options> {}

/** A look-up in a pipeline: asked for a `Key`, it gives a `Value` or nothing. */
export interface LookupUse<in Key extends LookupKey, out Value>
  extends PartUse<LookupContext, Lookup> {
  readonly kind: 'lookup'
  readonly maxKeys: number
  readonly place: string
  /** Undefined: it needs none of the environment. */
  readonly connection?: ConnectionNeeded | undefined
  /** What each value has to fit; its output is what goes on. */
  readonly schema: Schema | undefined
  readonly '~asks'?: (key: Key) => void
  readonly '~gives'?: () => Value
}

/** Declares a look-up. */
export function defineLookup<Options extends z.ZodObject>(
  declaration: PartDeclaration<Options, LookupContext, Lookup> & Traits<Options>,
): LookupPart<Options> {
  return { kind: 'lookup', ...declaration }
}

/** A look-up with its options checked, for a pipeline. Throws `OPTIONS_INVALID`. */
export function useLookup<Options extends z.ZodObject, Value = unknown>(
  part: LookupPart<Options>,
  options: z.input<Options>,
): LookupUse<LookupKey, Value> {
  const use = usePart(part, options)
  const checked = use.options as z.output<Options>
  return {
    ...use,
    kind: 'lookup',
    maxKeys: part.maxKeys(checked),
    place: part.place(checked),
    connection: part.connects?.(checked),
    schema: (checked as { readonly schema?: Schema }).schema,
  }
}
