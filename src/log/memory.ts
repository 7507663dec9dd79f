/**
 * A log in memory: plain and obviously right, the oracle that tests compare other logs with, and a
 * log for tests of pipelines. It forgets everything with the process. Handles on one store see each
 * other as processes on one directory do.
 */
import { randomInt } from 'node:crypto'
import type { Batch } from '../core/batch.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { fail } from '../core/errors.ts'
import { compareKeys } from '../core/key-order.ts'
import { checkName, checkTopicSettings } from './checks.ts'
import {
  type Checkpoint,
  type Commit,
  type CommitResult,
  defaultTopicSettings,
  type GroupInfo,
  type JoinOptions,
  type Log,
  type Membership,
  type OffsetRange,
  type OwnedState,
  type ReadOptions,
  type StateEntry,
  type StateRange,
  type StateSize,
  type TopicInfo,
  type TopicSettings,
} from './log.ts'
import { checkMessages, checkMetadata } from './memory-checks.ts'
import { MemoryGroup } from './memory-group.ts'
import { MemoryPartition } from './memory-partition.ts'
import { MemoryOwnedState, scanned, sizesOf } from './memory-state.ts'

const defaultReadBytes = 1024 * 1024

interface StoredTopic {
  readonly info: TopicInfo
  readonly partitions: readonly MemoryPartition[]
}

/** What handles of the in-memory log share; lives as long as somebody holds it. */
export class MemoryStore {
  readonly topics = new Map<string, StoredTopic>()
  readonly groups = new Map<string, MemoryGroup>()
  /** By store and partition, values by key. */
  readonly state = new Map<string, Map<number, Map<string, Buffer>>>()
  /** Rises with every commit. */
  version = 0
  /** Called, once each, at the next commit. */
  readonly waiting = new Set<() => void>()
}

export interface MemoryLog extends Log {
  /** Does at once what retention and compaction would do in their own time. */
  maintain(): Promise<void>
}

export interface MemoryLogOptions {
  readonly clock?: Clock
  /** The store of another handle, to see what it sees. */
  readonly store?: MemoryStore
}

export function createMemoryLog(options: MemoryLogOptions = {}): MemoryLog {
  return new Handle(options.store ?? new MemoryStore(), options.clock ?? systemClock)
}

class Handle implements MemoryLog {
  readonly countsByReading = false
  readonly #store: MemoryStore
  readonly #clock: Clock

  constructor(store: MemoryStore, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  async createTopic(name: string, settings: Partial<TopicSettings> = {}): Promise<TopicInfo> {
    checkName('topic', name)
    const { topics } = this.#store
    if (topics.has(name)) throw fail('TOPIC_EXISTS', `topic ${name}: exists already`)
    const wanted = { ...defaultTopicSettings, ...settings }
    checkTopicSettings(name, wanted)
    const info: TopicInfo = { ...wanted, name, identity: newIdentity() }
    const numbers = Array.from({ length: wanted.partitions }, (_, number) => number)
    topics.set(name, {
      info,
      partitions: numbers.map((number) => new MemoryPartition(info, number)),
    })
    return info
  }

  async deleteTopic(name: string): Promise<void> {
    this.#topic(name)
    this.#store.topics.delete(name)
    for (const group of this.#store.groups.values()) group.forgetTopic(name)
  }

  async topics(): Promise<TopicInfo[]> {
    return [...this.#store.topics.values()].map(({ info }) => info).sort(byName)
  }

  async topic(name: string): Promise<TopicInfo | undefined> {
    return this.#store.topics.get(name)?.info
  }

  async sizes(topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const known = topics.filter((name) => this.#store.topics.has(name))
    return new Map(
      known.map((name) => {
        const { partitions } = this.#topic(name)
        return [name, partitions.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)]
      }),
    )
  }

  async offsets(topic: string, partition: number): Promise<OffsetRange> {
    return this.#partition(topic, partition).range
  }

  async writtenEnd(topic: string, partition: number): Promise<number> {
    return this.#partition(topic, partition).range.end
  }

  async offsetAtTime(topic: string, partition: number, timeMs: number): Promise<number> {
    return this.#partition(topic, partition).offsetAtTime(timeMs)
  }

  async read(
    topic: string,
    partition: number,
    offset: number,
    options: ReadOptions = {},
  ): Promise<Batch | undefined> {
    return this.#partition(topic, partition).read(offset, options.maxBytes ?? defaultReadBytes)
  }

  revision(): number {
    return this.#store.version
  }

  async changed(since: number, waitMs: number, signal?: AbortSignal): Promise<void> {
    const store = this.#store
    if (store.version <= since) await nextCommit(store, this.#clock, waitMs, signal)
  }

  async count(
    topic: string,
    partition: number,
    range: OffsetRange,
    options: { readonly by?: string } = {},
  ): Promise<number> {
    return this.#partition(topic, partition).count(range, options.by)
  }

  async commit(commit: Commit): Promise<CommitResult> {
    const store = this.#store
    // Everything that can be refused is refused before anything is done.
    const outputs = commit.outputs.map(({ topic, partition, batch }) => {
      const target = this.#partition(topic, partition)
      checkMessages(batch, this.#topic(topic).info)
      return { target, batch }
    })
    checkCheckpoints(store, commit)
    const { checkpoints = [], changes = [], member } = commit
    const baseOffsets = outputs.map(({ target, batch }) => {
      const baseOffset = target.range.end
      target.append(batch, member?.group)
      return baseOffset
    })
    for (const { topic, partition, offset, metadata } of checkpoints) {
      store.groups.get(member!.group)!.save({ topic, partition, offset, metadata })
    }
    for (const change of [...changes, ...(commit.changesOf?.({ baseOffsets }) ?? [])]) {
      const values = valuesOf(store, change.store, change.partition)
      if (change.value === null) values.delete(change.key)
      else values.set(change.key, Buffer.from(change.value))
    }
    store.version++
    for (const wake of store.waiting) wake()
    return { baseOffsets }
  }

  async join(group: string, options: JoinOptions): Promise<Membership> {
    return this.#group(group).join(options)
  }

  async groups(): Promise<GroupInfo[]> {
    return [...this.#store.groups.values()].map((group) => group.info).sort(byName)
  }

  async group(name: string): Promise<GroupInfo | undefined> {
    return this.#store.groups.get(name)?.info
  }

  async resetGroup(name: string, checkpoints: readonly Checkpoint[]): Promise<void> {
    this.#group(name).reset(checkpoints)
  }

  async deleteGroup(name: string): Promise<void> {
    this.#store.groups.get(name)?.checkIdle()
    this.#store.groups.delete(name)
  }

  async pauseGroup(name: string, paused: boolean): Promise<void> {
    this.#group(name).paused = paused
  }

  async openState(store: string, partition: number): Promise<OwnedState> {
    const values = () => this.#store.state.get(store)?.get(partition)
    return new MemoryOwnedState(store, partition, values)
  }

  async state(
    store: string,
    partition: number,
    keys: readonly string[],
  ): Promise<Map<string, Buffer>> {
    const values = this.#store.state.get(store)?.get(partition)
    const found = keys.filter((key) => values?.has(key))
    return new Map(found.map((key) => [key, Buffer.from(values!.get(key)!)]))
  }

  async scanState(
    store: string,
    partition: number,
    range: StateRange,
  ): Promise<readonly StateEntry[]> {
    return scanned(this.#store.state.get(store)?.get(partition), range)
  }

  async stores(): Promise<readonly string[]> {
    return [...this.#store.state.keys()].sort(compareKeys)
  }

  async stateSizes(store: string): Promise<readonly StateSize[]> {
    return sizesOf(this.#store.state.get(store))
  }

  async deleteState(store: string): Promise<void> {
    this.#store.state.delete(store)
  }

  async maintain(): Promise<void> {
    for (const { partitions } of this.#store.topics.values()) {
      for (const partition of partitions) partition.maintain(this.#clock.now())
    }
  }

  async close(): Promise<void> {}

  #topic(name: string): StoredTopic {
    const topic = this.#store.topics.get(name)
    if (topic === undefined) throw fail('TOPIC_UNKNOWN', `topic ${name}: there is none`)
    return topic
  }

  #partition(name: string, number: number): MemoryPartition {
    const partition = this.#topic(name).partitions[number]
    if (partition === undefined)
      throw fail('TOPIC_UNKNOWN', `topic ${name}: no partition ${number}`)
    return partition
  }

  /** The group of that name, made when there is none. */
  #group(name: string): MemoryGroup {
    checkName('group', name)
    const { groups } = this.#store
    const group = groups.get(name) ?? new MemoryGroup(name, () => this.#clock.now())
    groups.set(name, group)
    return group
  }
}

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1)

/** 8 characters of base 36. */
function newIdentity(): string {
  return randomInt(36 ** 8)
    .toString(36)
    .padStart(8, '0')
}

async function nextCommit(
  store: MemoryStore,
  clock: Clock,
  waitMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const woken = new AbortController()
  const wake = () => woken.abort()
  if (signal?.aborted) return
  store.waiting.add(wake)
  signal?.addEventListener('abort', wake, { once: true })
  await clock.sleep(waitMs, woken.signal)
  signal?.removeEventListener('abort', wake)
  store.waiting.delete(wake)
}

function valuesOf(store: MemoryStore, name: string, partition: number): Map<string, Buffer> {
  const partitions = store.state.get(name) ?? new Map<number, Map<string, Buffer>>()
  store.state.set(name, partitions)
  const values = partitions.get(partition) ?? new Map<string, Buffer>()
  partitions.set(partition, values)
  return values
}

/** Throws `METADATA_TOO_LARGE`, `MEMBER_FENCED`. */
function checkCheckpoints(store: MemoryStore, { checkpoints = [], member }: Commit): void {
  for (const checkpoint of checkpoints) checkMetadata(checkpoint)
  if (member === undefined) {
    if (checkpoints.length > 0) throw fail('MEMBER_FENCED', 'commit: checkpoints need a member')
    return
  }
  const group = store.groups.get(member.group)
  if (group === undefined) throw fail('MEMBER_FENCED', `group ${member.group}: there is none`)
  group.check(member.memberId, checkpoints)
}
