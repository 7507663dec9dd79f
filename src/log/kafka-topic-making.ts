/**
 * Topics made, grown and deleted at the controller. Each change ends only when every broker that
 * answers knows of it, and the leaders of the partitions too: what is done next with the topic works.
 */
import {
  type API,
  createPartitionsV3,
  createTopicsV7,
  deleteTopicsV6,
  metadataV12,
} from '@platformatic/kafka'
import { fail } from '../core/errors.ts'
import { answerError, withErrors } from './kafka-answer.ts'
import type { KafkaClient, KafkaTopic } from './kafka-client.ts'
import { codeIs, faultError, faultOf } from './kafka-faults.ts'
import type { KafkaOffsets } from './kafka-offsets.ts'
import type { TopicConfigs } from './kafka-topic-settings.ts'

export interface Making {
  readonly name: string
  readonly partitions: number
  readonly configs: TopicConfigs
}

export interface TopicMakerOptions {
  /** Copies of each partition; default: what the brokers' own default says. */
  readonly replicationFactor?: number | undefined
  /** Told once for each topic that has to wait for brokers. */
  readonly onWaiting?: ((words: string) => void) | undefined
  /** How long too few brokers are waited for. */
  readonly brokersPatienceMs?: number | undefined
}

type Answer = Pick<createTopicsV7.CreateTopicsResponseTopic, 'errorCode' | 'errorMessage'>
type MetadataTopic = metadataV12.MetadataResponseTopic

const lane = 'admin'
/** A broker waits so long at most until the controller has done what is asked. */
const askTimeoutMs = 15_000
/** A broker that restarts is back by then. */
const defaultBrokersPatienceMs = 120_000
/** Stands for the brokers' own default. */
const defaultCopies = -1
const tooFew = 'INVALID_REPLICATION_FACTOR'
const noId = '00000000-0000-0000-0000-000000000000'

export class TopicMaker {
  readonly #client: KafkaClient
  readonly #offsets: KafkaOffsets
  readonly #options: TopicMakerOptions

  constructor(client: KafkaClient, offsets: KafkaOffsets, options: TopicMakerOptions = {}) {
    this.#client = client
    this.#offsets = offsets
    this.#options = options
  }

  /** False: there was one. Throws `NAME_INVALID`, `OPTIONS_INVALID`, `LOG_FORBIDDEN`, `BROKERS_TOO_FEW`. */
  async make(making: Making): Promise<boolean> {
    const { name } = making
    const where = `create topic ${name}`
    let isUnsure = false
    const isMade = await this.#withBrokers(where, async (check) => {
      this.#client.forgetTopic(name)
      const isThere = (await this.#client.topic(name)) !== undefined
      // An answer that got lost may have been a yes: then the topic that is there is this one.
      if (isThere) return isUnsure
      const wasUnsure = isUnsure
      isUnsure = true
      const { errorCode, errorMessage } = await this.#askToMake(making)
      if (errorCode === 0) return true
      isUnsure = wasUnsure || codeIs(errorCode, 'REQUEST_TIMED_OUT')
      if (codeIs(errorCode, 'TOPIC_ALREADY_EXISTS')) return isUnsure
      check(errorCode, errorMessage)
      throw answerError(errorCode, where, errorMessage)
    })
    if (isMade) await this.#settled(name, making.partitions)
    return isMade
  }

  /** Makes what is missing, and grows what has too few partitions where `mayGrow` agrees. */
  async ensure(making: Making, mayGrow: (topic: KafkaTopic) => Promise<boolean>): Promise<void> {
    const { name, partitions } = making
    const there = (await this.#find(name)) ?? (await this.#made(making))
    if (there.leaders.length >= partitions || !(await mayGrow(there))) return
    const where = `add partitions to topic ${name}`
    await this.#withBrokers(where, async (check) => {
      const topics = [{ name, count: partitions, assignments: null }]
      const answer = await this.#ask(name, createPartitionsV3.api, topics, askTimeoutMs, false)
      const { errorCode, errorMessage } = answer.results[0]!
      // Another process was quicker.
      if (errorCode === 0 || codeIs(errorCode, 'INVALID_PARTITIONS')) return
      check(errorCode, errorMessage)
      throw answerError(errorCode, where, errorMessage)
    })
    await this.#settled(name, partitions)
  }

  /** False: it is gone already. */
  async remove({ name, id }: KafkaTopic): Promise<boolean> {
    const where = `delete topic ${name}`
    let isUnsure = false
    const isDone = await this.#client.patiently(where, async () => {
      const wasUnsure = isUnsure
      isUnsure = true
      const topics = [{ name: null, topicId: id }]
      const { responses } = await this.#ask(name, deleteTopicsV6.api, topics, askTimeoutMs)
      const { errorCode, errorMessage } = responses[0]!
      if (errorCode === 0) return true
      isUnsure = wasUnsure || codeIs(errorCode, 'REQUEST_TIMED_OUT')
      const isGone =
        codeIs(errorCode, 'UNKNOWN_TOPIC_ID') || codeIs(errorCode, 'UNKNOWN_TOPIC_OR_PARTITION')
      if (isGone) return isUnsure
      throw answerError(errorCode, where, errorMessage)
    })
    await this.#everywhere(name, (found) => found?.topicId !== id)
    return isDone
  }

  /**
   * Tries again while there are fewer brokers than copies: one that restarts is none until it has
   * registered again. `check` throws where an answer says so.
   */
  async #withBrokers<Result>(
    where: string,
    work: (check: (errorCode: number, words: string | null | undefined) => void) => Promise<Result>,
  ): Promise<Result> {
    const { brokersPatienceMs = defaultBrokersPatienceMs, onWaiting } = this.#options
    let said: string | undefined
    const check = (errorCode: number, words: string | null | undefined) => {
      if (!codeIs(errorCode, tooFew)) return
      if (said === undefined) onWaiting?.(`${where}: ${this.#tooFewWords(words)}; waiting for them`)
      said = this.#tooFewWords(words)
      throw faultError(errorCode, where)
    }
    const canRetry = (id: string, canRetry: boolean) => canRetry || id === tooFew
    try {
      return await this.#client.patiently(where, () => work(check), {
        canRetry,
        patienceMs: brokersPatienceMs,
      })
    } catch (cause) {
      if (faultOf(cause).id !== tooFew) throw cause
      const fix = 'start the brokers that are away, or set a smaller replicationFactor'
      throw fail('BROKERS_TOO_FEW', `${where}: ${said}; ${fix}`, { cause, waitMs: 1000 })
    }
  }

  #tooFewWords(words: string | null | undefined): string {
    const { replicationFactor } = this.#options
    const copies = replicationFactor === undefined ? 'its copies' : `${replicationFactor} copies`
    return `there are too few brokers for ${copies} (the cluster says: ${words ?? tooFew})`
  }

  async #made(making: Making): Promise<KafkaTopic> {
    const isMade = await this.make(making)
    // Made by another process: its brokers may not all know it yet.
    if (!isMade) await this.#settled(making.name, 1)
    const topic = await this.#find(making.name)
    if (topic !== undefined) return topic
    throw fail('TOPIC_UNKNOWN', `topic ${making.name}: was deleted while it was made`)
  }

  /** Each commit with changes of state asks so: it waits for brokers as all others do. */
  #find(name: string): Promise<KafkaTopic | undefined> {
    return this.#client.patiently(`topic ${name}`, () => this.#client.topic(name))
  }

  async #askToMake({ name, partitions, configs }: Making): Promise<Answer> {
    const { needed, wished } = configs
    const answer = await this.#create(name, partitions, [...needed, ...wished])
    const isRefused =
      codeIs(answer.errorCode, 'INVALID_CONFIG') || codeIs(answer.errorCode, 'POLICY_VIOLATION')
    return isRefused ? this.#create(name, partitions, needed) : answer
  }

  async #create(
    name: string,
    numPartitions: number,
    configs: TopicConfigs['needed'],
  ): Promise<Answer> {
    const { replicationFactor = defaultCopies } = this.#options
    const topic = { name, numPartitions, replicationFactor, assignments: [], configs: [...configs] }
    const answer = await this.#ask(name, createTopicsV7.api, [topic], askTimeoutMs, false)
    return answer.topics[0]!
  }

  /** Who is the controller is asked anew: the one that is known may be away. */
  async #ask<Arguments extends unknown[], Found>(
    name: string,
    api: API<Arguments, Found>,
    ...args: Arguments
  ): Promise<Found> {
    this.#client.forgetTopic(name)
    await this.#client.topic(name)
    return withErrors(this.#client.call(await this.#client.controller(), lane, api, ...args))
  }

  async #settled(name: string, partitions: number): Promise<void> {
    await this.#everywhere(name, (found) => {
      const leaders = found?.partitions.filter(({ leaderId }) => leaderId >= 0) ?? []
      return leaders.length >= partitions
    })
    const numbers = Array.from({ length: partitions }, (_, number) => number)
    await Promise.all(numbers.map((number) => this.#offsets.find(name, number, 'start')))
  }

  /** Waits until each broker that can be reached says of the topic what is expected. */
  async #everywhere(
    name: string,
    isExpected: (found: MetadataTopic | undefined) => boolean,
  ): Promise<void> {
    await this.#client.patiently(`topic ${name}`, async () => {
      const nodes = await this.#client.nodes()
      await Promise.all(
        nodes.map(async (node) => {
          const topics = await this.#topicsAt(node, name)
          const found = topics?.find(({ topicId }) => topicId !== noId)
          if (topics !== undefined && !isExpected(found)) throw faultError(5, `topic ${name}`)
        }),
      )
    })
    this.#client.forgetTopic(name)
  }

  /** Undefined: the broker is away. It will know before it takes part again. */
  async #topicsAt(node: number, name: string): Promise<readonly MetadataTopic[] | undefined> {
    try {
      const asking = this.#client.call(node, lane, metadataV12.api, [name], false, false)
      return (await withErrors(asking)).topics
    } catch (error) {
      if (faultOf(error).id === 'NETWORK') return undefined
      throw error
    }
  }
}
