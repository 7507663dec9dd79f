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
  /**
   * The table is read to its end before anything is looked up in it, and what comes later goes before
   * other messages: for tables whose times mean nothing, such as a list that was loaded only now.
   */
  readonly readFirst?: boolean
}

/** What messages can be joined with by their key. */
export interface Table<out T> {
  readonly kind: 'table'
  readonly topic: AnyTopic
  readonly asOfMs: number | undefined
  readonly isReadFirst: boolean
  readonly '~reads'?: () => T
}

/**
 * Reads a topic as a table, deletes included: mostly a compacted one. Its messages have the keys that it
 * is joined by, and lie in the partitions where Kafka's own clients put them. It is read in event-time
 * order with what is looked up in it, so a message finds what stood there at its time, in a replay too.
 *
 * @example
 * .keyBy((order) => order.customer).join('customer', table(customers))
 * .keyBy((order) => order.currency).join('rate', table(rates, { asOf: '1d' }))
 * .keyBy((order) => order.country).join('country', table(countries, { readFirst: true }))
 */
export function table<T>(topic: Topic<T, never>, options: TableOptions = {}): Table<T> {
  const where = `table ${topic.name}`
  checkKeys(where, options, ['asOf', 'readFirst'])
  const asOfMs =
    options.asOf === undefined ? undefined : durationOption(`${where}: option 'asOf'`, options.asOf)
  if (asOfMs !== undefined && topic.settings.cleanup === 'compact') {
    const words = `${where}: option 'asOf': a compacted topic forgets what held before; declare it without cleanup: 'compact'`
    throw fail('OPTIONS_INVALID', words)
  }
  const { readFirst: isReadFirst = false } = options
  return { kind: 'table', topic: topic as AnyTopic, asOfMs, isReadFirst }
}

/** The step that looks up in it. */
export function tableStep(
  field: string,
  { kind, topic, asOfMs, isReadFirst }: Table<unknown>,
  late: AnyTopic | undefined,
): KeyedRowStep {
  if (kind !== 'table') {
    const words = `join '${field}': by a key messages are joined with table(topic)`
    throw fail('PIPELINE_INVALID', words)
  }
  const { schema } = topic
  const decode = (value: unknown) => (schema === undefined ? value : check(schema, value))
  const when = asOfMs === undefined ? '' : ` as of a message's time, ${durationText(asOfMs)} late`
  const first = isReadFirst ? ', which is read first' : ''
  const what = `looked up in table ${topic.name}${when}${first}`
  return {
    ...({ kind: 'keyed', name: field, what } as const),
    make: () => new TableStep({ field, asOfMs, decode }) as RowStep,
    ...{ late, table: topic, isTableFirst: isReadFirst, adds: [field] },
    // In the order of event time a message finds what stood there at its time.
    isOfNow: isReadFirst && asOfMs === undefined,
  }
}
