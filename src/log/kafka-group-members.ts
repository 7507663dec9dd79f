/** Members of a group as its coordinator describes them. */
import { decodeConsumerProtocolAssignment, type describeGroupsV5 } from '@platformatic/kafka'
import { decodeAssignment, decodeSubscription, type Subscription } from './kafka-group-protocol.ts'
import type { GroupInfo, TopicPartition } from './log.ts'

export interface DescribedMembers {
  /** Of the last time that partitions were shared out; 0 where the members are not Millrace's. */
  readonly generation: number
  readonly members: GroupInfo['members']
}

type Described = Pick<describeGroupsV5.DescribeGroupsResponseGroup, 'groupState' | 'members'>

/**
 * While members come and go the coordinator names them and tells nothing of them. They keep what
 * they had, so they are then told `before`.
 */
export function membersOf(
  { groupState, members }: Described,
  before: DescribedMembers | undefined,
): DescribedMembers {
  let generation = before?.generation ?? 0
  const found = members.map(({ memberId, clientHost, memberMetadata, memberAssignment }) => {
    if (groupState !== 'Stable') {
      const known = before?.members.find((member) => member.memberId === memberId)
      return known ?? { memberId, planHash: undefined, owned: [], ...placeOf(clientHost) }
    }
    const assignment = decodeAssignment(memberAssignment)
    generation = Math.max(generation, assignment?.generation ?? 0)
    const subscription = decodeSubscription(memberMetadata)
    const planHash = assignment?.planHash ?? subscription?.planHash
    const owned = assignment?.owned ?? foreignOwned(memberAssignment)
    const place = placeOf(clientHost, subscription)
    return { memberId, planHash, owned: [...owned].sort(byPlace), ...place }
  })
  return { generation, members: found }
}

/** What a member says of itself goes before the address that the broker sees. */
function placeOf(clientHost: string, told: Partial<Pick<Subscription, 'host' | 'pid'>> = {}) {
  const host = told.host ?? clientHost.replace(/^\//, '')
  return {
    ...(host === '' ? {} : { host }),
    ...(told.pid === undefined ? {} : { pid: told.pid }),
  }
}

/** Of a member that is another program, which has no words of ours in its assignment. */
function foreignOwned(assignment: Buffer): TopicPartition[] {
  try {
    return decodeConsumerProtocolAssignment(assignment).assignedPartitions.flatMap(
      ({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })),
    )
  } catch {
    // Groups may use the consumer's protocol type and their own bytes.
    return []
  }
}

const byPlace = (a: TopicPartition, b: TopicPartition) =>
  a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1
