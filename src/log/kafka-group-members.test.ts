import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { encodeConsumerProtocolAssignment } from '@platformatic/kafka'
import { membersOf } from './kafka-group-members.ts'
import { encodeAssignment, encodeSubscription } from './kafka-group-protocol.ts'

const at = (partition: number) => ({ topic: 'in', partition })

function described(memberId: string, memberMetadata: Buffer, memberAssignment: Buffer) {
  const rest = { groupInstanceId: null, clientId: '', clientHost: '' }
  return { memberId, memberMetadata, memberAssignment, ...rest }
}

const assignment = (partitions: number[], planHash?: string) =>
  encodeAssignment({
    ...{ owned: partitions.map(at), revoking: [], superseded: false, rank: 0 },
    ...{ generation: 7, planHash },
  })

const subscription = encodeSubscription({
  ...{ topics: [{ name: 'in', partitions: 4 }], held: [], generation: 6, planHash: 'asked' },
  ...{ exclusive: false, joinedAtMs: 0, rank: undefined },
  ...{ host: 'here', pid: 7 },
})

describe('members of a group on Kafka', () => {
  const none = Buffer.alloc(0)
  const stable = {
    groupState: 'Stable',
    members: [
      described('one', none, assignment([2, 0], 'plan')),
      described('two', subscription, assignment([1])),
    ],
  }

  it('are told with what they own, in order, and their plan', () => {
    assert.deepEqual(membersOf(stable, undefined), {
      generation: 7,
      members: [
        { memberId: 'one', planHash: 'plan', owned: [at(0), at(2)] },
        { memberId: 'two', planHash: 'asked', owned: [at(1)], host: 'here', pid: 7 },
      ],
    })
  })

  it('keep what they had while others come and go', () => {
    const before = membersOf(stable, undefined)
    const moving = {
      groupState: 'PreparingRebalance',
      members: ['two', 'three'].map((name) => described(name, none, none)),
    }
    assert.deepEqual(membersOf(moving, before), {
      generation: 7,
      members: [before.members[1], { memberId: 'three', planHash: undefined, owned: [] }],
    })
    assert.deepEqual(membersOf(moving, undefined).generation, 0)
  })

  it('that are other programs are told as far as they are understood', () => {
    const foreign = encodeConsumerProtocolAssignment({
      version: 1,
      assignedPartitions: [{ topic: 'in', partitions: [3, 1] }],
    })
    const garbage = Buffer.from('not of this protocol')
    const members = [described('java', none, foreign), described('odd', garbage, garbage)]
    const { generation, members: found } = membersOf({ groupState: 'Stable', members }, undefined)
    assert.equal(generation, 0)
    assert.deepEqual(found, [
      { memberId: 'java', planHash: undefined, owned: [at(1), at(3)] },
      { memberId: 'odd', planHash: undefined, owned: [] },
    ])
  })
})
