/**
 * The way to a Kafka cluster: connections by broker and lane, which broker leads a partition and
 * which coordinates a group or a transactional id. What a broker holds back (a fetch that waits, a
 * join) holds up its whole connection, so each such request has a lane of its own.
 */
import { isIP } from 'node:net'
import {
  type API,
  apiVersionsV3,
  Connection,
  type ConnectionOptions,
  findCoordinatorV4,
  metadataV12,
} from '@platformatic/kafka'
import { type Clock, systemClock } from '../core/clock.ts'
import { fail } from '../core/errors.ts'
import { faultError, faultOf, orderIn } from './kafka-faults.ts'

export interface KafkaConnection {
  /** `host:port`; any of them answers for all. */
  readonly brokers: readonly string[]
  /** What the broker's logs name this client by. */
  readonly clientId: string
  readonly tls?: ConnectionOptions['tls']
  readonly sasl?: ConnectionOptions['sasl']
}

export interface KafkaTopic {
  readonly name: string
  /** The topic's id: new each time it is made. */
  readonly id: string
  /** Node ids of the leaders, by partition; -1: there is none now. */
  readonly leaders: readonly number[]
  readonly isInternal: boolean
}

export type CoordinatorKind = 'group' | 'transaction'

type Metadata = metadataV12.MetadataResponse

interface Place {
  readonly host: string
  readonly port: number
}

const connectTimeoutMs = 5_000
const requestTimeoutMs = 30_000
/** For questions that any broker answers. */
const anyPatienceMs = 4_000
/** Kafka's own clients keep so many at most, because a broker remembers five batches a producer. */
const mostInFlight = 5
const firstWaitMs = 5
const longestWaitMs = 500
/** How long calls are tried again before the caller hears of it. */
const usualPatienceMs = 60_000

/** What `patiently` tries again, and for how long. */
export interface Patience {
  readonly canRetry?: (id: string, canRetry: boolean) => boolean
  readonly patienceMs?: number
  readonly untilMs?: number
}

export class KafkaClient {
  readonly #options: KafkaConnection
  readonly #clock: Clock
  readonly #connections = new Map<string, Promise<Connection>>()
  readonly #topics = new Map<string, KafkaTopic>()
  readonly #coordinators = new Map<string, number>()
  #nodes = new Map<number, Place>()
  #controller = -1
  /** The node that answered last. */
  #answered: number | undefined
  #clusterId = ''
  #isClosed = false

  constructor(options: KafkaConnection, clock: Clock = systemClock) {
    this.#options = options
    this.#clock = clock
  }

  /** The id of the cluster; empty before the first metadata. */
  get clusterId(): string {
    return this.#clusterId
  }

  /** Asks one broker once. Throws what `faultOf` explains. */
  async call<Arguments extends unknown[], Answer>(
    node: number,
    lane: string,
    api: API<Arguments, Answer>,
    ...args: Arguments
  ): Promise<Answer> {
    const connection = await this.#connection(node, lane)
    return api.async(connection, ...args)
  }

  /**
   * Does `work` until it ends otherwise than with an error that may pass, for at most a minute unless
   * told otherwise; what is known of leaders and coordinators is forgotten in between. Throws the last
   * error, or `LOG_UNREACHABLE` where no broker answers.
   */
  async patiently<Result>(
    where: string,
    work: () => Promise<Result>,
    {
      canRetry = defaultRetry,
      patienceMs = usualPatienceMs,
      untilMs = this.#clock.now() + patienceMs,
    }: Patience = {},
  ): Promise<Result> {
    for (let waitMs = firstWaitMs; ; waitMs = Math.min(longestWaitMs, waitMs * 2)) {
      try {
        return await work()
      } catch (error) {
        const fault = faultOf(error)
        if (this.#isClosed || !canRetry(fault.id, fault.canRetry)) {
          throw orderIn(error, where) ?? error
        }
        if (this.#clock.now() + waitMs > untilMs) {
          if (!fault.id.startsWith('NETWORK')) throw error
          throw fail(
            'LOG_UNREACHABLE',
            `${where}: ${fault.message}; look whether the brokers run there (millrace doctor --env says more)`,
            {
              cause: error,
              waitMs: 1000,
            },
          )
        }
        this.#topics.clear()
        this.#coordinators.clear()
        this.#controller = -1
        await this.#clock.sleep(waitMs * (0.5 + Math.random() / 2))
      }
    }
  }

  /** The node that leads a partition. Throws a fault that may pass where there is none. */
  async leaderOf(topic: string, partition: number): Promise<number> {
    const found = await this.topic(topic)
    if (found === undefined) throw faultError(3, `topic ${topic}`)
    const leader = found.leaders[partition]
    if (leader === undefined) throw faultError(3, `topic ${topic}, partition ${partition}`)
    if (leader >= 0) return leader
    this.#topics.delete(topic)
    throw faultError(5, `topic ${topic}, partition ${partition}`)
  }

  /** What is known of a topic, asked for where it is not; undefined: there is none. */
  async topic(name: string): Promise<KafkaTopic | undefined> {
    const known = this.#topics.get(name)
    if (known !== undefined) return known
    // Not looked up anew: somebody else may have forgotten all topics in the meantime.
    return (await this.#refresh([name])).get(name)
  }

  /** All topics, as they are now. */
  async topics(): Promise<readonly KafkaTopic[]> {
    this.#topics.clear()
    return [...(await this.#refresh(null)).values()]
  }

  /** What is asked next of the topic is asked anew. */
  forgetTopic(name: string): void {
    this.#topics.delete(name)
  }

  /** Of the protocol of transactions: 2 where all brokers agreed on KIP-890's, from Kafka 4.0 on. */
  async transactionVersion(): Promise<number> {
    const { finalizedFeatures = [] } = await this.#any((connection) =>
      apiVersionsV3.api.async(connection, 'millrace', '1'),
    )
    return (
      finalizedFeatures.find(({ name }) => name === 'transaction.version')?.maxVersionLevel ?? 0
    )
  }

  async controller(): Promise<number> {
    if (this.#controller < 0) await this.#refresh([])
    return this.#controller
  }

  async nodes(): Promise<readonly number[]> {
    if (this.#nodes.size === 0) await this.#refresh([])
    return [...this.#nodes.keys()]
  }

  async coordinator(kind: CoordinatorKind, key: string): Promise<number> {
    const name = `${kind} ${key}`
    const known = this.#coordinators.get(name)
    if (known !== undefined) return known
    const answer = await this.#any((connection) =>
      findCoordinatorV4.api.async(connection, kind === 'group' ? 0 : 1, [key]),
    )
    const [found] = answer.coordinators
    if (found === undefined || found.errorCode !== 0) {
      throw faultError(found?.errorCode ?? 15, `coordinator of ${name}`)
    }
    this.#nodes.set(found.nodeId, found)
    this.#coordinators.set(name, found.nodeId)
    return found.nodeId
  }

  forgetCoordinator(kind: CoordinatorKind, key: string): void {
    this.#coordinators.delete(`${kind} ${key}`)
  }

  /** Ends the connections of one lane, and what is under way on them. */
  async closeLane(lane: string): Promise<void> {
    const ending = [...this.#connections].filter(([name]) => name.endsWith(` ${lane}`))
    for (const [name] of ending) this.#connections.delete(name)
    await Promise.all(ending.map(([, connection]) => closed(connection)))
  }

  /** Safe to call twice. */
  async close(): Promise<void> {
    this.#isClosed = true
    const connections = [...this.#connections.values()]
    this.#connections.clear()
    await Promise.all(connections.map(closed))
  }

  /** What was asked for, by name, as far as it is there. */
  async #refresh(names: readonly string[] | null): Promise<Map<string, KafkaTopic>> {
    const { brokers, clusterId, controllerId, topics } = await this.#any(metadataOf(names))
    this.#nodes = new Map(brokers.map((broker) => [broker.nodeId, broker]))
    this.#controller = controllerId
    this.#clusterId = clusterId ?? ''
    const found = new Map<string, KafkaTopic>()
    for (const { name, topicId, partitions, errorCode, isInternal } of topics) {
      if (name === null || name === undefined || errorCode !== 0) continue
      const leaders = new Array<number>(partitions.length).fill(-1)
      for (const { partitionIndex, leaderId } of partitions) leaders[partitionIndex] = leaderId
      found.set(name, { name, id: topicId, leaders, isInternal })
    }
    for (const [name, topic] of found) this.#topics.set(name, topic)
    return found
  }

  /** Asks whichever broker answers, those that are known first. */
  async #any<Answer>(ask: (connection: Connection) => Promise<Answer>): Promise<Answer> {
    const bootstrap = this.#options.brokers.map((_, index) => -1 - index)
    const nodes = new Set([this.#answered, ...this.#nodes.keys(), ...bootstrap])
    let last: unknown
    for (const node of nodes) {
      if (node === undefined || (node >= 0 && !this.#nodes.has(node))) continue
      try {
        const answer = await this.#soon(node, ask)
        this.#answered = node
        return answer
      } catch (error) {
        const { id } = faultOf(error)
        if (id !== 'NETWORK' && id !== 'NETWORK_EXCEPTION') throw error
        last = error
      }
    }
    throw last
  }

  /** A broker that stands still is not waited for: another knows the same. */
  async #soon<Answer>(
    node: number,
    ask: (connection: Connection) => Promise<Answer>,
  ): Promise<Answer> {
    const ended = new AbortController()
    const connection = this.#connection(node, 'any')
    const late = this.#clock.sleep(anyPatienceMs, ended.signal).then(() => {
      // Its other questions on this connection would wait behind this one.
      if (!ended.signal.aborted) this.#giveUp(`${node} any`, connection)
      throw faultError(13, `broker ${node} does not answer`)
    })
    late.catch(() => undefined)
    try {
      return await Promise.race([connection.then(ask), late])
    } finally {
      ended.abort()
    }
  }

  #connection(node: number, lane: string): Promise<Connection> {
    const name = `${node} ${lane}`
    const known = this.#connections.get(name)
    if (known !== undefined) return known
    const opening: Promise<Connection> = this.#open(node, () => this.#giveUp(name, opening))
    this.#connections.set(name, opening)
    opening.catch(() => this.#giveUp(name, opening))
    return opening
  }

  /** Another may stand under the name already: that one is not forgotten, and would never be closed. */
  #giveUp(name: string, connection: Promise<Connection>): void {
    if (this.#connections.get(name) === connection) this.#connections.delete(name)
    void closed(connection)
  }

  /** Negative nodes are the brokers that were named in the options. */
  async #open(node: number, ended: () => void): Promise<Connection> {
    if (this.#isClosed) throw fail('LOG_UNREACHABLE', 'the log is closed')
    const place = node < 0 ? placeOf(this.#options.brokers[-1 - node]!) : this.#nodes.get(node)
    // It may be known again once it is back: metadata is asked for in between.
    if (place === undefined) throw faultError(5, `broker ${node}`)
    const { clientId, tls, sasl } = this.#options
    const connection = new Connection(clientId, {
      ...{ connectTimeout: connectTimeoutMs, requestTimeout: requestTimeoutMs },
      maxInflights: mostInFlight,
      ...(tls === undefined ? {} : { tls: withServerName(tls, place.host) }),
      ...(sasl === undefined ? {} : { sasl }),
    })
    connection.on('error', ended)
    connection.on('close', ended)
    await connection.connect(place.host, place.port)
    return connection
  }
}

/** Names are sent along and checked; an address has none. */
function withServerName(tls: NonNullable<KafkaConnection['tls']>, host: string) {
  return isIP(host) === 0 ? { servername: host, ...tls } : tls
}

const defaultRetry = (_id: string, canRetry: boolean) => canRetry

const closed = (connection: Promise<Connection>): Promise<void> =>
  connection.then(
    (open) => open.close(),
    () => undefined,
  )

function metadataOf(names: readonly string[] | null) {
  return async (connection: Connection): Promise<Metadata> => {
    try {
      return await metadataV12.api.async(connection, names as string[], false, false)
    } catch (error) {
      // A topic that is not there, or a partition without a leader, is an answer like any other.
      const { response } = error as { response?: Metadata }
      if (response === undefined) throw error
      return response
    }
  }
}

function placeOf(broker: string): Place {
  const colon = broker.lastIndexOf(':')
  const port = Number(broker.slice(colon + 1))
  if (colon < 1 || !Number.isInteger(port)) {
    throw fail('OPTIONS_INVALID', `kafka: broker '${broker}' is not host:port`)
  }
  return { host: broker.slice(0, colon).replace(/^\[|\]$/g, ''), port }
}
