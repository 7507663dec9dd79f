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

/** A log on Kafka as a configuration names it: a description, which opens nothing. */
export interface KafkaChoice {
  readonly kind: 'kafka'
  /** The function that described it: `kafka`, `confluentCloud`, `msk`, `selfManaged`. */
  readonly by: string
  readonly brokers: readonly string[]
  /** For people: how it is secured. */
  readonly security: string
  /** Reads certificates, asks for no password yet. Throws `CONFIG_INVALID`, `SECRET_MISSING`. */
  connection(context: ConnectContext): Promise<KafkaConnection>
}
