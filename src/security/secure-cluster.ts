/**
 * A secured Kafka as files: an authority, for each broker its stores and `server.properties`, for each
 * role of client its trust store and properties, and how the storage is formatted with its first users.
 */
import { randomUUID } from 'node:crypto'
import type { Clock } from '../core/clock.ts'
import { auditLog } from './audit-log.ts'
import { type Authority, certificatePem, issue, makeAuthority } from './authority.ts'
import {
  adminUser,
  type BrokerPlace,
  brokerProperties,
  brokerUser,
  type ClientAuth,
  certificateName,
} from './broker-properties.ts'
import { clientProperties } from './client-properties.ts'
import { type BrokerAddress, type HostName, hostNameOf } from './host-name.ts'
import { keyStore, trustStore } from './key-stores.ts'
import { type KeyKind, keyToPem } from './keys.ts'
import { newPassword } from './passwords.ts'
import { propertiesText } from './properties.ts'
import type { SecureFiles } from './secure-files.ts'

export interface SecureClusterWish {
  readonly brokers: readonly BrokerAddress[]
  /** More names under which every broker is reached. */
  readonly hosts: readonly HostName[]
  readonly days: number
  readonly kind: KeyKind
  readonly organization?: string | undefined
  /** Encrypts the authority's key. */
  readonly passphrase: string
  /** Clients beside the administrator; each is a user with a folder of its own. */
  readonly clients: readonly string[]
  /** What brokers want beside the password; other than 'none', clients get certificates. */
  readonly clientAuth: ClientAuth
}

/** An authority outlives the certificates that it signs. */
const authorityDays = 3650
const defaultControllerOffset = 10_000
const highestPort = 65_535
/** Kafka's own least number is 4096. */
export const scramIterations = 8192

/** Adds all files; nothing is written yet. */
export async function secureCluster(
  files: SecureFiles,
  wish: SecureClusterWish,
  clock: Clock,
): Promise<void> {
  const { kind, organization, passphrase } = wish
  const days = Math.max(authorityDays, wish.days)
  const name = 'Millrace Kafka CA'
  const authority = await makeAuthority({ name, organization, days, kind }, clock)
  files.add('ca/ca.crt', certificatePem(authority.certificate))
  files.add('ca/ca.key', await keyToPem(authority.privateKey, passphrase))
  const users = [brokerUser, adminUser, ...wish.clients]
  const passwords = new Map(users.map((user) => [user, newPassword()]))
  const places = brokerPlaces(wish.brokers)
  const clusterId = newClusterId()
  for (const broker of places) {
    await addBroker(files, authority, { wish, broker, places, passwords, clusterId, clock })
  }
  for (const user of [adminUser, ...wish.clients]) {
    await addClient(files, authority, { wish, user, password: passwords.get(user)!, clock })
  }
}

interface BrokerWish {
  readonly wish: SecureClusterWish
  readonly broker: BrokerPlace
  readonly places: readonly BrokerPlace[]
  readonly passwords: ReadonlyMap<string, string>
  readonly clusterId: string
  readonly clock: Clock
}

async function addBroker(
  files: SecureFiles,
  authority: Authority,
  { wish, broker, places, passwords, clusterId, clock }: BrokerWish,
): Promise<void> {
  const folder = `brokers/${broker.id}`
  const name = certificateName(broker)
  const issued = await issue(
    authority,
    {
      ...{ name, organization: wish.organization, kind: wish.kind, days: wish.days },
      // Among themselves brokers are clients, too.
      uses: ['server', 'client'],
      hosts: [hostNameOf('broker', broker.host), ...wish.hosts],
    },
    clock,
  )
  const [storePassword, trustPassword] = [newPassword(), newPassword()]
  const chain = [issued.certificate, authority.certificate]
  const key = { alias: name, privateKey: issued.privateKey, chain }
  files.add(`${folder}/keystore.p12`, await keyStore(key, storePassword))
  files.add(`${folder}/truststore.p12`, await trustOf(authority, trustPassword))
  files.add(`${folder}/certificate.pem`, chain.map(certificatePem).join(''))
  const properties = brokerProperties({
    ...{ broker, brokers: places, directory: files.place(folder), clientAuth: wish.clientAuth },
    ...{ storePassword, trustPassword, userPassword: passwords.get(brokerUser)! },
  })
  files.add(`${folder}/server.properties`, propertiesText(properties))
  files.add(`${folder}/log4j2.properties`, auditLog(files.place(folder)))
  const scram = [...passwords].map(([user, password]) => {
    return `SCRAM-SHA-512=[name=${user},iterations=${scramIterations},password=${password}]`
  })
  const args = [
    ...['format', '--ignore-formatted', '--cluster-id', clusterId],
    ...['--config', files.place(folder, 'server.properties')],
    ...scram.flatMap((one) => ['--add-scram', one]),
  ]
  // Read by the tool itself: what is in its arguments could be read by everybody on the machine.
  files.add(`${folder}/format.args`, `${args.join('\n')}\n`)
}

interface ClientWish {
  readonly wish: SecureClusterWish
  readonly user: string
  readonly password: string
  readonly clock: Clock
}

async function addClient(
  files: SecureFiles,
  authority: Authority,
  { wish, user, password, clock }: ClientWish,
): Promise<void> {
  const folder = `clients/${user}`
  const trustPassword = newPassword()
  const storePassword = wish.clientAuth === 'none' ? undefined : newPassword()
  files.add(`${folder}/ca.crt`, certificatePem(authority.certificate))
  files.add(`${folder}/truststore.p12`, await trustOf(authority, trustPassword))
  files.add(`${folder}/password`, password)
  if (storePassword !== undefined) {
    const { kind, days, organization } = wish
    const own = { name: user, organization, uses: ['client'] as const, kind, days }
    const { certificate, privateKey } = await issue(authority, own, clock)
    const chain = [certificate, authority.certificate]
    files.add(
      `${folder}/keystore.p12`,
      await keyStore({ alias: user, privateKey, chain }, storePassword),
    )
    files.add(`${folder}/certificate.pem`, chain.map(certificatePem).join(''))
    files.add(`${folder}/key.pem`, await keyToPem(privateKey))
  }
  const properties = clientProperties({
    ...{ brokers: wish.brokers, user, password, directory: files.place(folder) },
    ...{ trustPassword, storePassword, group: user === adminUser ? undefined : user },
  })
  files.add(`${folder}/client.properties`, propertiesText(properties))
}

const trustOf = (authority: Authority, password: string) =>
  trustStore([{ alias: 'ca', certificate: authority.certificate }], password)

/** Controllers listen beside brokers, on ports that are not taken by others on the same machine. */
function brokerPlaces(brokers: readonly BrokerAddress[]): readonly BrokerPlace[] {
  return brokers.map(({ host, port }, index) => {
    const above = port + defaultControllerOffset
    const controllerPort = above <= highestPort ? above : port - defaultControllerOffset
    return { id: index + 1, host, port, controllerPort }
  })
}

/** As Kafka makes them; one that begins with '-' would be taken for an option. */
function newClusterId(): string {
  const bytes = Buffer.from(randomUUID().replaceAll('-', ''), 'hex')
  bytes[0] = 1
  return bytes.toString('base64url')
}
