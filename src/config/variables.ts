/** A Kafka that variables describe, as scripts and containers pass it on. */
import { fail, suggestion } from '../core/errors.ts'
import { kafka, selfManaged } from './connections.ts'
import type { KafkaChoice, TopicMakingOptions } from './kafka-connection.ts'
import type { SaslOptions } from './sasl.ts'
import { secret } from './secret.ts'
import type { TlsOptions } from './tls.ts'

export type Variables = Readonly<Record<string, string | undefined>>

/** Those that are read. Secrets among them also by file: KAFKA_SASL_PASSWORD_FILE. */
const protocols = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']
const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const

/**
 * `given` holds where a variable says nothing. Throws `CONFIG_INVALID`, which names the variable.
 */
export function kafkaFromVariables(
  variables: Variables = process.env,
  given: TopicMakingOptions = {},
): KafkaChoice {
  const read = (name: string) => variables[name] || undefined
  const brokers = read('KAFKA_BOOTSTRAP_SERVERS')
  if (brokers === undefined) {
    const instead = 'or describe the environment in millrace.config.ts'
    throw fail(
      'CONFIG_INVALID',
      `KAFKA_BOOTSTRAP_SERVERS is not set; set it to host:port of a broker, ${instead}`,
    )
  }
  const protocol = oneOf('KAFKA_SECURITY_PROTOCOL', protocols, read) ?? 'PLAINTEXT'
  const topics = topicsOf(read, given)
  if (protocol === 'PLAINTEXT') return named(() => kafka({ brokers, ...topics }))
  const isSasl = protocol.startsWith('SASL_')
  return named(() =>
    selfManaged({
      ...{ brokers, ...topics },
      tls: protocol.endsWith('SSL') ? tlsOf(read) : false,
      ...(isSasl ? { sasl: saslOf(read) } : {}),
    }),
  )
}

type Read = (name: string) => string | undefined

function topicsOf(read: Read, given: TopicMakingOptions): TopicMakingOptions {
  const create = oneOf('KAFKA_CREATE_TOPICS', ['TRUE', 'FALSE'], read)
  const copies = read('KAFKA_REPLICATION_FACTOR')
  if (copies !== undefined && !/^[1-9]\d{0,3}$/.test(copies)) {
    throw fail('CONFIG_INVALID', `KAFKA_REPLICATION_FACTOR is '${copies}'; give a number such as 3`)
  }
  return {
    createTopics: create === undefined ? given.createTopics : create === 'TRUE',
    replicationFactor: copies === undefined ? given.replicationFactor : Number(copies),
  }
}

function tlsOf(read: Read): TlsOptions {
  const ca = read('KAFKA_SSL_CA')
  const certificate = read('KAFKA_SSL_CERTIFICATE')
  const pkcs12 = read('KAFKA_SSL_PKCS12')
  const isKept = read('KAFKA_SSL_KEY') !== undefined || read('KAFKA_SSL_KEY_FILE') !== undefined
  const passphrase = read('KAFKA_SSL_PASSPHRASE') ?? read('KAFKA_SSL_PASSPHRASE_FILE')
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(isKept ? { key: secret('KAFKA_SSL_KEY') } : {}),
    ...(pkcs12 === undefined ? {} : { pkcs12 }),
    ...(passphrase === undefined ? {} : { passphrase: secret('KAFKA_SSL_PASSPHRASE') }),
  }
}

function saslOf(read: Read): SaslOptions {
  const mechanism = oneOf('KAFKA_SASL_MECHANISM', mechanisms, read) ?? 'PLAIN'
  if (mechanism !== 'OAUTHBEARER') {
    const username = needed('KAFKA_SASL_USERNAME', read)
    return { mechanism, username, password: secret('KAFKA_SASL_PASSWORD') }
  }
  const scope = read('KAFKA_SASL_OAUTH_SCOPE')
  return {
    mechanism,
    tokenEndpoint: needed('KAFKA_SASL_OAUTH_TOKEN_ENDPOINT', read),
    clientId: needed('KAFKA_SASL_OAUTH_CLIENT_ID', read),
    clientSecret: secret('KAFKA_SASL_OAUTH_CLIENT_SECRET'),
    ...(scope === undefined ? {} : { scope }),
  }
}

function needed(name: string, read: Read): string {
  const value = read(name)
  if (value === undefined) throw fail('CONFIG_INVALID', `${name} is not set`)
  return value
}

function oneOf<const Known extends string>(name: string, known: readonly Known[], read: Read) {
  const value = read(name)?.toUpperCase()
  if (value === undefined) return undefined
  const found = known.find((one) => one === value)
  if (found !== undefined) return found
  const hint = suggestion(value, known) || `it is one of ${known.join(', ')}`
  throw fail('CONFIG_INVALID', `${name} is '${value}'; ${hint}`)
}

/** What these variables describe is told by them, not by the functions that take it. */
function named(make: () => KafkaChoice): KafkaChoice {
  return { ...make(), by: 'the variables KAFKA_*' }
}
