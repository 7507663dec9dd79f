/** What groups committed, asked of the broker that coordinates them. */
import { offsetFetchV8 } from '@platformatic/kafka'
import type { Clock } from '../core/clock.ts'
import { answerError, withErrors } from './kafka-answer.ts'
import type { KafkaClient } from './kafka-client.ts'
import { codeIs } from './kafka-faults.ts'
import type { Checkpoint, TopicPartition } from './log.ts'
import { nameOf } from './topic-partition.ts'

type Asked = offsetFetchV8.OffsetFetchRequestGroup
type AnsweredGroup = offsetFetchV8.OffsetFetchResponseGroup

export type Checkpoints = ReadonlyMap<string, readonly Checkpoint[]>

const lane = 'admin'
const longestWaitMs = 100
/** A transaction that nobody ends is ended by its coordinator, after 10 s. */
const patienceMs = 20_000

/** A group, and where it may have committed for the first time a moment ago. */
export interface AskedGroup {
  readonly name: string
  readonly expected: readonly TopicPartition[]
}

/**
 * By group; one that has none, or is not there, has no entry or an empty one. What a transaction is
 * about to change is waited for, partition by partition, so that groups that commit without a pause
 * hold up nobody. Asked for all, a coordinator leaves out a partition whose first offset is still in
 * a transaction, even one that is committed already: hence what is expected is asked for by name.
 */
export async function stableCheckpoints(
  client: KafkaClient,
  clock: Clock,
  node: number,
  groups: readonly AskedGroup[],
): Promise<Checkpoints> {
  if (groups.length === 0) return new Map()
  const found = new Map(groups.map(({ name }) => [name, new Found(name)]))
  const take = async (asked: readonly Asked[]) => {
    for (const { groupId } of asked) found.get(groupId)!.open.clear()
    for (const group of await ask(client, node, asked, true)) found.get(group.groupId)!.take(group)
  }
  const untilMs = clock.now() + patienceMs
  await take(groups.map(({ name }) => allOf(name)))
  for (const { name, expected } of groups) found.get(name)!.expect(expected)
  for (let waitMs = 0; ; waitMs = Math.min(longestWaitMs, waitMs * 2 + 1)) {
    const open = [...found.values()].filter((group) => group.open.size > 0)
    if (open.length === 0) break
    if (clock.now() > untilMs) throw answerError(88, `offsets of group ${open[0]!.name}`)
    if (waitMs > 0) await clock.sleep(waitMs)
    await take(open.map((group) => group.question))
  }
  return new Map([...found].map(([name, { checkpoints }]) => [name, sorted(checkpoints)]))
}

/** What is known so far of one group. */
class Found {
  readonly name: string
  readonly checkpoints = new Map<string, Checkpoint>()
  /** To be asked for by name: undecided, or not heard of. */
  readonly open = new Map<string, TopicPartition>()

  constructor(name: string) {
    this.name = name
  }

  get question(): Asked {
    const topics = [...Map.groupBy(this.open.values(), ({ topic }) => topic)].map(([name, of]) => {
      return { name, partitionIndexes: of.map(({ partition }) => partition) }
    })
    return { groupId: this.name, memberEpoch: -1, topics }
  }

  expect(expected: readonly TopicPartition[]): void {
    for (const one of expected) {
      if (!this.checkpoints.has(nameOf(one))) this.open.set(nameOf(one), one)
    }
  }

  take({ topics }: AnsweredGroup): void {
    for (const { name: topic, partitions } of topics) {
      for (const { partitionIndex, committedOffset, metadata, errorCode } of partitions) {
        const place = { topic, partition: partitionIndex }
        const name = nameOf(place)
        if (codeIs(errorCode, 'UNSTABLE_OFFSET_COMMIT')) {
          this.open.set(name, place)
          continue
        }
        if (errorCode !== 0 && !codeIs(errorCode, 'UNKNOWN_TOPIC_OR_PARTITION')) {
          throw answerError(errorCode, `offsets of group ${this.name}, ${name}`)
        }
        const offset = Number(committedOffset)
        if (offset < 0) continue
        this.checkpoints.set(name, { ...place, offset, metadata: metadata ?? '' })
      }
    }
  }
}

/** True where one of the groups has offsets of the topic, decided or not. */
export async function haveOffsetsOf(
  client: KafkaClient,
  node: number,
  groups: readonly string[],
  topic: string,
): Promise<boolean> {
  if (groups.length === 0) return false
  const answered = await ask(client, node, groups.map(allOf), false)
  return answered.some(({ topics }) => topics.some(({ name }) => name === topic))
}

const allOf = (groupId: string): Asked => ({ groupId, memberEpoch: -1, topics: null })

async function ask(
  client: KafkaClient,
  node: number,
  asked: readonly Asked[],
  isStable: boolean,
): Promise<AnsweredGroup[]> {
  const api = offsetFetchV8.api
  const { groups } = await withErrors(client.call(node, lane, api, [...asked], isStable))
  return groups.filter(({ groupId, errorCode }) => {
    if (codeIs(errorCode, 'GROUP_ID_NOT_FOUND')) return false
    if (errorCode === 0) return true
    throw answerError(errorCode, `offsets of group ${groupId}`)
  })
}

const sorted = (checkpoints: ReadonlyMap<string, Checkpoint>): Checkpoint[] =>
  [...checkpoints.values()].sort((a, b) =>
    a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1,
  )
