/** Rows of a history with what turned out about them, which a topic of labels says. */
import type { Log } from '../log/log.ts'
import type { Codecs } from './codecs.ts'
import type { AnyTopic } from './definition.ts'
import { TopicFollower } from './follow.ts'
import type { HistoryRow } from './history-run.ts'
import { SeenFields } from './seen-fields.ts'

export interface LabelOptions {
  readonly topic: AnyTopic
  /** The field that is the label: rows get it too. */
  readonly field: string
  /** The fields of rows and of labels that have the same value. */
  readonly on: { readonly row: string; readonly label: string }
  /** So long labels take: of rows that are younger at the end of the history nothing is known yet. */
  readonly delayMs: number
  /** Of rows that are old enough and have none; undefined: they are left out. */
  readonly otherwise?: unknown
}

export interface LabelCounts {
  labelled: number
  /** Of those that have no label, what got the one of `otherwise`. */
  otherwise: number
  /** Too young for a label at the end of the history, whether there is one already or not. */
  young: number
  unlabelled: number
}

type Fields = { readonly [field: string]: unknown }
type Rows = () => AsyncIterable<HistoryRow>

/**
 * The newest label of each value by event time; of two of one time that which came last.
 * Throws `OPTIONS_INVALID` when there are messages, and none has the label, or none what it is found by.
 */
export async function readLabels(
  log: Log,
  { topic, field, on }: LabelOptions,
  codecs?: Codecs,
): Promise<ReadonlyMap<string, unknown>> {
  const labels = new Map<string, { readonly timeMs: number; readonly label: unknown }>()
  const seen = new SeenFields([field, on.label])
  const follower = new TopicFollower(
    log,
    topic,
    {
      take(value, timeMs) {
        seen.note(value)
        const key = keyOf(value, on.label)
        const label = (value as Fields)[field]
        if (key === undefined || label === undefined || label === null) return
        const known = labels.get(key)
        if (known === undefined || known.timeMs <= timeMs) labels.set(key, { timeMs, label })
      },
      miss: () => undefined,
    },
    codecs,
  )
  while (await follower.read());
  seen.check(`labels: no message of topic ${topic.name}`)
  return new Map(labels.entries().map(([key, { label }]) => [key, label]))
}

/**
 * The rows that have a label. One that came sooner than `delayMs` is not used for a row: what is known
 * so soon is not a fair part of what is known in the end. Throws `OPTIONS_INVALID` when no row has what
 * its label is found by.
 */
export async function* labelledRows(
  rows: Rows,
  labels: ReadonlyMap<string, unknown>,
  { field, on, delayMs, otherwise }: Omit<LabelOptions, 'topic'>,
  counts: LabelCounts,
): AsyncGenerator<HistoryRow> {
  let newestMs = Number.NEGATIVE_INFINITY
  const seen = new SeenFields([on.row])
  for await (const { timeMs, value } of rows()) {
    newestMs = Math.max(newestMs, timeMs)
    seen.note(value)
  }
  seen.check('labels: no row of the history')
  for await (const row of rows()) {
    if (row.timeMs > newestMs - delayMs) {
      counts.young++
      continue
    }
    const key = keyOf(row.value, on.row)
    const known = key === undefined ? undefined : labels.get(key)
    const label = known ?? otherwise
    if (label === undefined) {
      counts.unlabelled++
      continue
    }
    if (known === undefined) counts.otherwise++
    else counts.labelled++
    yield { ...row, value: { ...(row.value as Fields), [field]: label } }
  }
}

/** As text: a number and its text are the same. */
function keyOf(value: unknown, field: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const key = (value as Fields)[field]
  return key === undefined || key === null ? undefined : String(key)
}
