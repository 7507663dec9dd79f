/** A test tool: the plans of an application that does not exist, in the manner of a spam filter. */
import type { PipelinePlan, TopicState } from '../src/server/state.ts'

const exactly = 'exactly once'

export const plans: readonly PipelinePlan[] = [
  {
    name: 'ingest-mails',
    hash: '0a1b2c3d4e5f',
    inputs: [{ kind: 'source', name: 'mails', guarantee: exactly, entry: 0 }],
    steps: [
      { name: 'without-label', kind: 'map' },
      { name: 'to-mails', kind: 'to' },
    ],
    outputs: [{ kind: 'topic', name: 'mails', step: 'to-mails', guarantee: exactly }],
    deadLetters: 'ingest-mails.dead-letters',
  },
  {
    name: 'ingest-labels',
    hash: '1a1b2c3d4e5f',
    inputs: [{ kind: 'source', name: 'labels', guarantee: exactly, entry: 0 }],
    steps: [
      { name: 'label-only', kind: 'map' },
      { name: 'to-labels', kind: 'to' },
    ],
    outputs: [{ kind: 'topic', name: 'labels', step: 'to-labels', guarantee: exactly }],
    deadLetters: 'ingest-labels.dead-letters',
  },
  {
    name: 'score',
    hash: '2a1b2c3d4e5f',
    inputs: [{ kind: 'topic', name: 'mails', guarantee: exactly, entry: 0 }],
    steps: [
      { name: 'not-empty', kind: 'filter' },
      { name: 'spam', kind: 'predict', model: 'spam-filter' },
      { name: 'without-text', kind: 'map' },
      { name: 'to-mails.scored', kind: 'to' },
    ],
    outputs: [{ kind: 'topic', name: 'mails.scored', step: 'to-mails.scored', guarantee: exactly }],
    deadLetters: 'score.dead-letters',
  },
  {
    name: 'judge',
    hash: '3a1b2c3d4e5f',
    inputs: [
      { kind: 'topic', name: 'mails.scored', guarantee: exactly, entry: 0 },
      { kind: 'topic', name: 'labels', guarantee: exactly, entry: 0 },
    ],
    steps: [
      { name: 'truth', kind: 'join', topic: 'labels' },
      { name: 'to-mails.judged', kind: 'to' },
    ],
    outputs: [{ kind: 'topic', name: 'mails.judged', step: 'to-mails.judged', guarantee: exactly }],
    deadLetters: 'judge.dead-letters',
  },
  {
    name: 'by-hour',
    hash: '5a1b2c3d4e5f',
    inputs: [
      { kind: 'topic', name: 'mails.judged', guarantee: exactly, entry: 0 },
      { kind: 'topic', name: 'by-hour.counts-key.repartition', guarantee: exactly, entry: 1 },
    ],
    steps: [
      { name: 'counts-key', kind: 'keyBy' },
      { name: 'counts', kind: 'aggregate', aggregate: 'mails count' },
      { name: 'to-mails.by-hour', kind: 'to' },
    ],
    outputs: [
      {
        kind: 'topic',
        name: 'by-hour.counts-key.repartition',
        step: 'counts-key',
        guarantee: exactly,
      },
      { kind: 'topic', name: 'mails.by-hour', step: 'to-mails.by-hour', guarantee: exactly },
    ],
    deadLetters: 'by-hour.dead-letters',
  },
  {
    name: 'warehouse',
    hash: '4a1b2c3d4e5f',
    inputs: [{ kind: 'topic', name: 'mails.judged', guarantee: exactly, entry: 0 }],
    steps: [{ name: 'to-duckdb', kind: 'to' }],
    outputs: [{ kind: 'sink', name: 'duckdb', step: 'to-duckdb', guarantee: exactly }],
    deadLetters: 'warehouse.dead-letters',
  },
]

export function topicsOf(counts: Readonly<Record<string, number>>, rate: number): TopicState[] {
  const topic = (name: string, isInternal: boolean): TopicState => ({
    name,
    partitions: 4,
    cleanup: isInternal ? 'compact' : 'delete',
    messages: counts[name] ?? 0,
    appendedPerSecond: counts[name] === undefined ? 0 : rate,
    isInternal,
  })
  const own = ['mails', 'labels', 'mails.scored', 'mails.judged']
  const internal = ['millrace.figures', 'millrace.registry', 'score.dead-letters', 'score.replay']
  return [...own.map((name) => topic(name, false)), ...internal.map((name) => topic(name, true))]
}
