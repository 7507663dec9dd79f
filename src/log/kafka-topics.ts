/** Topics on Kafka: made, described, deleted, and where their partitions start and end. */
import type { Batch } from '../core/batch.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { fail } from '../core/errors.ts'
import { checkName, checkTopicSettings } from './checks.ts'
import type { KafkaClient, KafkaTopic } from './kafka-client.ts'
import { KafkaOffsets } from './kafka-offsets.ts'
import { partitionSizes, topicSizes } from './kafka-sizes.ts'
import { TopicDescriptions } from './kafka-topic-descriptions.ts'
import { TopicMaker, type TopicMakerOptions } from './kafka-topic-making.ts'
import { configsOf, type SettingsRead, splitConfigs } from './kafka-topic-settings.ts'
import {
  defaultTopicSettings,
  type OffsetRange,
  type TopicInfo,
  type TopicSettings,
} from './log.ts'

/** What reads messages: `Log.read`. */
export type ReadMessages = (
  topic: string,
  partition: number,
  offset: number,
) => Promise<Batch | undefined>

export interface KafkaTopicsOptions extends TopicMakerOptions {
  readonly clock?: Clock
}

export class KafkaTopics {
  readonly #client: KafkaClient
  readonly #offsets: KafkaOffsets
  readonly #maker: TopicMaker
  readonly #descriptions: TopicDescriptions

  constructor(client: KafkaClient, options: KafkaTopicsOptions = {}) {
    this.#client = client
    this.#offsets = new KafkaOffsets(client)
    this.#maker = new TopicMaker(client, this.#offsets, options)
    this.#descriptions = new TopicDescriptions(client, options.clock ?? systemClock)
  }

  /** See `Log.createTopic`: each partition has a leader that takes messages. */
  async createTopic(name: string, settings: Partial<TopicSettings> = {}): Promise<TopicInfo> {
    checkName('topic', name)
    const wanted = { ...defaultTopicSettings, ...settings }
    checkTopicSettings(name, wanted)
    const { partitions } = wanted
    const isMade = await this.#maker.make({ name, partitions, configs: configsOf(wanted) })
    if (!isMade) throw await this.#existsError(name)
    this.#descriptions.forget(name)
    const info = await this.topic(name)
    if (info === undefined) throw unknown(name)
    return info
  }

  /** See `Log.deleteTopic`. What groups committed on it goes a moment later; a split's topic goes too. */
  async deleteTopic(name: string): Promise<void> {
    this.#client.forgetTopic(name)
    const topic = await this.#find(name)
    if (topic === undefined) throw unknown(name)
    this.#descriptions.forget(name)
    if (!(await this.#maker.remove(topic))) throw unknown(name)
  }

  /** In the order of their names. */
  async topics(): Promise<readonly TopicInfo[]> {
    const all = await this.#client.patiently('topics', () => this.#client.topics())
    const topics = all.filter(({ isInternal }) => !isInternal).sort(byName)
    const settings = await this.#descriptions.of(topics)
    return topics.flatMap((topic) => infoOf(topic, settings.get(topic.name)) ?? [])
  }

  /** As the cluster has it now. */
  topic(name: string): Promise<TopicInfo | undefined> {
    this.#client.forgetTopic(name)
    return this.known(name)
  }

  /** As it was last heard of, so that a commit need not ask; settings are half a minute old at most. */
  async known(name: string): Promise<TopicInfo | undefined> {
    const topic = await this.#find(name)
    return topic && infoOf(topic, await this.#settingsOf(topic))
  }

  /** See `Log.offsets`: the end is behind the last message that is decided. */
  async offsets(topic: string, partition: number): Promise<OffsetRange> {
    const [start, end] = await Promise.all([
      this.#offsets.find(topic, partition, 'start'),
      this.#offsets.find(topic, partition, 'end'),
    ])
    return { start, end }
  }

  /** See `Log.sizes`. */
  async sizes(names: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const found = await Promise.all(names.map((name) => this.#find(name)))
    return topicSizes(
      this.#client,
      found.filter((topic) => topic !== undefined),
    )
  }

  /** Of each partition what its leader holds, as far as this user may know; none where there is no topic. */
  async partitionSizes(name: string): Promise<readonly (number | undefined)[]> {
    this.#client.forgetTopic(name)
    const topic = await this.#find(name)
    return topic === undefined ? [] : partitionSizes(this.#client, topic)
  }

  /** Behind the last message written, of open transactions too: whoever waits for it misses nothing. */
  writtenEnd(topic: string, partition: number): Promise<number> {
    return this.#offsets.find(topic, partition, 'written')
  }

  /**
   * See `Log.offsetAtTime`. Kafka's own answer may be a message that was aborted or a transaction's
   * marker, which has the time of its writing: so the messages from there on are looked at.
   */
  async offsetAtTime(
    topic: string,
    partition: number,
    timeMs: number,
    read: ReadMessages,
  ): Promise<number> {
    const question = timeMs > 0 ? Math.ceil(Math.min(timeMs, furthestTimeMs)) : 'start'
    const [end, found] = await Promise.all([
      this.#offsets.find(topic, partition, 'end'),
      this.#offsets.find(topic, partition, question),
    ])
    let offset = found < 0 ? end : found
    while (offset < end) {
      const batch = await read(topic, partition, offset)
      if (batch === undefined) break
      const index = batch.times.subarray(0, batch.count).findIndex((time) => time >= timeMs)
      if (index >= 0) return Math.min(end, batch.offsets[index]!)
      offset = batch.nextOffset
    }
    return end
  }

  /**
   * Lets groups keep checkpoints under names that are no topics, as splits of sources have: Kafka
   * takes offsets of topics only. Such a topic takes no messages, and `topics` does not show it. A
   * topic that is there already is left as it is.
   */
  async ensureSplitTopics(
    topics: readonly { readonly name: string; readonly partitions: number }[],
  ): Promise<void> {
    await Promise.all(
      topics.map(({ name, partitions }) => {
        checkName('topic', name)
        const making = { name, partitions: Math.max(1, partitions), configs: splitConfigs }
        const isSplit = async (topic: KafkaTopic) =>
          (await this.#settingsOf(topic))?.isSplit === true
        return this.#maker.ensure(making, isSplit)
      }),
    )
  }

  /** Makes the topic where it is missing; gives it more partitions where it has fewer. */
  async ensureTopic(name: string, settings: TopicSettings): Promise<void> {
    checkName('topic', name)
    const making = { name, partitions: settings.partitions, configs: configsOf(settings) }
    await this.#maker.ensure(making, async () => true)
  }

  #find(name: string): Promise<KafkaTopic | undefined> {
    return this.#client.patiently(`topic ${name}`, () => this.#client.topic(name))
  }

  async #settingsOf(topic: KafkaTopic): Promise<SettingsRead | undefined> {
    return (await this.#descriptions.of([topic])).get(topic.name)
  }

  async #existsError(name: string): Promise<Error> {
    const topic = await this.#find(name)
    const isSplit = topic !== undefined && (await this.#settingsOf(topic))?.isSplit
    const words = isSplit
      ? 'groups keep checkpoints of a source under that name; choose another'
      : 'exists already'
    return fail('TOPIC_EXISTS', `topic ${name}: ${words}`)
  }
}

/** The times that a Date can hold. */
const furthestTimeMs = 8.64e15

const byName = (a: KafkaTopic, b: KafkaTopic) => (a.name < b.name ? -1 : 1)

const unknown = (name: string) => fail('TOPIC_UNKNOWN', `topic ${name}: there is none`)

function infoOf(topic: KafkaTopic, settings: SettingsRead | undefined): TopicInfo | undefined {
  if (settings === undefined || settings.isSplit) return undefined
  const { isSplit: _, ...kept } = settings
  return { ...kept, name: topic.name, identity: topic.id, partitions: topic.leaders.length }
}
