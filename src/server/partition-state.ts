/** The partitions of a pipeline: who works on each, how far it came, and what waits in it. */
import type { GroupInfo, Log, OffsetRange, TopicPartition } from '../log/log.ts'
import { MessageAges, type ReadPlace } from '../monitoring/message-ages.ts'
import { RebalanceCount } from '../monitoring/rebalances.ts'
import { replayTopic } from '../pipeline/dead-letters.ts'
import { plannedInputs } from '../pipeline/inputs.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { PartitionState, PipelineState } from './state.ts'

export type PartitionFacts = Pick<
  PipelineState,
  'partitions' | 'lagMessages' | 'lagSeconds' | 'rebalances'
>

export interface Planned {
  readonly name: string
  readonly plan: PipelinePlan | null
}

/** By topic, of each partition. */
type Ranges = ReadonlyMap<string, readonly OffsetRange[]>

interface Reader extends Planned {
  readonly group: GroupInfo | undefined
}

export class PartitionWatch {
  readonly #ages: MessageAges
  readonly #rebalances = new RebalanceCount()

  constructor(log: Log) {
    this.#ages = new MessageAges(log)
  }

  /** By pipeline. */
  async look(
    pipelines: readonly Planned[],
    groups: ReadonlyMap<string, GroupInfo>,
    ranges: Ranges,
    nowMs: number,
  ): Promise<ReadonlyMap<string, PartitionFacts>> {
    this.#rebalances.look(groups, nowMs)
    const found = new Map<string, PartitionFacts>()
    for (const { name, plan } of pipelines) {
      const reader = { name, plan, group: groups.get(name) }
      const places = inputPlaces(reader, ranges)
      const ages = await this.#ages.of(name, places, nowMs)
      const { generation, count, lastAtMs = null } = this.#rebalances.of(name)
      found.set(name, {
        partitions: partitionStates(reader, places, ages),
        lagMessages: places.reduce((sum, place) => sum + lagAt(place), 0),
        lagSeconds: Math.max(0, ...ages),
        rebalances: { generation, count, lastAtMs },
      })
    }
    return found
  }
}

/** Where a pipeline stands in its inputs and its replays; of sources the log knows no end. */
function inputPlaces({ name, plan, group }: Reader, ranges: Ranges): ReadPlace[] {
  const inputs = plan === null ? undefined : plannedInputs(plan, ranges.keys())
  const known = inputs ?? group?.checkpoints.map(({ topic }) => topic) ?? []
  return [...new Set([...known, replayTopic(name)])].flatMap((topic) =>
    (ranges.get(topic) ?? []).map(({ start, end }, partition) => {
      const checkpoint = group?.checkpoints.find(isAt({ topic, partition }))
      return { topic, partition, position: Math.max(start, checkpoint?.offset ?? 0), end }
    }),
  )
}

const lagAt = ({ position, end }: ReadPlace): number => Math.max(0, end - position)

/** Replays are told of where some wait: else they would be as many rows again, of nothing. */
function partitionStates(
  { name, group }: Reader,
  places: readonly ReadPlace[],
  ages: readonly number[],
): PartitionState[] {
  const inputs = places.map((place, index): PartitionState => {
    const { topic, partition, position, end } = place
    const lag = { lagMessages: lagAt(place), lagSeconds: ages[index] ?? 0 }
    return { topic, partition, position, end, ...lag, ...ownerOf(group, place) }
  })
  const isShown = ({ topic, lagMessages }: PartitionState) =>
    topic !== replayTopic(name) || lagMessages !== 0
  return [...inputs.filter(isShown), ...splitStates(group, places)]
}

/** Splits of sources: what somebody owns or has committed, and is no topic. */
function splitStates(group: GroupInfo | undefined, places: readonly ReadPlace[]): PartitionState[] {
  const owned = group?.members.flatMap((member) => member.owned) ?? []
  const all = [...owned, ...(group?.checkpoints ?? [])]
  const splits = new Map<string, TopicPartition>()
  for (const { topic, partition } of all) {
    const isInput = places.some(isAt({ topic, partition }))
    if (!isInput) splits.set(`${topic}/${partition}`, { topic, partition })
  }
  return [...splits.values()].map((split) => ({
    ...split,
    position: group?.checkpoints.find(isAt(split))?.offset ?? null,
    ...{ end: null, lagMessages: null, lagSeconds: null },
    ...ownerOf(group, split),
  }))
}

function ownerOf(group: GroupInfo | undefined, place: TopicPartition) {
  const owner = group?.members.find((member) => member.owned.some(isAt(place)))
  const { memberId: member = null, host = null, pid = null } = owner ?? {}
  return { member, host, pid }
}

const isAt = (place: TopicPartition) => (other: TopicPartition) =>
  other.topic === place.topic && other.partition === place.partition
