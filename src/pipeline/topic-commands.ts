/** Commands of Kafka's own tools that make and change topics, for people whose cluster others look after. */
import type { KafkaChoice } from '../config/kafka-connection.ts'
import { configsOf } from '../log/kafka-topic-settings.ts'
import type { TopicSettings } from '../log/log.ts'

/** A cluster as commands name it. */
export interface Cluster {
  readonly log: KafkaChoice
  /** Begins the names of topics, with its dot; empty: none. */
  readonly prefix: string
}

export const clusterOf = (log: KafkaChoice, prefix: string): Cluster => ({
  log,
  prefix: prefix === '' ? '' : `${prefix}.`,
})

const reach = ({ log }: Cluster) => {
  const isOpen = log.security === 'no encryption'
  const servers = `--bootstrap-server ${log.brokers.join(',')}`
  return isOpen ? servers : `${servers} --command-config ADMIN.properties`
}

/** Makes a topic as it is declared. */
export function createCommand(cluster: Cluster, name: string, settings: TopicSettings): string {
  const { replicationFactor } = cluster.log.topics
  return [
    `kafka-topics.sh ${reach(cluster)} --create --if-not-exists --topic ${cluster.prefix}${name}`,
    `--partitions ${settings.partitions}`,
    ...(replicationFactor === undefined ? [] : [`--replication-factor ${replicationFactor}`]),
    ...configsOf(settings).needed.map(({ name, value }) => `--config ${name}=${value}`),
  ].join(' ')
}

export const growCommand = (cluster: Cluster, name: string, partitions: number): string =>
  `kafka-topics.sh ${reach(cluster)} --alter --topic ${cluster.prefix}${name} --partitions ${partitions}`

/** Of a topic's settings, how each is called in Kafka's configuration. */
const configNames = {
  cleanup: 'cleanup.policy',
  retentionMs: 'retention.ms',
  retentionBytes: 'retention.bytes',
  maxMessageBytes: 'max.message.bytes',
  compression: 'compression.type',
} as const

/** Changes one setting of a topic to what `settings` say. */
export function alterCommand(
  cluster: Cluster,
  name: string,
  key: keyof typeof configNames,
  settings: TopicSettings,
): string {
  const { needed, wished } = configsOf(settings)
  const config = [...needed, ...wished].find((one) => one.name === configNames[key])!
  const value = config.value.includes(',') ? `[${config.value}]` : config.value
  return `kafka-configs.sh ${reach(cluster)} --alter --entity-type topics --entity-name ${cluster.prefix}${name} --add-config ${config.name}=${value}`
}
