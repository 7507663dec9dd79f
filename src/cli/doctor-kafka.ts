/**
 * The doctor's look at a Kafka cluster, from the outside in: brokers that are named, then those that
 * they name, then what the cluster holds and lets this user do. Nothing is changed, unless `write`
 * asks for the one thing that cannot be known without: the brokers' clock.
 */
import { messageOf } from '../core/errors.ts'
import { KafkaClient, type KafkaConnection } from '../log/kafka-client.ts'
import { placeIn, placeText, withinMs } from '../log/kafka-probe.ts'
import { measureClock } from '../log/kafka-probe-clock.ts'
import { type Desk, lookAtCluster } from '../log/kafka-probe-cluster.ts'
import type { Greeting } from '../log/kafka-probe-greeting.ts'
import type { Plan } from '../pipeline/plan.ts'
import type { Finding, NamedFinding } from './doctor-check.ts'
import { type BrokerSight, lookAtBroker } from './doctor-kafka-broker.ts'
import { coordinatorFindings, topicFindings } from './doctor-kafka-cluster.ts'
import type { Grantor } from './doctor-kafka-grant.ts'
import { rightsFindings } from './doctor-kafka-rights.ts'
import { type KafkaUse, kafkaUse } from './doctor-kafka-use.ts'
import { versionFindings } from './doctor-kafka-versions.ts'

export interface KafkaQuestion {
  readonly connection: KafkaConnection
  /** What described the connection, for the words that say how to grant. */
  readonly by: string
  readonly prefix: string
  /** Of the application, where one was named. */
  readonly plan?: Plan | undefined
  readonly write: boolean
}

const sectionMs = 30_000
const notableSkewMs = 2_000
/** Tokens and signatures of requests are refused beyond. */
const harmfulSkewMs = 5 * 60_000

export async function* kafkaFindings(question: KafkaQuestion): AsyncGenerator<NamedFinding> {
  const { connection } = question
  const named = await Promise.all(
    connection.brokers.map((broker) => lookAtBroker({ place: placeIn(broker), connection })),
  )
  for (const { findings } of named) yield* findings
  const told = named.find(({ advertised }) => advertised !== undefined)?.advertised
  if (told === undefined) {
    yield { name: 'cluster', health: 'warn', saw: 'not looked at: no broker let us in' }
    return
  }
  const known = new Map(connection.brokers.map((broker, index) => [keyOf(broker), named[index]!]))
  const all = await Promise.all(
    told.map(async (place) => {
      const seen = known.get(placeText(place))
      if (seen !== undefined) return { sight: seen, nodeId: place.nodeId }
      const sight = await lookAtBroker({ place, connection, advertisedBy: place.nodeId })
      return { sight, nodeId: place.nodeId, isNew: true }
    }),
  )
  for (const { sight, isNew } of all) if (isNew === true) yield* sight.findings
  const versions = versionFindings(all.flatMap(({ sight }) => greetingIn(sight)))
  yield* versions
  if (versions.some(({ health }) => health === 'fail')) {
    yield { name: 'cluster', health: 'warn', saw: 'not looked at: it is too old to be asked' }
    return
  }
  const open = all.find(({ sight }) => sight.advertised !== undefined)
  if (open === undefined) {
    const saw = 'not looked at: no broker can be reached where clients are told to connect'
    yield { name: 'cluster', health: 'fail', saw, fix: 'see above: advertised.listeners' }
    return
  }
  yield* clusterFindings(question, open.nodeId)
}

const keyOf = (broker: string) => placeText(placeIn(broker))

const greetingIn = ({ greeting }: BrokerSight): Greeting[] =>
  greeting === undefined ? [] : [greeting]

async function* clusterFindings(
  question: KafkaQuestion,
  node: number,
): AsyncGenerator<NamedFinding> {
  const { connection, prefix, plan } = question
  const client = new KafkaClient(connection)
  const desk: Desk = { client, node }
  const use = kafkaUse(prefix, plan)
  try {
    await client.nodes()
    const cluster = await lookAtCluster(desk)
    const brokers = cluster.brokers.length === 1 ? '1 broker' : `${cluster.brokers.length} brokers`
    yield { name: 'cluster', health: 'ok', saw: `${cluster.clusterId}, ${brokers}` }
    const grantor = await grantorOf(question)
    const sections: [name: string, look: () => Promise<NamedFinding[]>][] = [
      ['coordinators', () => coordinatorFindings(desk, use)],
      ['replicas', () => topicFindings(desk, cluster, use)],
      ['rights', () => rightsFindings(desk, use, grantor)],
      ['clock', () => clockFindings(question, desk, use)],
    ]
    for (const [name, look] of sections) yield* await attempted(name, look)
  } finally {
    await client.close()
  }
}

/** What cannot be looked at has failed; the others are still looked at. */
async function attempted(
  name: string,
  look: () => Promise<NamedFinding[]>,
): Promise<NamedFinding[]> {
  try {
    return await withinMs(look(), sectionMs)
  } catch (error) {
    return [{ name, health: 'fail', saw: messageOf(error) }]
  }
}

async function clockFindings(
  { write }: KafkaQuestion,
  desk: Desk,
  use: KafkaUse,
): Promise<NamedFinding[]> {
  if (write) {
    const transactionalId = use.transactions[0]!.id
    const { aheadMs, errorMs } = await measureClock(desk.client, {
      ...{ transactionalId, group: use.groups[0]!.name },
    })
    return [{ name: 'clock', ...clockFinding(aheadMs, errorMs) }]
  }
  const saw =
    'not measured: no answer of Kafka holds the time; --write measures it by an empty transaction'
  return [{ name: 'clock', health: 'ok', saw }]
}

export function clockFinding(aheadMs: number, errorMs: number): Finding {
  const surelyMs = Math.max(0, Math.abs(aheadMs) - errorMs)
  if (surelyMs < notableSkewMs) {
    return {
      health: 'ok',
      saw: `the broker's agrees with ours within ${Math.ceil(surelyMs + 2 * errorMs)} ms`,
    }
  }
  const where = aheadMs > 0 ? 'ahead of' : 'behind'
  const saw = `the broker's is ${(surelyMs / 1000).toFixed(1)} s ${where} ours`
  const fix =
    'set both by NTP: retention, expiry of transactions and tokens, and times that the broker stamps depend on it'
  return { health: surelyMs < harmfulSkewMs ? 'warn' : 'fail', saw, fix }
}

async function grantorOf({ connection, by }: KafkaQuestion): Promise<Grantor> {
  const { sasl, tls, brokers } = connection
  const shown = (sasl as { readonly shownUser?: string } | undefined)?.shownUser
  const unknown = sasl === undefined && tls === undefined ? 'ANONYMOUS' : 'USER'
  return {
    ...{ by, bootstrap: brokers[0]!, principal: `User:${shown ?? unknown}` },
    mechanism: sasl?.mechanism,
    isSecured: sasl !== undefined || tls !== undefined,
  }
}
