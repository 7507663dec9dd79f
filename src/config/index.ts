/** `millrace/config`: what millrace.config.ts is written with. */
export {
  type Brokers,
  type ConfluentCloudOptions,
  confluentCloud,
  type KafkaOptions,
  kafka,
  kafkaByVariables,
  type MskOptions,
  msk,
  type SelfManagedOptions,
  selfManaged,
} from './connections.ts'
export {
  type Config,
  defineConfig,
  type EmbeddedChoice,
  type EnvironmentOptions,
  embedded,
  type LogChoice,
} from './environment.ts'
export type {
  KafkaChoice,
  KafkaConnection,
  TopicMakingOptions,
  VariablesChoice,
} from './kafka-connection.ts'
export type { SaslOptions } from './sasl.ts'
export {
  type SchemaRegistryChoice,
  type SchemaRegistryConnection,
  type SchemaRegistryOptions,
  schemaRegistry,
} from './schema-registry.ts'
export { Secret, type SecretOptions, secret } from './secret.ts'
export {
  type HttpChoice,
  type HttpServiceOptions,
  http,
  type PostgresChoice,
  type PostgresServiceOptions,
  postgres,
  type ServiceChoice,
} from './services.ts'
export type { TlsOptions } from './tls.ts'
