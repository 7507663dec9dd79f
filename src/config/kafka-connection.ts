/** What a log needs to reach a Kafka cluster, whatever it was described by. */
import type { TlsMaterial } from './tls.ts'

export type SaslMechanism = 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512' | 'OAUTHBEARER'

/** Each is asked for whenever a connection signs in, so that what was renewed is taken up. */
export interface SaslConnection {
  readonly mechanism: SaslMechanism
  /** For people: the user's name, where it was not given as a secret. */
  readonly shownUser?: string
  readonly username?: () => Promise<string>
  readonly password?: () => Promise<string>
  readonly token?: () => Promise<string>
  readonly oauthBearerExtensions?: Record<string, string>
}

/** Structurally what the log's client takes. It holds no password, and prints no key. */
export interface KafkaConnection {
  /** `host:port`; any of them answers for all. */
  readonly brokers: readonly string[]
  /** What the broker's logs name this client by. */
  readonly clientId: string
  readonly tls?: TlsMaterial
  readonly sasl?: SaslConnection
}

export interface ConnectContext {
  /** What the broker's logs name this client by. */
  readonly clientId: string
  /** Relative paths begin here. */
  readonly directory: string
}

/** How topics are made on a cluster. */
export interface TopicMaking {
  /** A run makes the topics that it declares and that are missing. Millrace's own are always made. */
  readonly isWanted: boolean
  /** Copies of each partition; undefined: what the brokers' own default says. */
  readonly replicationFactor: number | undefined
}

/** What every kind of cluster can be told of topics. */
export interface TopicMakingOptions {
  /**
   * Runs make the topics that they declare and that are missing, as `--create-topics` lets one run do.
   * Default: false; what is missing is told.
   */
  readonly createTopics?: boolean | undefined
  /** Copies of each partition of a topic that Millrace makes. Default: the brokers' own default. */
  readonly replicationFactor?: number | undefined
}

/** The log on the Kafka that the variables KAFKA_* describe, read once the environment is picked. */
export interface VariablesChoice {
  readonly kind: 'kafka-variables'
  readonly topics: TopicMakingOptions
}

/** A log on Kafka as a configuration names it: a description, which opens nothing. */
export interface KafkaChoice {
  readonly kind: 'kafka'
  /** The function that described it: `kafka`, `confluentCloud`, `msk`, `selfManaged`. */
  readonly by: string
  readonly brokers: readonly string[]
  /** For people: how it is secured. */
  readonly security: string
  readonly topics: TopicMaking
  /** Reads certificates, asks for no password yet. Throws `CONFIG_INVALID`, `SECRET_MISSING`. */
  connection(context: ConnectContext): Promise<KafkaConnection>
}
