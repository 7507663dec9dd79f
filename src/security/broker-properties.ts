/**
 * `server.properties` of a broker that is also a controller (KRaft): clients and brokers by SASL_SSL
 * with SCRAM-SHA-512, controllers by TLS on both sides, nothing allowed without an ACL.
 */
import { isIP } from 'node:net'
import type { BrokerAddress } from './host-name.ts'
import { type PropertiesPart, scramLogin } from './properties.ts'

/** Whom brokers sign in as among themselves; it is a user as others are, and a super user. */
export const brokerUser = 'kafka'
/** For people, and for tools that administrate. */
export const adminUser = 'admin'

export type ClientAuth = 'none' | 'requested' | 'required'

export interface BrokerPlace extends BrokerAddress {
  readonly id: number
  readonly controllerPort: number
}

export interface BrokerProperties {
  readonly broker: BrokerPlace
  readonly brokers: readonly BrokerPlace[]
  /** Where the broker finds its files. */
  readonly directory: string
  readonly storePassword: string
  readonly trustPassword: string
  readonly userPassword: string
  readonly clientAuth: ClientAuth
}

/** The name in a broker's certificate. */
export const certificateName = ({ id }: { readonly id: number }): string => `kafka-${id}`

export function brokerProperties(wish: BrokerProperties): readonly PropertiesPart[] {
  return [
    { comment: 'Who this is, and the other ones', settings: quorum(wish) },
    {
      comment: 'Where it listens: for clients and brokers, and for controllers',
      settings: listeners(wish),
    },
    { comment: 'Encryption: its own certificate, and whom it trusts', settings: encryption(wish) },
    { comment: 'Who somebody is: users with passwords', settings: authentication(wish) },
    { comment: 'What somebody may: nothing, without an ACL', settings: authorization(wish) },
    {
      comment: 'Copies: what is acknowledged survives the loss of a broker, where there are three',
      settings: copies(wish),
    },
  ]
}

type Settings = PropertiesPart['settings']

const quorum = ({ broker, brokers, directory }: BrokerProperties): Settings => ({
  'process.roles': 'broker,controller',
  'node.id': String(broker.id),
  'controller.quorum.voters': brokers
    .map(({ id, host, controllerPort }) => `${id}@${bracketed(host)}:${controllerPort}`)
    .join(','),
  'log.dirs': `${directory}/data`,
})

function listeners({ broker: { host, port, controllerPort } }: BrokerProperties): Settings {
  // A name may stand for another address than that of the broker's own network.
  const bound = isIP(host) === 0 ? '' : bracketed(host)
  return {
    listeners: `SASL_SSL://${bound}:${port},CONTROLLER://${bound}:${controllerPort}`,
    'advertised.listeners': `SASL_SSL://${bracketed(host)}:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'SASL_SSL:SASL_SSL,CONTROLLER:SSL',
    'security.inter.broker.protocol': 'SASL_SSL',
  }
}

const encryption = (wish: BrokerProperties): Settings => ({
  'ssl.keystore.location': `${wish.directory}/keystore.p12`,
  'ssl.keystore.type': 'PKCS12',
  'ssl.keystore.password': wish.storePassword,
  'ssl.key.password': wish.storePassword,
  'ssl.truststore.location': `${wish.directory}/truststore.p12`,
  'ssl.truststore.type': 'PKCS12',
  'ssl.truststore.password': wish.trustPassword,
  'ssl.client.auth': wish.clientAuth,
  'ssl.protocol': 'TLSv1.3',
  'ssl.enabled.protocols': 'TLSv1.3,TLSv1.2',
  'ssl.endpoint.identification.algorithm': 'https',
  // Controllers have no users: their certificates say who they are.
  'listener.name.controller.ssl.client.auth': 'required',
  'ssl.principal.mapping.rules': 'RULE:^CN=([^,]+).*$/$1/,DEFAULT',
})

const authentication = ({ userPassword }: BrokerProperties): Settings => ({
  'sasl.enabled.mechanisms': 'SCRAM-SHA-512',
  'sasl.mechanism.inter.broker.protocol': 'SCRAM-SHA-512',
  'listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config': scramLogin(brokerUser, userPassword),
})

const authorization = ({ brokers }: BrokerProperties): Settings => ({
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users': [brokerUser, adminUser, ...brokers.map(certificateName)]
    .map((name) => `User:${name}`)
    .join(';'),
  'allow.everyone.if.no.acl.found': 'false',
})

function copies({ brokers }: BrokerProperties): Settings {
  const all = String(Math.min(3, brokers.length))
  const inSync = String(brokers.length >= 3 ? 2 : 1)
  return {
    'default.replication.factor': all,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': all,
    'transaction.state.log.replication.factor': all,
    'transaction.state.log.min.isr': inSync,
    'share.coordinator.state.topic.replication.factor': all,
    'share.coordinator.state.topic.min.isr': inSync,
    'auto.create.topics.enable': 'false',
  }
}

const bracketed = (host: string) => (host.includes(':') ? `[${host}]` : host)
