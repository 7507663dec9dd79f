/** All topics of a log whose names match a pattern, as one input: which they are is looked up as it runs. */
import { fail } from '../core/errors.ts'
import type { Schema, Types } from '../core/schema.ts'
import type { Format } from '../formats/format.ts'
import { isInternalName } from './internal-names.ts'
import { checkFormat, checkKeys, type Readable, type Topic } from './topic.ts'

/** Topics that are alike, by a pattern of their names; `Out` is what steps get of each message. */
export interface Topics<out Out> extends Readable<Out> {
  readonly kind: 'topics'
  readonly pattern: RegExp
  readonly schema: Schema | undefined
  readonly format: Format | undefined
  /** How often it is looked for topics that came or went. */
  readonly refreshMs: number
}

export interface TopicsOptions {
  /** How values stand in the bytes, of all the topics. Default: as JSON. */
  readonly format?: Format
  /** How often it is looked for topics that came or went, or got more partitions. Default: 30,000. */
  readonly refreshMs?: number
}

const defaultRefreshMs = 30_000

/**
 * Reads all topics whose names match, those too that come later: each from its first message, unless
 * the pipeline begins elsewhere. As everywhere in JavaScript a pattern matches anywhere in the name:
 * bound it with ^ and $. Topics that Millrace makes for itself, names that begin with `__` and what
 * the pipeline itself writes are left out. A step's second parameter says which topic a message is of.
 *
 * @example
 * pipeline('all-orders')
 *   .from(topicsMatching(/^orders-/, { schema: Order }))
 *   .map('with-shop', (order, message) => ({ ...order, shop: message.topic.slice('orders-'.length) }))
 *   .to(orders)
 */
export function topicsMatching<S extends Schema>(
  pattern: RegExp,
  options: TopicsOptions & { readonly schema: S },
): Topics<Types<S>['output']>
export function topicsMatching<T = unknown>(pattern: RegExp, options?: TopicsOptions): Topics<T>
export function topicsMatching(
  pattern: RegExp,
  options: TopicsOptions & { readonly schema?: Schema } = {},
): Topics<unknown> {
  if (!(pattern instanceof RegExp)) {
    const hint = 'give a regular expression, such as /^orders-/'
    throw fail(
      'OPTIONS_INVALID',
      `topicsMatching: ${JSON.stringify(pattern)} is no pattern; ${hint}`,
    )
  }
  const where = `topicsMatching ${pattern}`
  checkKeys(where, options, ['schema', 'format', 'refreshMs'])
  const { schema, format, refreshMs = defaultRefreshMs } = options
  checkFormat(where, format)
  if (!(refreshMs >= 1)) {
    throw fail(
      'OPTIONS_INVALID',
      `${where}: refreshMs is ${refreshMs}; give milliseconds, 1 or more`,
    )
  }
  // Those that remember where they stood would match every other time.
  const plain = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''))
  return { kind: 'topics', name: String(plain), pattern: plain, schema, format, refreshMs }
}

/** True for a topic that the pattern takes in; `own` are those that the pipeline writes. */
export function isMatch(pattern: RegExp, name: string, own: readonly string[]): boolean {
  return pattern.test(name) && !isInternalName(name) && !own.includes(name)
}

/** One of the topics, as if it had been declared by its name. */
export function oneOf({ schema, format }: Topics<unknown>, name: string): Topic<unknown, never> {
  return { kind: 'topic', name, schema, format, key: undefined, time: undefined, settings: {} }
}
