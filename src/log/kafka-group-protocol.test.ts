import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  decodeConsumerProtocolAssignment,
  decodeConsumerProtocolSubscription,
} from '@platformatic/kafka'
import fc from 'fast-check'
import {
  type Assignment,
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  type Subscription,
} from './kafka-group-protocol.ts'
import { namesOf } from './log.contract.support.ts'

const name = fc.oneof(
  fc.constantFrom('in', 'mails.files', '__proto__'),
  fc.string({ minLength: 1 }),
)
const plainObject = { noNullPrototype: true } as const
const places = fc.uniqueArray(fc.record({ topic: name, partition: fc.nat(50) }, plainObject), {
  selector: ({ topic, partition }) => `${topic}/${partition}`,
})
const planHash = fc.option(fc.string(), { nil: undefined })

const required = [
  'topics',
  'held',
  'generation',
  'planHash',
  'exclusive',
  'joinedAtMs',
  'rank',
] as const
const subscriptions: fc.Arbitrary<Subscription> = fc.record(
  {
    topics: fc.uniqueArray(fc.record({ name, partitions: fc.nat(50) }, plainObject), {
      selector: (topic) => topic.name,
    }),
    held: places,
    generation: fc.integer({ min: -1, max: 0x7fff_ffff }),
    planHash,
    exclusive: fc.boolean(),
    joinedAtMs: fc.nat(),
    rank: fc.option(fc.nat(), { nil: undefined }),
    host: fc.string(),
    pid: fc.nat(),
  },
  { ...plainObject, requiredKeys: [...required] },
)

const assignments: fc.Arbitrary<Assignment> = fc.record(
  {
    owned: places,
    revoking: places,
    superseded: fc.boolean(),
    rank: fc.nat(),
    generation: fc.nat(),
    planHash,
  },
  plainObject,
)

describe('the group protocol', () => {
  it('reads what it wrote', () => {
    fc.assert(
      fc.property(subscriptions, (subscription) => {
        const read = decodeSubscription(encodeSubscription(subscription))!
        const { held, ...rest } = subscription
        const { held: readHeld, ...readRest } = read
        assert.deepEqual(namesOf(readHeld), namesOf(held))
        assert.deepEqual(readRest, rest)
      }),
    )
    fc.assert(
      fc.property(assignments, (assignment) => {
        const { owned, revoking, ...rest } = assignment
        const read = decodeAssignment(encodeAssignment(assignment))!
        assert.deepEqual(namesOf(read.owned), namesOf(owned))
        assert.deepEqual(namesOf(read.revoking), namesOf(revoking))
        const { owned: _owned, revoking: _revoking, ...readRest } = read
        assert.deepEqual(readRest, rest)
      }),
    )
  })

  it('is the consumer protocol to those who know nothing of Millrace', () => {
    fc.assert(
      fc.property(subscriptions, assignments, (subscription, assignment) => {
        const asked = decodeConsumerProtocolSubscription(encodeSubscription(subscription))
        assert.deepEqual(asked.topics, subscription.topics.map((topic) => topic.name).sort())
        assert.equal(asked.generationId, subscription.generation)
        const given = decodeConsumerProtocolAssignment(encodeAssignment(assignment))
        const named = given.assignedPartitions.flatMap(({ topic, partitions }) =>
          partitions.map((partition) => ({ topic, partition })),
        )
        assert.deepEqual(namesOf(named), namesOf(assignment.owned))
      }),
    )
  })

  it('takes what others wrote, and damaged bytes, for nothing', () => {
    const subscription = encodeSubscription({
      topics: [{ name: 'in', partitions: 4 }],
      held: [{ topic: 'in', partition: 3 }],
      generation: 7,
      planHash: 'plan',
      exclusive: false,
      joinedAtMs: 1,
      rank: 2,
    })
    for (let length = 0; length < subscription.length - 4; length++) {
      const cut = decodeSubscription(subscription.subarray(0, length))
      assert.ok(cut === undefined || cut.generation !== 7, `cut at ${length}`)
    }
    assert.equal(decodeSubscription(Buffer.alloc(0)), undefined)
    assert.equal(decodeAssignment(Buffer.alloc(0)), undefined)
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        assert.equal(decodeSubscription(Buffer.from(bytes)), undefined)
        assert.equal(decodeAssignment(Buffer.from(bytes)), undefined)
      }),
    )
  })
})
