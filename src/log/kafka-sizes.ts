/** How many bytes topics take on the brokers' disks, as far as this user may know. */
import { describeLogDirsV4 } from '@platformatic/kafka'
import { withErrors } from './kafka-answer.ts'
import type { KafkaClient, KafkaTopic } from './kafka-client.ts'

const lane = 'admin'

/**
 * By name: what the leaders hold, which is one copy. A topic is left out where a leader says nothing
 * of one of its partitions: it is away, or this user may not ask (DESCRIBE on the cluster).
 */
export async function topicSizes(
  client: KafkaClient,
  topics: readonly KafkaTopic[],
): Promise<Map<string, number>> {
  const told = await sizesOf(client, topics)
  const sizes = new Map<string, number>()
  for (const { name, leaders } of topics) {
    const parts = leaders.map((_, partition) => told.get(`${name}/${partition}`))
    const known = parts.filter((part) => part !== undefined)
    const sizeBytes = known.reduce((sum, part) => sum + part, 0)
    if (known.length === parts.length) sizes.set(name, sizeBytes)
  }
  return sizes
}

/** Of each partition of a topic; undefined where its leader says nothing. */
export async function partitionSizes(
  client: KafkaClient,
  topic: KafkaTopic,
): Promise<(number | undefined)[]> {
  const told = await sizesOf(client, [topic])
  return topic.leaders.map((_, partition) => told.get(`${topic.name}/${partition}`))
}

/** What leaders hold, by `topic/partition`. */
async function sizesOf(
  client: KafkaClient,
  topics: readonly KafkaTopic[],
): Promise<Map<string, number>> {
  const nodes = new Set(topics.flatMap(({ leaders }) => leaders).filter((node) => node >= 0))
  const told = new Map<string, number>()
  await Promise.all(
    [...nodes].map(async (node) => {
      for (const [name, sizeBytes] of await sizesAt(client, node, topics)) {
        told.set(name, sizeBytes)
      }
    }),
  )
  return told
}

/** Of partitions that this broker leads, by `topic/partition`. */
async function sizesAt(
  client: KafkaClient,
  node: number,
  topics: readonly KafkaTopic[],
): Promise<Map<string, number>> {
  const asked = topics.flatMap(({ name, leaders }) => {
    const partitions = leaders.flatMap((leader, partition) => (leader === node ? [partition] : []))
    return partitions.length === 0 ? [] : [{ name, partitions }]
  })
  const found = new Map<string, number>()
  for (const { errorCode, topics: there } of await directoriesOf(client, node, asked)) {
    if (errorCode !== 0) continue
    for (const { name, partitions } of there) {
      for (const { partitionIndex, partitionSize, isFutureKey } of partitions) {
        // A copy on its way to another disk of the broker is no second one.
        if (!isFutureKey) found.set(`${name}/${partitionIndex}`, Number(partitionSize))
      }
    }
  }
  return found
}

/**
 * None where it is not answered: a size is worth no failure. Not every cluster lets its users ask, and
 * some do not know the question.
 */
async function directoriesOf(
  client: KafkaClient,
  node: number,
  asked: { name: string; partitions: number[] }[],
) {
  try {
    return (await withErrors(client.call(node, lane, describeLogDirsV4.api, asked))).results
  } catch {
    return []
  }
}
