/** Client properties that Kafka's own tools and every Java client take. */
import type { BrokerAddress } from './host-name.ts'
import { type PropertiesPart, scramLogin } from './properties.ts'

export interface ClientProperties {
  readonly brokers: readonly BrokerAddress[]
  readonly user: string
  readonly password: string
  /** Where the client finds its files. */
  readonly directory: string
  readonly trustPassword: string
  /** With a certificate of its own too. */
  readonly storePassword?: string | undefined
  /** Of a consumer. */
  readonly group?: string | undefined
}

export function clientProperties(wish: ClientProperties): readonly PropertiesPart[] {
  const { brokers, user, directory, trustPassword, storePassword, group } = wish
  const own: PropertiesPart = {
    comment: 'The certificate by which brokers know this client',
    settings: {
      'ssl.keystore.location': `${directory}/keystore.p12`,
      'ssl.keystore.type': 'PKCS12',
      'ssl.keystore.password': storePassword ?? '',
      'ssl.key.password': storePassword ?? '',
    },
  }
  return [
    {
      comment: 'Where the brokers are, and who this is',
      settings: {
        'bootstrap.servers': brokers.map(({ host, port }) => `${host}:${port}`).join(','),
        'security.protocol': 'SASL_SSL',
        'sasl.mechanism': 'SCRAM-SHA-512',
        'sasl.jaas.config': scramLogin(user, wish.password),
        ...(group === undefined ? {} : { 'group.id': group }),
      },
    },
    {
      comment: 'Whom it trusts',
      settings: {
        'ssl.truststore.location': `${directory}/truststore.p12`,
        'ssl.truststore.type': 'PKCS12',
        'ssl.truststore.password': trustPassword,
        'ssl.endpoint.identification.algorithm': 'https',
      },
    },
    ...(storePassword === undefined ? [] : [own]),
  ]
}
