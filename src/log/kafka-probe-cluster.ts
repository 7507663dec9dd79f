/** What a cluster says of itself to somebody who is signed in: brokers, copies of partitions, settings. */
import {
  ConfigResourceTypes,
  describeConfigsV4,
  metadataV12 as metadata,
  type metadataV12,
} from '@platformatic/kafka'
import { codeOf } from '../core/errors.ts'
import { withErrors } from './kafka-answer.ts'
import type { CoordinatorKind, KafkaClient } from './kafka-client.ts'
import { codeIs, faultOf } from './kafka-faults.ts'
import type { Place } from './kafka-probe.ts'

export interface ClusterSight {
  readonly clusterId: string
  readonly brokers: readonly (Place & { readonly nodeId: number })[]
  readonly topics: readonly TopicSight[]
}

export interface TopicSight {
  readonly name: string
  readonly isInternal: boolean
  readonly partitions: readonly PartitionSight[]
  /** Operations that this user may do, by Kafka's number; undefined where the cluster does not say. */
  readonly allowed: ReadonlySet<number> | undefined
}

export interface PartitionSight {
  readonly partition: number
  readonly hasLeader: boolean
  readonly copies: number
  readonly inSync: number
}

export type Configs = ReadonlyMap<string, string | undefined>

/** Whom to ask: a broker that has let this user in. Any of them answers for the cluster. */
export interface Desk {
  readonly client: KafkaClient
  readonly node: number
}

const lane = 'doctor'
const askedAtOnce = 500
/** The first that is asked for makes the cluster make the topic that they live in. */
const coordinatorPatienceMs = 8_000
const untold = -2_147_483_648

/** All topics that this user may see. */
export async function lookAtCluster({ client, node }: Desk): Promise<ClusterSight> {
  const answer = await withErrors(client.call(node, lane, metadata.api, null, false, true))
  return {
    clusterId: answer.clusterId ?? '',
    brokers: answer.brokers.map(({ nodeId, host, port }) => ({ nodeId, host, port })),
    topics: answer.topics.flatMap(topicSight),
  }
}

function topicSight(topic: metadataV12.MetadataResponseTopic): TopicSight[] {
  const { name, isInternal, partitions, topicAuthorizedOperations, errorCode } = topic
  if (name === null || name === undefined || errorCode !== 0) return []
  return [
    {
      ...{ name, isInternal, allowed: operationsIn(topicAuthorizedOperations) },
      partitions: partitions.map((one) => ({
        partition: one.partitionIndex,
        hasLeader: one.leaderId >= 0,
        copies: one.replicaNodes.length,
        inSync: one.isrNodes.length,
      })),
    },
  ]
}

/** A bit an operation. */
export function operationsIn(bits: number): ReadonlySet<number> | undefined {
  if (bits === untold) return undefined
  const numbers = Array.from({ length: 31 }, (_, number) => number)
  return new Set(numbers.filter((number) => (bits >> number) & 1))
}

/** By topic; one whose settings this user may not see is left out. */
export async function topicConfigs(
  { client, node }: Desk,
  names: readonly string[],
  wanted: readonly string[],
): Promise<Map<string, Configs>> {
  const found = new Map<string, Configs>()
  for (let from = 0; from < names.length; from += askedAtOnce) {
    const resources = names.slice(from, from + askedAtOnce).map((resourceName) => ({
      resourceType: ConfigResourceTypes.TOPIC,
      ...{ resourceName, configurationKeys: [...wanted] },
    }))
    const asked = client.call(node, lane, describeConfigsV4.api, resources, false, false)
    const { results } = await withErrors(asked)
    for (const { resourceName, errorCode, configs } of results) {
      if (errorCode === 0) found.set(resourceName, configsIn(configs))
    }
  }
  return found
}

/** Undefined where this user may not see them. */
export async function brokerConfigs(
  { client, node }: Desk,
  wanted: readonly string[],
): Promise<Configs | undefined> {
  const resource = { resourceType: ConfigResourceTypes.BROKER, resourceName: `${node}` }
  const resources = [{ ...resource, configurationKeys: [...wanted] }]
  const { results } = await withErrors(
    client.call(node, lane, describeConfigsV4.api, resources, false, false),
  )
  const [result] = results
  return result?.errorCode === 0 ? configsIn(result.configs) : undefined
}

const configsIn = (configs: readonly { name: string; value?: string | null }[]): Configs =>
  new Map(configs.map(({ name, value }) => [name, value ?? undefined]))

/** Undefined: there is one, or none may be asked for by this user, which is another question. */
export async function coordinatorSetback(
  { client }: Desk,
  kind: CoordinatorKind,
  key: string,
): Promise<string | undefined> {
  try {
    const where = `the coordinator of ${kind} ${key}`
    const untilMs = Date.now() + coordinatorPatienceMs
    await client.patiently(where, () => client.coordinator(kind, key), { untilMs })
    return undefined
  } catch (error) {
    const { id, message } = faultOf(error)
    const isHidden = id.endsWith('AUTHORIZATION_FAILED') || codeOf(error) === 'LOG_FORBIDDEN'
    return isHidden ? undefined : `${id}: ${message}`
  }
}

export const isForbidden = (code: number): boolean =>
  codeIs(code, 'TOPIC_AUTHORIZATION_FAILED') ||
  codeIs(code, 'CLUSTER_AUTHORIZATION_FAILED') ||
  codeIs(code, 'GROUP_AUTHORIZATION_FAILED') ||
  codeIs(code, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
