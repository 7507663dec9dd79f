/** The doctor's words for the cluster as a whole: coordinators, copies of partitions, message sizes. */
import {
  brokerConfigs,
  type ClusterSight,
  type Configs,
  coordinatorSetback,
  type Desk,
  type TopicSight,
  topicConfigs,
} from '../log/kafka-probe-cluster.ts'
import { settingsOf } from '../log/kafka-topic-settings.ts'
import type { TopicSettings } from '../log/log.ts'
import type { NamedFinding } from './doctor-check.ts'
import type { KafkaUse } from './doctor-kafka-use.ts'
import { countText } from './table.ts'

const wantedOfTopics = [
  ...['min.insync.replicas', 'max.message.bytes', 'cleanup.policy', 'compression.type'],
  ...['retention.ms', 'retention.bytes'],
]
const wantedOfBrokers = ['min.insync.replicas', 'default.replication.factor', 'message.max.bytes']
const fewNames = 5

export async function coordinatorFindings(desk: Desk, use: KafkaUse): Promise<NamedFinding[]> {
  const name = 'coordinators'
  const wrong: string[] = []
  for (const [kind, key] of [
    ['group', use.groups[0]!.name],
    ['transaction', use.transactions[0]!.id],
  ] as const) {
    const setback = await coordinatorSetback(desk, kind, key)
    if (setback !== undefined) wrong.push(`${kind}s have none (${setback})`)
  }
  if (wrong.length === 0) {
    return [{ name, health: 'ok', saw: 'groups and transactions have theirs' }]
  }
  const fix =
    'look at __consumer_offsets and __transaction_state (kafka-topics --describe): they need leaders, and offsets.topic.replication.factor, transaction.state.log.replication.factor at most the number of brokers'
  return [{ name, health: 'fail', saw: wrong.join('; '), fix }]
}

export async function topicFindings(
  desk: Desk,
  cluster: ClusterSight,
  use: KafkaUse,
): Promise<NamedFinding[]> {
  const names = cluster.topics.map(({ name }) => name)
  const configs = await topicConfigs(desk, names, wantedOfTopics)
  const ours = new Set(use.topics.map(({ name }) => name))
  const isOurs = ({ name, isInternal }: TopicSight) =>
    isInternal || ours.size === 0 || ours.has(name)
  return [
    copiesFinding(cluster.topics, configs, isOurs),
    ...(await newTopicsFindings(desk, cluster)),
    ...differences(use, cluster.topics, configs),
  ]
}

function copiesFinding(
  topics: readonly TopicSight[],
  configs: ReadonlyMap<string, Configs>,
  isOurs: (topic: TopicSight) => boolean,
): NamedFinding {
  const name = 'replicas'
  const stuck = topics.filter((topic) => isStuck(topic, configs.get(topic.name)))
  const behind = topics.filter(({ partitions }) => partitions.some((p) => p.inSync < p.copies))
  const count = topics.reduce((sum, { partitions }) => sum + partitions.length, 0)
  if (stuck.length > 0) {
    const saw = `writes are refused, as too few copies are in sync or there is no leader: ${listed(stuck, (topic) => stuckText(topic, configs.get(topic.name)))}`
    const fix = 'bring the missing brokers back (kafka-topics --describe --unavailable-partitions)'
    return { name, health: stuck.some(isOurs) ? 'fail' : 'warn', saw, fix }
  }
  if (behind.length > 0) {
    const saw = `copies are behind, so the next broker that goes may stop writes: ${listed(behind, ({ name: topic }) => topic)}`
    const fix = 'look which broker is away (kafka-topics --describe --under-replicated-partitions)'
    return { name, health: 'warn', saw, fix }
  }
  const saw = `${countText(count)} partitions of ${countText(topics.length)} topics, all copies in sync`
  return { name, health: 'ok', saw }
}

const neededOf = (configs: Configs | undefined) => Number(configs?.get('min.insync.replicas') ?? 1)

function isStuck({ partitions }: TopicSight, configs: Configs | undefined): boolean {
  const needed = neededOf(configs)
  return partitions.some(({ hasLeader, inSync }) => !hasLeader || inSync < needed)
}

function stuckText({ name, partitions }: TopicSight, configs: Configs | undefined): string {
  const inSync = Math.min(...partitions.map((one) => (one.hasLeader ? one.inSync : 0)))
  return `${name} (${inSync} in sync, min.insync.replicas ${neededOf(configs)})`
}

/** What topics that are made from now on will be like. */
async function newTopicsFindings(desk: Desk, cluster: ClusterSight): Promise<NamedFinding[]> {
  const name = 'new topics'
  const configs = await brokerConfigs(desk, wantedOfBrokers)
  if (configs === undefined) {
    return [
      { name, health: 'ok', saw: "not looked at: this user may not see the brokers' settings" },
    ]
  }
  const copies = Number(configs.get('default.replication.factor') ?? 1)
  const needed = neededOf(configs)
  const saw = `are made with ${copies} ${copies === 1 ? 'copy' : 'copies'}, of which ${needed} have to be in sync`
  if (copies < needed) {
    const fix = `no message would be taken: raise default.replication.factor to more than ${needed}`
    return [{ name, health: 'fail', saw, fix }]
  }
  if (copies > cluster.brokers.length) {
    const fix = `there are ${cluster.brokers.length} brokers: such a topic cannot be made`
    return [{ name, health: 'fail', saw, fix }]
  }
  if (copies === 1 && cluster.brokers.length > 2) {
    const fix =
      'a broker that is lost takes them along: set default.replication.factor=3 and min.insync.replicas=2'
    return [{ name, health: 'warn', saw, fix }]
  }
  if (copies > 1 && copies === needed) {
    const fix =
      'one broker that is away stops all writes: have a copy more than min.insync.replicas'
    return [{ name, health: 'warn', saw, fix }]
  }
  return [{ name, health: 'ok', saw }]
}

/** Topics that are there otherwise than the application declares them, the size of messages first. */
function differences(
  { topics }: KafkaUse,
  there: readonly TopicSight[],
  configs: ReadonlyMap<string, Configs>,
): NamedFinding[] {
  const sizes: string[] = []
  const others: string[] = []
  let compared = 0
  for (const { name, declared } of topics) {
    const sight = there.find((one) => one.name === name)
    const seen = configs.get(name)
    if (sight === undefined || seen === undefined) continue
    compared++
    const entries = [...seen].map(([key, value]) => ({ name: key, value: value ?? null }))
    const actual = { ...settingsOf(entries), partitions: sight.partitions.length }
    for (const key of Object.keys(declared) as (keyof TopicSettings)[]) {
      if (declared[key] === undefined || declared[key] === actual[key]) continue
      const saw = `${name}: ${key} ${actual[key] ?? 'unbounded'}, declared ${declared[key]}`
      if (key === 'maxMessageBytes') sizes.push(saw)
      else others.push(saw)
    }
  }
  if (compared === 0) return []
  const few = `${countText(compared)} topics of the application`
  return [
    comparedFinding('message size', sizes, `what ${few} allow is what is declared`, sizeFix),
    comparedFinding('declarations', others, `${few} are as declared`, otherFix),
  ]
}

const sizeFix =
  'kafka-configs --alter --entity-type topics --entity-name TOPIC --add-config max.message.bytes=BYTES (declared plus 4096), or change the declaration'
const otherFix = 'change the declaration or the topic: a run refuses to start on one that differs'

function comparedFinding(
  name: string,
  wrong: readonly string[],
  well: string,
  fix: string,
): NamedFinding {
  if (wrong.length === 0) return { name, health: 'ok', saw: well }
  return { name, health: 'fail', saw: listed(wrong, (words) => words), fix }
}

function listed<Item>(items: readonly Item[], words: (item: Item) => string): string {
  const some = items.slice(0, fewNames).map(words).join(', ')
  return items.length > fewNames ? `${some} and ${items.length - fewNames} more` : some
}
