/**
 * Groups on Kafka, seen from outside: who is in them, what they committed; set anew, deleted. A
 * checkpoint is a committed offset with its metadata.
 */
import {
  deleteGroupsV2,
  describeGroupsV5,
  listGroupsV4,
  offsetCommitV8,
  offsetDeleteV0,
} from '@platformatic/kafka'
import { type Clock, systemClock } from '../core/clock.ts'
import { fail } from '../core/errors.ts'
import { checkMetadata, checkName } from './checks.ts'
import { answerError, withErrors } from './kafka-answer.ts'
import type { KafkaClient } from './kafka-client.ts'
import { codeIs } from './kafka-faults.ts'
import { type DescribedMembers, membersOf } from './kafka-group-members.ts'
import { type Checkpoints, haveOffsetsOf, stableCheckpoints } from './kafka-group-offsets.ts'
import type { KafkaTopics } from './kafka-topics.ts'
import type { Checkpoint, GroupInfo, JoinOptions } from './log.ts'

export interface KafkaGroupsOptions {
  readonly clock?: Clock
  readonly topics: Pick<KafkaTopics, 'ensureSplitTopics'>
  /** Kept elsewhere: Kafka knows no paused groups. */
  readonly isPaused: (group: string) => boolean | Promise<boolean>
}

const lane = 'admin'
/** Of a group that nobody ever joined or that was deleted. */
const goneState = 'Dead'
/** Empty where a group only has offsets; others belong to other programs (Connect, Schema Registry). */
const protocolTypes: readonly string[] = ['consumer', '']

export class KafkaGroups {
  readonly #options: KafkaGroupsOptions
  readonly #client: KafkaClient
  /** What a group's members were when they were last told. */
  readonly #described = new Map<string, DescribedMembers>()
  /** By group, how many partitions of which topics. */
  readonly #expected = new Map<string, Map<string, number>>()

  constructor(client: KafkaClient, options: KafkaGroupsOptions) {
    this.#client = client
    this.#options = options
  }

  /** See `Log.groups`: in the order of their names. With `isWanted` the others are not looked at. */
  async groups(isWanted: (name: string) => boolean = () => true): Promise<GroupInfo[]> {
    const found = await this.#client.patiently('groups', async () => {
      const nodes = await this.#nodes()
      return Promise.all(nodes.map((node) => this.#groupsAt(node, isWanted)))
    })
    return found.flat().sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** See `Log.group`. */
  group(name: string): Promise<GroupInfo | undefined> {
    return this.#atCoordinator(name, 'look at', async (node) => {
      const [info] = await this.#describe(node, [name])
      return info
    })
  }

  /** What the group committed, once nothing of it is undecided any more. */
  offsetsOf(name: string): Promise<readonly Checkpoint[]> {
    return this.#atCoordinator(name, 'offsets of', async (node) => {
      return (await this.#checkpoints(node, [{ name, members: [] }])).get(name) ?? []
    })
  }

  /**
   * To be told of every join, before the group's checkpoints are read to go on from: where a group
   * commits for the first time, only who asks for that partition hears that this is under way.
   */
  expect(name: string, { topics }: Pick<JoinOptions, 'topics'>): void {
    const expected = this.#expected.get(name) ?? new Map<string, number>()
    this.#expected.set(name, expected)
    for (const topic of topics) {
      expected.set(topic.name, Math.max(topic.partitions, expected.get(topic.name) ?? 0))
    }
  }

  /** See `Log.resetGroup`. */
  async resetGroup(name: string, checkpoints: readonly Checkpoint[]): Promise<void> {
    checkName('group', name)
    for (const checkpoint of checkpoints) checkMetadata(name, checkpoint)
    const [deleted, set] = [
      checkpoints.filter(({ offset }) => offset < 0),
      checkpoints.filter(({ offset }) => offset >= 0),
    ]
    await this.#checkIdle(name)
    if (set.length > 0) await this.#set(name, set)
    if (deleted.length > 0) await this.#delete(name, deleted)
  }

  /** See `Log.deleteGroup`. */
  async deleteGroup(name: string): Promise<void> {
    await this.#atCoordinator(name, 'delete', async (node) => {
      const { results } = await withErrors(
        this.#client.call(node, lane, deleteGroupsV2.api, [name]),
      )
      const { errorCode } = results[0]!
      if (errorCode === 0 || codeIs(errorCode, 'GROUP_ID_NOT_FOUND')) return
      if (codeIs(errorCode, 'NON_EMPTY_GROUP')) throw activeError(name)
      throw answerError(errorCode, `delete group ${name}`)
    })
    this.#described.delete(name)
  }

  /**
   * Resolves once no group has offsets of a topic that was deleted: Kafka removes them by itself, a
   * moment later, and a topic made anew under the name is not to be met with them.
   */
  async topicForgotten(topic: string): Promise<void> {
    await this.#client.patiently(`offsets of deleted topic ${topic}`, async () => {
      const nodes = await this.#nodes()
      const left = await Promise.all(
        nodes.map(async (node) => {
          const names = await this.#names(node, () => true)
          return haveOffsetsOf(this.#client, node, names, topic)
        }),
      )
      if (left.includes(true)) throw answerError(88, `offsets of deleted topic ${topic}`)
    })
  }

  async #groupsAt(node: number, isWanted: (name: string) => boolean): Promise<GroupInfo[]> {
    const names = await this.#names(node, isWanted)
    return names.length === 0 ? [] : this.#describe(node, names)
  }

  /** Groups that this broker coordinates. */
  async #names(node: number, isWanted: (name: string) => boolean): Promise<string[]> {
    const { groups } = await this.#client.call(node, lane, listGroupsV4.api, [], [])
    return groups
      .filter(({ groupId, protocolType, groupState }) => {
        return groupState !== goneState && protocolTypes.includes(protocolType) && isWanted(groupId)
      })
      .map(({ groupId }) => groupId)
  }

  /** All of one coordinator; those that are not there are left out. */
  async #describe(node: number, names: readonly string[]): Promise<GroupInfo[]> {
    const asking = this.#client.call(node, lane, describeGroupsV5.api, [...names], false)
    const groups = (await withErrors(asking)).groups.map((group) => {
      const { groupId: name, groupState, errorCode } = group
      if (errorCode !== 0) throw answerError(errorCode, `group ${name}`)
      const described = membersOf(group, this.#described.get(name))
      if (described.members.length > 0) this.#described.set(name, described)
      else this.#described.delete(name)
      return { name, isGone: groupState === goneState, ...described }
    })
    const checkpoints = await this.#checkpoints(node, groups)
    const infos: GroupInfo[] = []
    for (const { name, isGone, generation, members } of groups) {
      const saved = checkpoints.get(name) ?? []
      if (isGone && saved.length === 0) continue
      const paused = await this.#options.isPaused(name)
      infos.push({ name, generation, paused, members, checkpoints: saved })
    }
    return infos
  }

  #checkpoints(
    node: number,
    groups: readonly Pick<GroupInfo, 'name' | 'members'>[],
  ): Promise<Checkpoints> {
    const { clock = systemClock } = this.#options
    const asked = groups.map(({ name, members }) => {
      const expected = [...(this.#expected.get(name) ?? [])].flatMap(([topic, count]) => {
        return Array.from({ length: count }, (_, partition) => ({ topic, partition }))
      })
      return { name, expected: [...expected, ...members.flatMap(({ owned }) => owned)] }
    })
    return stableCheckpoints(this.#client, clock, node, asked)
  }

  async #set(name: string, checkpoints: readonly Checkpoint[]): Promise<void> {
    const byTopic = [...Map.groupBy(checkpoints, ({ topic }) => topic)]
    await this.#options.topics.ensureSplitTopics(
      byTopic.map(([topic, of]) => {
        return { name: topic, partitions: Math.max(...of.map(({ partition }) => partition)) + 1 }
      }),
    )
    const topics = byTopic.map(([topic, of]) => ({
      name: topic,
      partitions: of.map(({ partition, offset, metadata }) => ({
        partitionIndex: partition,
        committedOffset: BigInt(offset),
        committedLeaderEpoch: -1,
        committedMetadata: metadata,
      })),
    }))
    await this.#atCoordinator(name, 'reset', async (node) => {
      const answer = await withErrors(
        this.#client.call(node, lane, offsetCommitV8.api, name, -1, '', null, topics),
      )
      for (const { name: topic, partitions } of answer.topics) {
        for (const { partitionIndex, errorCode } of partitions) {
          if (errorCode === 0) continue
          if (codeIs(errorCode, 'UNKNOWN_MEMBER_ID')) throw activeError(name)
          throw answerError(errorCode, `reset group ${name}, ${topic}/${partitionIndex}`)
        }
      }
    })
  }

  async #delete(name: string, checkpoints: readonly Checkpoint[]): Promise<void> {
    const topics = [...Map.groupBy(checkpoints, ({ topic }) => topic)].map(([topic, of]) => ({
      name: topic,
      partitions: of.map(({ partition }) => ({ partitionIndex: partition })),
    }))
    await this.#atCoordinator(name, 'reset', async (node) => {
      const answer = await withErrors(
        this.#client.call(node, lane, offsetDeleteV0.api, name, topics),
      )
      const { errorCode } = answer
      if (codeIs(errorCode, 'NON_EMPTY_GROUP')) throw activeError(name)
      if (errorCode !== 0 && !codeIs(errorCode, 'GROUP_ID_NOT_FOUND')) {
        throw answerError(errorCode, `reset group ${name}`)
      }
      for (const { name: topic, partitions } of answer.topics) {
        for (const { partitionIndex, errorCode } of partitions) {
          // Where the topic is gone its offsets are too.
          if (errorCode === 0 || codeIs(errorCode, 'UNKNOWN_TOPIC_OR_PARTITION')) continue
          if (codeIs(errorCode, 'GROUP_SUBSCRIBED_TO_TOPIC')) throw activeError(name)
          throw answerError(errorCode, `reset group ${name}, ${topic}/${partitionIndex}`)
        }
      }
    })
  }

  async #checkIdle(name: string): Promise<void> {
    await this.#atCoordinator(name, 'look at', async (node) => {
      const { groups } = await withErrors(
        this.#client.call(node, lane, describeGroupsV5.api, [name], false),
      )
      const { errorCode, members } = groups[0]!
      if (errorCode !== 0) throw answerError(errorCode, `group ${name}`)
      if (members.length > 0) throw activeError(name, members.length)
    })
  }

  #atCoordinator<Result>(
    name: string,
    what: string,
    work: (node: number) => Promise<Result>,
  ): Promise<Result> {
    return this.#client.patiently(`${what} group ${name}`, async () => {
      return work(await this.#client.coordinator('group', name))
    })
  }

  /** Asked anew: a broker that is gone coordinates nothing. */
  async #nodes(): Promise<readonly number[]> {
    this.#client.forgetTopic(offsetsTopic)
    await this.#client.topic(offsetsTopic)
    return this.#client.nodes()
  }
}

const offsetsTopic = '__consumer_offsets'

function activeError(name: string, count?: number): Error {
  const members = count === undefined ? 'members' : `${count} members`
  return fail('GROUP_ACTIVE', `group ${name}: has ${members}; stop them first`)
}
