/**
 * The log on Apache Kafka: topics, groups and offsets are Kafka's own, so its own tools read what is
 * written here and write what is read here. docs/architecture.md says how a commit becomes a
 * transaction.
 */
import { randomUUID } from 'node:crypto'
import type { Batch } from '../core/batch.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { changelogOf } from './kafka-changelog.ts'
import { KafkaClient, type KafkaConnection } from './kafka-client.ts'
import { KafkaCommits } from './kafka-commit.ts'
import { controlTopic, KafkaControl } from './kafka-control.ts'
import { countMessages } from './kafka-count.ts'
import { KafkaGroups } from './kafka-groups.ts'
import type { KafkaMembership } from './kafka-member.ts'
import { joinKafkaGroup } from './kafka-membership.ts'
import { type KafkaOwnedStates, ownedStatesOf } from './kafka-owned-states.ts'
import { checkCheckpoints, prepareOutputs } from './kafka-prepare.ts'
import { KafkaReader } from './kafka-reader.ts'
import { KafkaSlots } from './kafka-slots.ts'
import { KafkaState } from './kafka-state.ts'
import { KafkaTopics } from './kafka-topics.ts'
import {
  type KafkaCommitStep,
  TransactionalProducer,
  type TransactionResult,
} from './kafka-transaction.ts'
import type {
  Checkpoint,
  Commit,
  CommitResult,
  FollowedState,
  GroupInfo,
  JoinOptions,
  Log,
  Membership,
  OffsetRange,
  OpenStateOptions,
  OwnedState,
  ReadOptions,
  StateEntry,
  StateRange,
  StateSize,
  TopicInfo,
  TopicSettings,
} from './log.ts'

export interface KafkaLogOptions {
  readonly connection: KafkaConnection
  /**
   * Names this handle in transactional ids. The same name after a restart ends at once what was
   * under way before; two handles at the same time may not share it. Default: a new one.
   */
  readonly instance?: string
  /** MILLRACE_DIR, where keyed state is kept warm; undefined: it is restored with each start. */
  readonly directory?: string | undefined
  /** Begins the names of what this log makes for itself; see prefixed.ts for all others. */
  readonly prefix?: string
  /** For members that ask for none of their own. Default 10 s. */
  readonly sessionTimeoutMs?: number
  /** Copies of each partition of topics that are made; default: the brokers' own. */
  readonly replicationFactor?: number | undefined
  /** Told when a topic cannot be made yet, because brokers are away. */
  readonly onWaiting?: ((words: string) => void) | undefined
  readonly clock?: Clock
  /** Called at each step of a transaction, for tests. */
  readonly onStep?: ((step: KafkaCommitStep) => void) | undefined
}

/** Opens a log on a cluster. Throws `LOG_UNREACHABLE` where no broker answers. */
export async function openKafkaLog(options: KafkaLogOptions): Promise<Log> {
  const log = new KafkaLog(options)
  try {
    await log.open()
  } catch (error) {
    await log.close()
    throw error
  }
  return log
}

/** How long what was committed may take to be seen, while its markers are written. */
const markerPatienceMs = 30_000
const markerWaitMs = 2

class KafkaLog implements Log {
  readonly countsByReading = true
  readonly #clock: Clock
  readonly #client: KafkaClient
  readonly #topics: KafkaTopics
  readonly #reader: KafkaReader
  readonly #groups: KafkaGroups
  readonly #control: KafkaControl
  readonly #state: KafkaState
  readonly #owned: KafkaOwnedStates
  readonly #instance: string
  readonly #sessionTimeoutMs: number | undefined
  readonly #onStep: KafkaLogOptions['onStep']
  /** Of members that commit; their transactional ids are used again once they have left. */
  readonly #slots = new KafkaSlots()
  readonly #own: KafkaCommits
  /** Commits are encoded one after the other, so that they keep the order of their calls. */
  #preparing: Promise<unknown> = Promise.resolve()
  #closing: Promise<void> | undefined
  readonly #known = (name: string) => this.#topics.known(name)

  constructor(options: KafkaLogOptions) {
    const { connection, instance, prefix = '', clock = systemClock } = options
    const { replicationFactor, onWaiting, directory } = options
    this.#sessionTimeoutMs = options.sessionTimeoutMs
    this.#onStep = options.onStep
    this.#clock = clock
    this.#instance = instance ?? randomUUID()
    this.#client = new KafkaClient(connection, clock)
    this.#topics = new KafkaTopics(this.#client, { clock, replicationFactor, onWaiting })
    this.#reader = new KafkaReader(this.#client, async (topic, partition) => {
      return (await this.#topics.offsets(topic, partition)).start
    })
    this.#control = new KafkaControl(this, `${prefix}${controlTopic}`)
    this.#groups = new KafkaGroups(this.#client, {
      topics: this.#topics,
      isPaused: (group) => this.#control.isPaused(group),
    })
    const read: Log['read'] = (...asked) => this.read(...asked)
    this.#state = new KafkaState({
      ...{ topics: this.#topics, read },
      offsets: (topic, partition) => this.offsets(topic, partition),
    })
    this.#owned = ownedStatesOf(this.#client, { topics: this.#topics, read, clock, directory })
    this.#own = this.#commitsOf(undefined, `${prefix}millrace.${this.#instance}`)
  }

  async open(): Promise<void> {
    await this.#client.patiently('kafka', () => this.#client.controller(), {
      untilMs: this.#clock.now() + 8_000,
    })
  }

  async createTopic(name: string, settings?: Partial<TopicSettings>): Promise<TopicInfo> {
    const info = await this.#topics.createTopic(name, settings)
    this.#reader.forget(name)
    return info
  }

  async deleteTopic(name: string): Promise<void> {
    await this.#topics.deleteTopic(name)
    this.#reader.forget(name)
    await this.#groups.topicForgotten(name)
  }

  topics(): Promise<readonly TopicInfo[]> {
    return this.#topics.topics()
  }

  topic(name: string): Promise<TopicInfo | undefined> {
    return this.#topics.topic(name)
  }

  sizes(topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return this.#topics.sizes(topics)
  }

  async offsets(topic: string, partition: number): Promise<OffsetRange> {
    const untilMs = Date.now() + markerPatienceMs
    for (; ; await this.#clock.sleep(markerWaitMs)) {
      const range = await this.#topics.offsets(topic, partition)
      if (range.end >= this.#reader.endOf(topic, partition) || Date.now() > untilMs) return range
    }
  }

  writtenEnd(topic: string, partition: number): Promise<number> {
    return this.#topics.writtenEnd(topic, partition)
  }

  offsetAtTime(topic: string, partition: number, timeMs: number): Promise<number> {
    const read = (name: string, of: number, offset: number) => this.read(name, of, offset)
    return this.#topics.offsetAtTime(topic, partition, timeMs, read)
  }

  read(
    topic: string,
    partition: number,
    offset: number,
    { maxBytes }: ReadOptions = {},
  ): Promise<Batch | undefined> {
    return this.#reader.read(topic, partition, offset, maxBytes)
  }

  revision(): number {
    return this.#reader.revision
  }

  changed(since: number, waitMs: number, signal?: AbortSignal): Promise<void> {
    return this.#reader.changed(since, waitMs, signal)
  }

  async count(
    topic: string,
    partition: number,
    range: OffsetRange,
    { by }: { readonly by?: string } = {},
  ): Promise<number> {
    if (by !== undefined) await this.#control.read()
    const producers = by === undefined ? undefined : this.#control.producersOf(by)
    const { end } = await this.offsets(topic, partition)
    const known = { start: range.start, end: Math.min(range.end, end) }
    return countMessages(this.#reader, topic, partition, known, producers)
  }

  commit(commit: Commit): Promise<CommitResult> {
    const submitted = this.#preparing.then(() => this.#prepare(commit))
    this.#preparing = submitted.catch(() => undefined)
    return submitted.then(({ result }) => result)
  }

  async join(group: string, options: JoinOptions): Promise<Membership> {
    const missing: JoinOptions['topics'][number][] = []
    for (const topic of options.topics) {
      if (topic.mustExist) continue
      if ((await this.#topics.known(topic.name)) === undefined) missing.push(topic)
    }
    if (missing.length > 0) await this.#topics.ensureSplitTopics(missing)
    this.#groups.expect(group, options)
    const sessionTimeoutMs = options.sessionTimeoutMs ?? this.#sessionTimeoutMs
    const join = sessionTimeoutMs === undefined ? options : { ...options, sessionTimeoutMs }
    const member = await joinKafkaGroup({
      ...{ client: this.#client, clock: this.#clock, group, join },
      paused: () => this.#control.isPaused(group),
    })
    await this.#slots.add(group, member, (index) => {
      return this.#commitsOf(member, `${group}.${this.#instance}.${index}`)
    })
    return member
  }

  async groups(): Promise<readonly GroupInfo[]> {
    await this.#control.read()
    return this.#groups.groups()
  }

  async group(name: string): Promise<GroupInfo | undefined> {
    await this.#control.read()
    return this.#groups.group(name)
  }

  resetGroup(name: string, checkpoints: readonly Checkpoint[]): Promise<void> {
    return this.#groups.resetGroup(name, checkpoints)
  }

  deleteGroup(name: string): Promise<void> {
    return this.#groups.deleteGroup(name)
  }

  pauseGroup(name: string, paused: boolean): Promise<void> {
    return this.#control.setPaused(name, paused)
  }

  openState(store: string, partition: number, options: OpenStateOptions = {}): Promise<OwnedState> {
    return this.#owned.open(store, partition, options)
  }

  followState(store: string, partition: number): FollowedState {
    return this.#owned.follow(store, partition)
  }

  state(store: string, partition: number, keys: readonly string[]): Promise<Map<string, Buffer>> {
    return this.#state.state(store, partition, keys)
  }

  scanState(store: string, partition: number, range: StateRange): Promise<StateEntry[]> {
    return this.#state.scan(store, partition, range)
  }

  stores(): Promise<readonly string[]> {
    return this.#state.stores()
  }

  stateSizes(store: string): Promise<readonly StateSize[]> {
    return this.#state.sizes(store)
  }

  async deleteState(store: string): Promise<void> {
    await this.#state.deleteState(store)
    this.#reader.forget(changelogOf(store))
    this.#owned.remove(store)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#preparing
    await Promise.all([this.#own.close(), this.#slots.close()])
    await this.#owned.close()
    await this.#reader.close()
    await this.#client.close()
  }

  /** Encoded and in the queue of its producer; the result comes later, so it is wrapped. */
  async #prepare(commit: Commit): Promise<{ readonly result: Promise<CommitResult> }> {
    checkCheckpoints(commit)
    const { outputs, changes = [], changesOf, member } = commit
    const commits = member === undefined ? this.#own : this.#slots.of(member)
    const changed = await this.#state.changesToOutputs(changes)
    const prepared = await prepareOutputs([...outputs, ...changed], this.#known)
    const own = ({ baseOffsets }: CommitResult) => ({
      baseOffsets: baseOffsets.slice(0, outputs.length),
    })
    const asked =
      changesOf === undefined
        ? commit
        : { ...commit, changesOf: (result: CommitResult) => changesOf(own(result)) }
    const result = commits.submit(asked, prepared).then(own)
    // Who waits for it hears of its failure; nobody else has to.
    result.catch(() => undefined)
    return { result }
  }

  #commitsOf(member: KafkaMembership | undefined, transactionalId: string): KafkaCommits {
    const producer = new TransactionalProducer({
      ...{ client: this.#client, clock: this.#clock, transactionalId, onStep: this.#onStep },
      onProducerId: async (producerId) => {
        if (member !== undefined) await this.#control.noteProducer(producerId, member.group)
      },
    })
    return new KafkaCommits({
      ...{ client: this.#client, producer, member },
      encodeChanges: async (changes) =>
        prepareOutputs(await this.#state.changesToOutputs(changes), this.#known),
      onCommitted: (result) => this.#noteCommitted(result),
      onFailed: (parts) => this.#owned.failed(member, parts),
    })
  }

  #noteCommitted({ parts, baseOffsets }: TransactionResult): void {
    for (const [index, { topic, partition, count }] of parts.entries()) {
      this.#reader.noteEnd(topic, partition, baseOffsets[index]! + count)
    }
    this.#owned.committed({ parts, baseOffsets })
    if (parts.length > 0) this.#reader.wake()
  }
}
