/** The owned states that a handle on Kafka has open: what is committed, or fails, reaches each of them. */
import type { Clock } from '../core/clock.ts'
import { fail } from '../core/errors.ts'
import { changelogOf, changelogSettings } from './kafka-changelog.ts'
import type { KafkaClient } from './kafka-client.ts'
import { type ChangelogSources, type CommittedBatch, KafkaOwnedState } from './kafka-owned-state.ts'
import { RestoreTurns } from './kafka-owned-state-restore.ts'
import { KafkaStandbys, type StandbyCopy } from './kafka-standbys.ts'
import { StateFiles } from './kafka-state-files.ts'
import { tombstonesKeptMs } from './kafka-state-tombstones.ts'
import type { KafkaTopics } from './kafka-topics.ts'
import type { TransactionPart, TransactionResult } from './kafka-transaction.ts'
import type {
  FollowedState,
  Log,
  Membership,
  OpenStateOptions,
  OwnedState,
  TopicInfo,
} from './log.ts'
import { decodeRecordBatches } from './record-batch.ts'
import { nameOf } from './topic-partition.ts'

export interface KafkaOwnedStatesOptions extends ChangelogSources {
  readonly topics: Pick<KafkaTopics, 'topic' | 'ensureTopic' | 'writtenEnd'>
  /** Asked when a state is opened: by then the cluster is known. */
  files(): StateFiles
}

/** What a handle on Kafka has. */
export interface KafkaHandle {
  readonly topics: KafkaTopics
  readonly read: Log['read']
  readonly clock: Clock
  /** See `KafkaLogOptions`. */
  readonly directory: string | undefined
}

export function ownedStatesOf(
  client: KafkaClient,
  { directory, ...handle }: KafkaHandle,
): KafkaOwnedStates {
  return new KafkaOwnedStates({
    ...handle,
    offsets: (topic, partition) => handle.topics.offsets(topic, partition),
    tombstonesMs: (topic) => tombstonesKeptMs(client, topic),
    files: () => StateFiles.of(directory, client.clusterId),
  })
}

interface Open {
  readonly copy: KafkaOwnedState
  readonly topic: string
  readonly member: Membership | undefined
}

export class KafkaOwnedStates {
  readonly #options: KafkaOwnedStatesOptions
  /** By changelog and partition. */
  readonly #open = new Map<string, Set<Open>>()
  readonly #turns = new RestoreTurns()
  readonly #standbys: KafkaStandbys
  #files: StateFiles | undefined

  constructor(options: KafkaOwnedStatesOptions) {
    this.#options = options
    const { clock, offsets } = options
    const open = (store: string, partition: number) => this.#openStandby(store, partition)
    this.#standbys = new KafkaStandbys({ clock, offsets, open })
  }

  /** See `Log.followState`. */
  follow(store: string, partition: number): FollowedState {
    return this.#standbys.follow(changelogOf(store), store, partition)
  }

  async #openStandby(store: string, partition: number): Promise<StandbyCopy | undefined> {
    const { topics, files, ...sources } = this.#options
    const topic = changelogOf(store)
    const info = await topics.topic(topic)
    if (info === undefined || partition >= info.partitions) return undefined
    this.#files ??= files()
    const file = this.#files.openFree(topic, partition)
    if (file === undefined) return undefined
    const state = new KafkaOwnedState({
      ...{ store, partition, topic, identity: info.identity, file, turns: this.#turns },
      ...{ sources: { ...sources, topics }, onClosed: () => undefined },
    })
    return { file, state }
  }

  /** See `Log.openState`. */
  async open(store: string, partition: number, options: OpenStateOptions): Promise<OwnedState> {
    const { topics, files, ...sources } = this.#options
    const topic = changelogOf(store)
    const info = await this.#changelog(topic, partition)
    await this.#standbys.release(topic, partition)
    this.#files ??= files()
    const copy = new KafkaOwnedState({
      ...{ store, partition, topic, identity: info.identity },
      file: this.#files.open(topic, partition),
      ...{ sources: { ...sources, topics }, turns: this.#turns },
      onClosed: () => this.#forget(name, one),
    })
    const one = { copy, topic, member: options.member }
    const name = nameOf({ topic, partition })
    this.#open.set(name, (this.#open.get(name) ?? new Set()).add(one))
    try {
      await copy.restore(options)
      const { identity } = (await topics.topic(topic)) ?? {}
      if (identity !== info.identity) copy.lose('its changelog was made anew')
      return copy
    } catch (error) {
      await copy.close()
      throw error
    }
  }

  /** A transaction was committed: what it wrote to changelogs changes the copies. */
  committed({ parts, baseOffsets }: TransactionResult): void {
    if (this.#open.size === 0) return
    const found = new Map<string, CommittedBatch[]>()
    for (const [index, part] of parts.entries()) {
      const name = nameOf(part)
      if (!this.#open.has(name)) continue
      const batches = found.get(name) ?? []
      batches.push(decoded(part, baseOffsets[index]!))
      found.set(name, batches)
    }
    for (const [name, batches] of found) {
      for (const { copy } of [...(this.#open.get(name) ?? [])]) copy.committed(batches)
    }
  }

  /** A commit of this member (undefined: of none) failed, or it is not known how it ended. */
  failed(member: Membership | undefined, parts: readonly TransactionPart[]): void {
    const names = new Set(parts.map(nameOf))
    for (const [name, states] of [...this.#open]) {
      for (const one of [...states]) {
        if (one.member === member || names.has(name)) one.copy.lose('a commit of its owner failed')
      }
    }
  }

  /** The store is gone, and what was made of it goes. */
  remove(store: string): void {
    const topic = changelogOf(store)
    for (const states of [...this.#open.values()]) {
      for (const one of [...states]) if (one.topic === topic) one.copy.lose('its store is deleted')
    }
    this.#files ??= this.#options.files()
    this.#files.remove(topic)
  }

  async close(): Promise<void> {
    await this.#standbys.close()
    for (const states of [...this.#open.values()]) {
      for (const { copy } of [...states]) await copy.close()
    }
  }

  #forget(name: string, one: Open): void {
    const states = this.#open.get(name)
    states?.delete(one)
    if (states?.size === 0) this.#open.delete(name)
  }

  /** Made where it is missing: whoever owns a partition is about to write it. */
  async #changelog(topic: string, partition: number): Promise<TopicInfo> {
    const { topics } = this.#options
    await topics.ensureTopic(topic, changelogSettings(partition))
    const info = await topics.topic(topic)
    if (info === undefined) throw fail('TOPIC_UNKNOWN', `state: there is no topic ${topic}`)
    const { cleanup, retentionMs, retentionBytes, areSettingsHidden } = info
    const isKept = cleanup === 'compact' && (retentionMs ?? retentionBytes) === undefined
    if (isKept || areSettingsHidden) return info
    const words = 'forgets old messages, and with them the state of keys that rarely change'
    throw fail('TOPIC_DIFFERS', `topic ${topic}: ${words}; set its cleanup.policy to compact`)
  }
}

/** As it stands in the partition now; copied, because a copy that is being restored keeps it. */
function decoded({ topic, partition, bytes: sent, count }: TransactionPart, baseOffset: number) {
  const bytes = Buffer.from(sent)
  const batches = [{ position: 0, sizeBytes: bytes.length, baseOffset }]
  const nextOffset = baseOffset + count
  const stored = { topic, partition, origin: '', bytes, batches, from: baseOffset, nextOffset }
  return { baseOffset, batch: decodeRecordBatches(stored) }
}
