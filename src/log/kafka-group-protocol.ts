/**
 * What members of a group tell each other through the coordinator: Kafka's own consumer protocol, so
 * that Kafka's tools show who works on what, with what only Millrace needs as JSON in its user data.
 */
import {
  decodeConsumerProtocolAssignment,
  decodeConsumerProtocolSubscription,
  encodeConsumerProtocolAssignment,
  encodeConsumerProtocolSubscription,
} from '@platformatic/kafka'
import { z } from 'zod'
import type { JoinOptions, TopicPartition } from './log.ts'

export const protocolType = 'consumer'
/** Programs that share out partitions in another way are refused by the broker. */
export const protocolName = 'millrace'

/** Since this version of the consumer protocol a subscription has the generation it was made in. */
const consumerVersion = 2
/** Of the user data. A later format may add words, and change none of these. */
const format = 1

/** What a member asks for, and what it has. */
export interface Subscription {
  readonly topics: JoinOptions['topics']
  /** What it works on, also what it was asked to give up and has not released yet. */
  readonly held: readonly TopicPartition[]
  /** Of the last assignment that it knows; -1: of none. */
  readonly generation: number
  readonly planHash: string | undefined
  readonly exclusive: boolean
  readonly joinedAtMs: number
  /** Its place in the order of joining; undefined until a leader has given it one. */
  readonly rank: number | undefined
  /** Where it runs, for people. */
  readonly host?: string | undefined
  readonly pid?: number | undefined
}

/** What the leader tells one member. */
export interface Assignment {
  /** What it may work on: what it held, and what nobody else holds any more. */
  readonly owned: readonly TopicPartition[]
  /** Those of `owned` that are for others, once it has released them. */
  readonly revoking: readonly TopicPartition[]
  readonly superseded: boolean
  readonly rank: number
  /** Of the group, when this was decided. */
  readonly generation: number
  /** The plan that the leader knows this member by. */
  readonly planHash: string | undefined
  /** See `Membership.next`. */
  readonly next?: readonly TopicPartition[]
}

const places = z.array(z.tuple([z.string(), z.array(z.int().nonnegative())]))

const subscriptionData = z.object({
  millrace: z.int().min(format),
  topics: z.array(z.tuple([z.string(), z.int().nonnegative()])),
  planHash: z.string().optional(),
  exclusive: z.boolean(),
  joinedAtMs: z.number(),
  rank: z.int().optional(),
  host: z.string().optional(),
  pid: z.int().optional(),
})

const assignmentData = z.object({
  millrace: z.int().min(format),
  revoking: places,
  superseded: z.boolean(),
  rank: z.int(),
  generation: z.int(),
  planHash: z.string().optional(),
  next: places.optional(),
})

export function encodeSubscription(subscription: Subscription): Buffer {
  const { topics, held, generation, ...rest } = subscription
  const data: z.infer<typeof subscriptionData> = {
    millrace: format,
    topics: topics.map(({ name, partitions }) => [name, partitions]),
    ...rest,
  }
  return encodeConsumerProtocolSubscription({
    version: consumerVersion,
    topics: topics.map(({ name }) => name),
    userData: JSON.stringify(data),
    ownedPartitions: byTopic(held),
    generationId: generation,
  })
}

/** Undefined: it is not from Millrace, or damaged. */
export function decodeSubscription(bytes: Buffer): Subscription | undefined {
  return unlessDamaged(() => {
    const { userData, ownedPartitions, generationId } = decodeConsumerProtocolSubscription(bytes)
    const { topics, planHash, exclusive, joinedAtMs, rank, host, pid } = subscriptionData.parse(
      JSON.parse(userData.toString()),
    )
    return {
      topics: topics.map(([name, partitions]) => ({ name, partitions })),
      held: flat(ownedPartitions),
      generation: generationId,
      ...{ planHash, exclusive, joinedAtMs, rank },
      ...(host === undefined ? {} : { host }),
      ...(pid === undefined ? {} : { pid }),
    }
  })
}

export function encodeAssignment({ owned, revoking, next = [], ...rest }: Assignment): Buffer {
  const data: z.infer<typeof assignmentData> = {
    millrace: format,
    revoking: inUserData(revoking),
    ...(next.length === 0 ? {} : { next: inUserData(next) }),
    ...rest,
  }
  return encodeConsumerProtocolAssignment({
    version: consumerVersion,
    assignedPartitions: byTopic(owned),
    userData: JSON.stringify(data),
  })
}

/** Undefined: it is not from Millrace, or damaged, or the group has not shared out anything yet. */
export function decodeAssignment(bytes: Buffer): Assignment | undefined {
  return unlessDamaged(() => {
    const { assignedPartitions, userData } = decodeConsumerProtocolAssignment(bytes)
    const data = assignmentData.parse(JSON.parse(userData.toString()))
    const { revoking, next = [], superseded, rank, generation, planHash } = data
    return {
      owned: flat(assignedPartitions),
      revoking: outOfUserData(revoking),
      ...(next.length === 0 ? {} : { next: outOfUserData(next) }),
      ...{ superseded, rank, generation, planHash },
    }
  })
}

function unlessDamaged<Result>(read: () => Result): Result | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

interface OfTopic {
  readonly topic: string
  readonly partitions: number[]
}

function byTopic(partitions: readonly TopicPartition[]): OfTopic[] {
  return [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, ofTopic]) => ({
    topic,
    partitions: ofTopic.map(({ partition }) => partition),
  }))
}

const inUserData = (partitions: readonly TopicPartition[]) =>
  byTopic(partitions).map(({ topic, partitions: numbers }): [string, number[]] => [topic, numbers])

const outOfUserData = (told: z.infer<typeof places>) =>
  flat(told.map(([topic, partitions]) => ({ topic, partitions })))

const flat = (topics: readonly OfTopic[]): TopicPartition[] =>
  topics.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })))
