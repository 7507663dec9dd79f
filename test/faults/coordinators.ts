/** Where groups and transactions are coordinated, how that is moved, and whether all copies are in sync. */
import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { alterPartitionReassignmentsV0, listTransactionsV1, metadataV12 } from '@platformatic/kafka'
import type { KafkaCluster } from '../../scripts/services/kafka.ts'
import type { Random } from '../../src/core/random.ts'
import { KafkaClient } from '../../src/log/kafka-client.ts'
import { oneOf } from './fault.ts'
import { pipelines, type World } from './world.ts'

const lane = 'coordinators'
const timeoutMs = 15_000
const inSyncMs = 60_000
const pollMs = 200
const internalTopics = ['__consumer_offsets', '__transaction_state']

export interface Coordinated {
  /** A group, or a transactional id. */
  readonly key: string
  readonly node: number
}

/** Of a group, or of a transactional id that is in use. Undefined: there is none. */
export async function coordinatorOf(
  world: World,
  kind: 'group' | 'transaction',
  random: Random,
): Promise<Coordinated | undefined> {
  const { cluster, run } = world.options
  return withClient(cluster, async (client) => {
    if (kind === 'group') {
      const key = `${run}-${oneOf(pipelines, random)}`
      return { key, node: await client.coordinator('group', key) }
    }
    const found: Coordinated[] = []
    for (const node of await client.nodes()) {
      const { transactionStates } = await client.call(
        ...([node, lane, listTransactionsV1.api] as const),
        ...([[], [], -1n, null] as [[], [], bigint, null]),
      )
      for (const { transactionalId } of transactionStates) {
        if (transactionalId.startsWith(run)) found.push({ key: transactionalId, node })
      }
    }
    return found.length === 0 ? undefined : oneOf(found, random)
  })
}

/**
 * Gives each partition of the internal topics to the next of its replicas, by Kafka's own tool. Resolves
 * with how many have moved.
 */
export async function moveCoordinators(cluster: KafkaCluster): Promise<number> {
  const before = await withClient(cluster, async (client) => {
    const topics = await partitionsOf(client)
    const asked = topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, replicas, leader }) => {
        const others = replicas.filter((id) => id !== leader)
        return { partitionIndex, replicas: [...others, leader] }
      }),
    }))
    await client.call(
      ...([await client.controller(), lane, alterPartitionReassignmentsV0.api] as const),
      ...([timeoutMs, false, asked] as const),
    )
    return topics
  })
  await electPreferred(cluster)
  const after = await withClient(cluster, partitionsOf)
  const leaders = leadersIn(after)
  return [...leadersIn(before)].filter(([name, leader]) => leaders.get(name) !== leader).length
}

async function electPreferred(cluster: KafkaCluster): Promise<void> {
  const file = path.join(tmpdir(), `millrace-election-${process.pid}.json`)
  const partitions = internalTopics.flatMap((topic) =>
    [0, 1, 2].map((partition) => ({ topic, partition })),
  )
  writeFileSync(file, JSON.stringify({ partitions }))
  try {
    const { code, stdout, stderr } = await cluster.tool(
      'org.apache.kafka.tools.LeaderElectionCommand',
      [
        ...['--bootstrap-server', cluster.bootstrapServers],
        ...['--election-type', 'preferred', '--path-to-json-file', file],
      ],
    )
    if (code !== 0) throw new Error(`election of leaders: ${stdout}${stderr}`)
  } finally {
    rmSync(file)
  }
}

interface InternalTopic {
  readonly name: string
  readonly partitions: readonly {
    readonly partitionIndex: number
    readonly replicas: readonly number[]
    readonly leader: number
  }[]
}

async function partitionsOf(client: KafkaClient): Promise<InternalTopic[]> {
  const { topics } = await client.call(
    ...([await client.controller(), lane, metadataV12.api] as const),
    ...([internalTopics, false, false] as const),
  )
  return topics.map(({ name, partitions }) => ({
    name: name!,
    partitions: partitions.map(({ partitionIndex, replicaNodes, leaderId }) => {
      return { partitionIndex, replicas: replicaNodes, leader: leaderId }
    }),
  }))
}

const leadersIn = (topics: readonly InternalTopic[]) =>
  new Map(
    topics.flatMap(({ name, partitions }) =>
      partitions.map(
        ({ partitionIndex, leader }) => [`${name}/${partitionIndex}`, leader] as const,
      ),
    ),
  )

/**
 * Resolves once each partition has all its copies in sync again: the next fault may take the broker
 * that is the only one now.
 */
export async function untilInSync(cluster: KafkaCluster): Promise<void> {
  const untilMs = Date.now() + inSyncMs
  for (;;) {
    const behind = await withClient(cluster, async (client) => {
      const asked = [null as unknown as string[], false, false] as const
      const node = await client.controller()
      const { topics } = await client.call(node, lane, metadataV12.api, ...asked)
      return topics
        .flatMap(({ partitions }) => partitions)
        .filter(({ isrNodes, replicaNodes }) => isrNodes.length < replicaNodes.length).length
    })
    if (behind === 0) return
    if (Date.now() > untilMs) throw new Error(`${behind} partitions do not get in sync`)
    await sleep(pollMs)
  }
}

async function withClient<Result>(
  cluster: KafkaCluster,
  work: (client: KafkaClient) => Promise<Result>,
): Promise<Result> {
  const brokers = cluster.bootstrapServers.split(',')
  const client = new KafkaClient({ brokers, clientId: 'faults' })
  try {
    return await client.patiently('coordinators', () => work(client))
  } finally {
    await client.close()
  }
}
