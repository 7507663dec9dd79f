/**
 * A pipeline in segments: the stretches of its steps between one change of key and the next. Within
 * one, a message stays in its partition; event time is told from segment to segment.
 */
import type { TopicPartition } from '../log/log.ts'
import { closesAfterMs } from '../transforms/window-assign.ts'
import type { Definition, Step } from './definition.ts'
import { tablesOf, tablesReadFirst, topicInputs } from './inputs.ts'
import { sourceTopic } from './plan.ts'
import { isTimedKind } from './state-store.ts'

export interface Segment {
  /** Its steps: from this number up to, not including, the other. */
  readonly from: number
  readonly to: number
  /** Where its messages come from: topics, and sources by the names of their positions. */
  readonly inputs: readonly { readonly topic: string; readonly isSource: boolean }[]
  /** It has windows, which wait for event time. */
  readonly isTimed: boolean
  /** What its windows give may be so much older than the watermark up to which they are closed. */
  readonly holdsBackMs: number
}

export function segmentsOf(definition: Definition): Segment[] {
  const segments: Segment[] = []
  const { steps } = definition
  for (let from = 0; from < steps.length; ) {
    const change = steps.findIndex(({ kind }, index) => index >= from && kind === 'keyBy')
    const to = change < 0 ? steps.length : change + 1
    const topics = topicInputs(definition)
      .filter(({ entry }) => entry >= from && entry < to)
      // A table may not change for years: nothing waits for it.
      .filter(({ topic }) => !tablesOf(definition).includes(topic.name))
      .map(({ topic }) => ({ topic: topic.name, isSource: false }))
    const sources = definition.inputs.flatMap((input) =>
      input.kind === 'source' && from === 0
        ? [{ topic: sourceTopic(definition, input), isSource: true }]
        : [],
    )
    const stretch = steps.slice(from, to)
    segments.push({
      ...{ from, to, inputs: [...topics, ...sources], isTimed: stretch.some(needsTime) },
      holdsBackMs: stretch.reduce((sum, step) => sum + heldBackMs(step), 0),
    })
    from = to
  }
  return segments
}

/** True where event time matters. */
export const isTimed = ({ steps }: Definition): boolean => steps.some(needsTime)

/** True where the event time of an input matters. */
export const hasTime = (definition: Definition, topic: string): boolean =>
  isTimed(definition) && !tablesOf(definition).includes(topic)

const needsTime = ({ kind }: Step) => isTimedKind(kind)

/**
 * Topics that are read together, by event time: those of each segment where what comes out of it, or
 * behind it, depends on the order of what comes in. Of the same time the first goes first; tables do.
 */
export function topicsInOrder(definition: Definition): string[][] {
  const { steps } = definition
  const tables = tablesOf(definition)
  const others = tablesReadFirst(definition)
  return segmentsOf(definition).flatMap(({ from, to }) => {
    if (!steps.slice(from).some(needsOrder)) return []
    const read = topicInputs(definition)
      .filter(({ entry, topic }) => entry >= from && entry < to && !others.includes(topic.name))
      .map(({ topic }) => topic.name)
    const names = new Set([...read.filter((name) => tables.includes(name)), ...read])
    return names.size > 1 ? [[...names]] : []
  })
}

/** What it gives depends on the order in which messages come. A pair is the same whoever comes first. */
const needsOrder = (step: Step) =>
  step.kind === 'keyed' ||
  step.kind === 'join' ||
  (step.kind === 'aggregate' && step.aggregator.order !== 'any')

/** What comes out of a step later may be so much older than the watermark. */
function heldBackMs(step: Step): number {
  if (step.kind === 'aggregate') return closesAfterMs(step.window)
  return step.kind === 'pair' ? 2 * step.withinMs : 0
}

/** All partitions of the inputs of a segment. */
export function placesOf(
  segment: Segment,
  partitionsOf: (topic: string) => number,
): TopicPartition[] {
  return segment.inputs.flatMap(({ topic, isSource }) =>
    Array.from({ length: isSource ? 1 : partitionsOf(topic) }, (_, partition) => ({
      topic,
      partition,
    })),
  )
}
