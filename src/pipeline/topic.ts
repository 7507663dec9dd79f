/** A topic as an application declares it: its name, what its values look like, and their keys and times. */
import { fail, suggestion } from '../core/errors.ts'
import type { Schema, Types } from '../core/schema.ts'
import type { Format } from '../formats/format.ts'
import type { TopicSettings } from '../log/log.ts'

/** Something that a pipeline reads from; `T` is what its steps get. */
export interface Readable<out T> {
  readonly name: string
  readonly '~reads'?: () => T
}

/** Something that a pipeline writes to; `T` is what it takes. */
export interface Writable<in T> {
  readonly name: string
  readonly '~writes'?: (value: T) => void
}

/**
 * A topic stores its schema's input, as JSON or in its format: `.to` takes the input type, `.from`
 * gives the output type, and values are validated on write and on read.
 */
export interface Topic<out Out, in In = Out> extends Readable<Out>, Writable<In> {
  readonly kind: 'topic'
  readonly schema: Schema | undefined
  /** The key of a value, from what the schema's output holds; undefined keeps the message's own key. */
  readonly key: ((value: never) => string | null) | undefined
  /** Event time: a date, ISO text or milliseconds since the epoch; undefined keeps the message's own. */
  readonly time: ((value: never) => Date | string | number) | undefined
  /** How values stand in the bytes; undefined: as JSON. */
  readonly format: Format | undefined
  readonly settings: Partial<TopicSettings>
}

export interface TopicOptions<Out> extends Partial<TopicSettings> {
  /** The key of a value: messages with one key keep their order. Without it a message keeps its key. */
  readonly key?: (value: Out) => string | null
  /** Event time of a value. Without it a message keeps its time. */
  readonly time?: (value: Out) => Date | string | number
  /** How values stand in the bytes: avro(), protobuf(), jsonSchema(). Default: as JSON. */
  readonly format?: Format
}

/**
 * Declares a topic. With a schema (zod, valibot, arktype: any Standard Schema) its values are
 * checked; without one the type argument is believed.
 *
 * @example
 * const posts = topic('posts', { schema: Post, key: (post) => post.author, partitions: 8 })
 * const orders = topic('orders', { schema: Order, format: avro({ schema: { type: 'record', ... } }) })
 */
export function topic<S extends Schema>(
  name: string,
  options: TopicOptions<Types<S>['output']> & { readonly schema: S },
): Topic<Types<S>['output'], Types<S>['input']>
export function topic<T = unknown>(name: string, options?: TopicOptions<T>): Topic<T>
export function topic(
  name: string,
  options: TopicOptions<never> & { readonly schema?: Schema } = {},
): Topic<unknown, never> {
  checkName('topic', name)
  checkKeys(`topic ${name}`, options, topicKeys)
  const { schema, key, time, format, ...settings } = options
  checkFormat(`topic ${name}`, format)
  return { kind: 'topic', name, schema, key, time, format, settings }
}

const topicKeys = [
  ...['schema', 'key', 'time', 'format', 'partitions', 'cleanup', 'retentionMs', 'retentionBytes'],
  ...['maxMessageBytes', 'compression'],
]

/** Throws `OPTIONS_INVALID`, which begins with `where`. */
export function checkFormat(where: string, format: Format | undefined): void {
  if (format === undefined || (format as Partial<Format> | null)?.kind === 'format') return
  throw fail(
    'OPTIONS_INVALID',
    `${where}: option 'format' is one of avro(), protobuf(), jsonSchema()`,
  )
}

/** Refuses an option that there is not, with the nearest that there is. */
export function checkKeys(where: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((key) => !known.includes(key))
  if (unknown === undefined) return
  const hint = suggestion(unknown, known) || `known: ${known.join(', ')}`
  throw fail('OPTIONS_INVALID', `${where}: unknown option '${unknown}', ${hint}`)
}

/** Names follow Kafka's rule, so that what works on a laptop works on a cluster. */
export function checkName(what: string, name: string): void {
  if (typeof name === 'string' && /^[\w.-]{1,249}$/.test(name) && !/^\.\.?$/.test(name)) return
  throw fail(
    'NAME_INVALID',
    `${what} ${JSON.stringify(name)}: use letters, digits, '.', '_' and '-', at most 249 of them`,
  )
}
