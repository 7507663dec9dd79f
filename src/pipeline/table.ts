/** A topic read as a table: of each key its newest value. */
import { type Duration, durationOption, durationText } from '../core/duration.ts'
import { fail } from '../core/errors.ts'
import type { RowStep } from '../transforms/row-step.ts'
import { TableStep } from '../transforms/table-step.ts'
import { check } from './decode.ts'
import type { AnyTopic, KeyedRowStep } from './definition.ts'
import { checkKeys, type Topic } from './topic.ts'

export interface TableOptions {
  /**
   * Messages get the value that held at their own time, when they are at most so far behind the
   * watermark; older ones are late. For topics that keep what was before: not for compacted ones.
   * Else they get the newest there is.
   */
  readonly asOf?: Duration
}

/** What messages can be joined with by their key. */
export interface Table<out T> {
  readonly kind: 'table'
  readonly topic: AnyTopic
  readonly asOfMs: number | undefined
  readonly '~reads'?: () => T
}

/**
 * Reads a topic as a table, deletes included: mostly a compacted one. Its messages have the keys that it
 * is joined by, and lie in the partitions where Kafka's own clients put them. It is read to its end
 * before anything is looked up in it, and what comes later goes before other messages.
 *
 * @example
 * .keyBy((order) => order.customer).join('customer', table(customers))
 * .keyBy((order) => order.currency).join('rate', table(rates, { asOf: '1d' }))
 */
export function table<T>(topic: Topic<T, never>, options: TableOptions = {}): Table<T> {
  const where = `table ${topic.name}`
  checkKeys(where, options, ['asOf'])
  const asOfMs =
    options.asOf === undefined ? undefined : durationOption(`${where}: option 'asOf'`, options.asOf)
  if (asOfMs !== undefined && topic.settings.cleanup === 'compact') {
    const words = `${where}: option 'asOf': a compacted topic forgets what held before; declare it without cleanup: 'compact'`
    throw fail('OPTIONS_INVALID', words)
  }
  return { kind: 'table', topic: topic as AnyTopic, asOfMs }
}

/** The step that looks up in it. */
export function tableStep(
  field: string,
  { kind, topic, asOfMs }: Table<unknown>,
  late: AnyTopic | undefined,
): KeyedRowStep {
  if (kind !== 'table') {
    const words = `join '${field}': by a key messages are joined with table(topic)`
    throw fail('PIPELINE_INVALID', words)
  }
  const { schema } = topic
  const decode = (value: unknown) => (schema === undefined ? value : check(schema, value))
  const when = asOfMs === undefined ? '' : ` as of a message's time, ${durationText(asOfMs)} late`
  return {
    ...({ kind: 'keyed', name: field, what: `looked up in table ${topic.name}${when}` } as const),
    make: () => new TableStep({ field, asOfMs, decode }) as RowStep,
    ...{ late, table: topic },
  }
}
