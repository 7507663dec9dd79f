/**
 * What this user may do, found out without changing anything: by the operations that answers tell,
 * by a topic that is only checked and not made, and by ending a transaction that nobody began.
 */
import {
  AclOperations,
  createTopicsV7,
  describeGroupsV5,
  endTxnV3,
  metadataV12,
} from '@platformatic/kafka'
import { withErrors } from './kafka-answer.ts'
import { codeIs, faultOf } from './kafka-faults.ts'
import { type Desk, isForbidden, operationsIn } from './kafka-probe-cluster.ts'
import { configsOf } from './kafka-topic-settings.ts'
import type { TopicSettings } from './log.ts'

export type Operation = 'Read' | 'Write' | 'Describe' | 'DescribeConfigs' | 'Create' | 'Delete'

/** A topic that is used, and how. */
export interface TopicUse {
  readonly name: string
  readonly operations: readonly Operation[]
  /** What it is made with where it is not there. */
  readonly settings: TopicSettings
}

/** Nothing missing: it may be used. */
export interface TopicRights {
  readonly exists: boolean
  readonly missing: readonly Operation[]
  /** Why it could not be made, where that is no question of rights. */
  readonly refused?: string
}

const lane = 'doctor'
const numberOf: Readonly<Record<Operation, number>> = {
  Read: AclOperations.READ,
  Write: AclOperations.WRITE,
  Describe: AclOperations.DESCRIBE,
  DescribeConfigs: AclOperations.DESCRIBE_CONFIGS,
  Create: AclOperations.CREATE,
  Delete: AclOperations.DELETE,
}

export async function topicRights(desk: Desk, use: TopicUse): Promise<TopicRights> {
  const { client, node } = desk
  const asked = client.call(node, lane, metadataV12.api, [use.name], false, true)
  const [topic] = (await withErrors(asked)).topics
  const code = topic?.errorCode ?? 0
  // Kafka does not tell a topic that one may not see from one that is not there.
  if (isForbidden(code)) {
    const { missing } = await creationRights(desk, use)
    return { exists: false, missing: ['Describe', ...use.operations, ...missing] }
  }
  if (topic === undefined || codeIs(code, 'UNKNOWN_TOPIC_OR_PARTITION')) {
    return creationRights(desk, use)
  }
  return { exists: true, missing: missingIn(topic.topicAuthorizedOperations, use.operations) }
}

async function creationRights({ client, node }: Desk, use: TopicUse): Promise<TopicRights> {
  const { needed } = configsOf(use.settings)
  const topic = {
    name: use.name,
    ...{ numPartitions: use.settings.partitions, replicationFactor: -1, assignments: [] },
    configs: needed.map((config) => ({ ...config })),
  }
  const onlyChecked = true
  const asked = client.call(node, lane, createTopicsV7.api, [topic], 10_000, onlyChecked)
  const [answer] = (await withErrors(asked)).topics
  const code = answer?.errorCode ?? 0
  if (isForbidden(code)) return { exists: false, missing: ['Create'] }
  if (code === 0 || codeIs(code, 'TOPIC_ALREADY_EXISTS')) return { exists: false, missing: [] }
  return { exists: false, missing: [], refused: answer?.errorMessage ?? `error ${code}` }
}

/** What is missing of it for whoever is in the group. */
export async function groupRights(
  { client }: Desk,
  { name: group, operations }: { readonly name: string; readonly operations: readonly Operation[] },
): Promise<Operation[]> {
  return forbidden(operations, async () => {
    const node = await client.coordinator('group', group)
    const asked = client.call(node, lane, describeGroupsV5.api, [group], true)
    const [found] = (await withErrors(asked)).groups
    if (found === undefined) return []
    if (isForbidden(found.errorCode)) return [...operations]
    return found.errorCode === 0 ? missingIn(found.authorizedOperations, operations) : []
  })
}

/** What a producer with the id needs. No producer has this number, so nothing is ended. */
export async function transactionRights({ client }: Desk, id: string): Promise<Operation[]> {
  return forbidden(['Write', 'Describe'], async () => {
    const node = await client.coordinator('transaction', id)
    const nobody = 2n ** 62n
    const asked = client.call(node, lane, endTxnV3.api, id, nobody, 0, false)
    return isForbidden((await withErrors(asked)).errorCode) ? ['Write', 'Describe'] : []
  })
}

async function forbidden(
  needed: readonly Operation[],
  ask: () => Promise<Operation[]>,
): Promise<Operation[]> {
  try {
    return await ask()
  } catch (error) {
    if (faultOf(error).id.endsWith('AUTHORIZATION_FAILED')) return [...needed]
    throw error
  }
}

function missingIn(bits: number, needed: readonly Operation[]): Operation[] {
  const allowed = operationsIn(bits)
  if (allowed === undefined) return []
  return needed.filter((operation) => !allowed.has(numberOf[operation]))
}
