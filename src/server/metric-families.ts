/** Families of `GET /metrics`: how they are made of the state, and those of partitions, groups and kept state. */
import type { Monitor } from './monitor.ts'
import type { KeptState, PartitionState, PipelineState, State } from './state.ts'

type Labels = Readonly<Record<string, string>>
type Set = (labels: Labels, value: number) => void

interface Owner {
  readonly member: string
  readonly host: string
  readonly pid: string
}

export interface Family {
  readonly kind: 'counter' | 'gauge'
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
  fill(set: Set, state: State, monitor: Monitor): void
}

export const family = (
  kind: Family['kind'],
  name: string,
  help: string,
  labels: readonly string[],
  fill: Family['fill'],
): Family => ({ kind, name: `millrace_${name}`, help, labels, fill })

/** A family with one value a pipeline. */
export const ofPipeline = (
  kind: Family['kind'],
  name: string,
  help: string,
  value: (pipeline: PipelineState) => number,
): Family =>
  family(kind, name, help, ['pipeline'], (set, { pipelines }) => {
    for (const one of pipelines) set({ pipeline: one.name }, value(one))
  })

/** A family with one value a pipeline that keeps copies of its state. */
export const standbyFamily = (
  name: string,
  help: string,
  value: (standby: NonNullable<PipelineState['standby']>) => number,
): Family =>
  family('gauge', name, help, ['pipeline'], (set, { pipelines }) => {
    for (const { name: pipeline, standby } of pipelines) {
      if (standby !== null) set({ pipeline }, value(standby))
    }
  })

/** A family with one value a partition of all pipelines; null: of this one there is none. */
const ofPartition = (
  name: string,
  help: string,
  more: readonly string[],
  value: (partition: PartitionState) => ({ readonly value: number } & Partial<Owner>) | null,
): Family => {
  const labels = ['pipeline', 'topic', 'partition', ...more]
  return family('gauge', name, help, labels, (set, { pipelines }) => {
    for (const { name: pipeline, partitions } of pipelines) {
      for (const one of partitions) {
        const found = value(one)
        if (found === null) continue
        const { value: number, ...own } = found
        set({ pipeline, topic: one.topic, partition: `${one.partition}`, ...own }, number)
      }
    }
  })
}

/** A family with values for the steps of all pipelines. */
export const ofStep = (
  name: string,
  help: string,
  label: string | undefined,
  values: (step: PipelineState['steps'][number]) => readonly (readonly [string, number])[],
): Family => {
  const labels = ['pipeline', 'step', ...(label === undefined ? [] : [label])]
  return family('counter', name, help, labels, (set, { pipelines }) => {
    for (const { name: pipeline, steps } of pipelines) {
      for (const step of steps) {
        for (const [word, value] of values(step)) {
          const more: Labels = label === undefined ? {} : { [label]: word }
          set({ pipeline, step: step.name, ...more }, value)
        }
      }
    }
  })
}

export const lookupEntries: Family = family(
  'gauge',
  'lookup_entries',
  'Answers that a look-up remembers now.',
  ['pipeline', 'step'],
  (set, { pipelines }) => {
    for (const { name: pipeline, steps } of pipelines) {
      for (const { name: step, lookup } of steps) {
        if (lookup !== null) set({ pipeline, step }, lookup.entries)
      }
    }
  },
)

/** A family with a value for the steps that keep state; null: of this one there is none. */
const ofKept = (name: string, help: string, value: (kept: KeptState) => number | null): Family =>
  family('gauge', name, help, ['pipeline', 'step'], (set, { pipelines }) => {
    for (const { name: pipeline, steps } of pipelines) {
      for (const { name: step, kept } of steps) {
        const found = kept === null ? null : value(kept)
        if (found !== null) set({ pipeline, step }, found)
      }
    }
  })

export const keptFamilies: readonly Family[] = [
  ofKept(
    'watermark_seconds',
    'Event time up to which the windows of a step are closed, since 1970, where it is furthest behind.',
    ({ watermarkMs }) => (watermarkMs === null ? null : watermarkMs / 1000),
  ),
  ofKept(
    'watermark_behind_seconds',
    'How much newer the newest message is that the pipeline has read.',
    ({ behindMs }) => (behindMs === null ? null : behindMs / 1000),
  ),
  ofStep(
    'late_total',
    'Messages that came to a step when all their windows were closed.',
    undefined,
    ({ kept, late }) => (kept === null ? [] : [['', late] as const]),
  ),
  ofKept(
    'state_keys',
    'Entries that a step keeps: open windows and what else.',
    ({ keys }) => keys,
  ),
  ofKept('state_bytes', 'What these take, of a large store reckoned.', (kept) => kept.sizeBytes),
]

const sampleOf = (value: number | null) => (value === null ? null : { value })

export const partitionFamilies: readonly Family[] = [
  ofPartition(
    'partition_lag_messages',
    'Messages between the committed position in a partition and its end.',
    [],
    ({ lagMessages }) => sampleOf(lagMessages),
  ),
  ofPartition(
    'partition_lag_seconds',
    'Age of the message at the committed position in a partition; 0 when caught up.',
    [],
    ({ lagSeconds }) => sampleOf(lagSeconds),
  ),
  ofPartition(
    'partition_owner_info',
    '1; the labels name the member that works on a partition, its machine and process.',
    ['member', 'host', 'pid'],
    ({ member, host, pid }) =>
      member === null ? null : { value: 1, member, host: host ?? '', pid: `${pid ?? ''}` },
  ),
]

export const groupFamilies: readonly Family[] = [
  ofPipeline(
    'gauge',
    'group_generation',
    'Generation of the group of a pipeline; 0 where nobody is in it and that is not known.',
    ({ rebalances }) => rebalances.generation,
  ),
  ofPipeline(
    'counter',
    'group_rebalances_total',
    'How often partitions were shared out anew in a group, since this server started.',
    ({ rebalances }) => rebalances.count,
  ),
  family(
    'gauge',
    'group_last_rebalance_timestamp_seconds',
    'When partitions were last shared out anew in a group, as far as this server saw it.',
    ['pipeline'],
    (set, { pipelines }) => {
      for (const { name: pipeline, rebalances } of pipelines) {
        const { lastAtMs } = rebalances
        if (lastAtMs !== null) set({ pipeline }, lastAtMs / 1000)
      }
    },
  ),
]
