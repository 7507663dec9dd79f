/**
 * Keyed state on Kafka: every change is a message of a compacted topic, the store's changelog, written
 * in the transaction of the commit that makes it. What is asked for is answered from a copy in memory,
 * which is filled by reading the changelog and by nothing else: what was aborted never gets in, and
 * what other processes committed does. A copy takes as much memory as the store's partition has
 * values, and is read anew after a start: whoever owns a partition opens it (kafka-owned-state.ts).
 */
import type { Batch } from '../core/batch.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { codeOf } from '../core/errors.ts'
import { compareKeys } from '../core/key-order.ts'
import { changelogOf, changelogSettings, outputsOf, storeOf } from './kafka-changelog.ts'
import { type DecidedOptions, DecidedWait, decidedRange } from './kafka-decided-end.ts'
import type { KafkaTopics, ReadMessages } from './kafka-topics.ts'
import type { Log, Output, StateChange, StateEntry, StateRange, StateSize } from './log.ts'
import { limitOf } from './owned-state.ts'
import { SortedKeys } from './sorted-keys.ts'

type Topics = 'topic' | 'topics' | 'partitionSizes' | 'writtenEnd' | 'ensureTopic' | 'deleteTopic'

export interface KafkaStateOptions {
  readonly topics: Pick<KafkaTopics, Topics>
  /** `Log.read`: committed messages, up to where they are decided. */
  readonly read: ReadMessages
  /** `Log.offsets`. */
  readonly offsets: Log['offsets']
  readonly clock?: Clock
}

/** What was read of one partition of a changelog. */
interface Copy {
  readonly topic: string
  readonly partition: number
  /** Of the topic that was read. */
  identity: string
  readonly values: Map<string, Buffer>
  /** Undefined until somebody scans. */
  sorted: SortedKeys | undefined
  position: number
  usedAtMs: number
  /** Reading on, for those who asked before it began. */
  running: Promise<void> | undefined
  /** For those who asked since: what was committed before they asked is not left out. */
  next: Promise<void> | undefined
}

/** A copy that nobody asked for so long is dropped: its partition went to another process. */
const unusedMs = 10 * 60_000

export class KafkaState {
  readonly #topics: KafkaStateOptions['topics']
  readonly #read: ReadMessages
  readonly #decided: DecidedOptions
  readonly #clock: Clock
  /** By topic and partition. */
  readonly #copies = new Map<string, Copy>()

  constructor({ topics, read, offsets, clock = systemClock }: KafkaStateOptions) {
    this.#topics = topics
    this.#read = read
    this.#decided = { topics, offsets, clock }
    this.#clock = clock
  }

  /**
   * See `Log.state`. Everything that was committed anywhere before the call is seen: a transaction
   * that is open when it is made is waited for. Throws `LOG_BUSY` where it does not end.
   */
  async state(
    store: string,
    partition: number,
    keys: readonly string[],
  ): Promise<Map<string, Buffer>> {
    const copy = this.#copyOf(changelogOf(store), partition)
    await this.#fresh(copy)
    const found = new Map<string, Buffer>()
    for (const key of keys) {
      const value = copy.values.get(key)
      if (value !== undefined) found.set(key, Buffer.from(value))
    }
    return found
  }

  /** See `Log.scanState`: as fresh as `state`. */
  async scan(store: string, partition: number, range: StateRange): Promise<StateEntry[]> {
    const copy = this.#copyOf(changelogOf(store), partition)
    await this.#fresh(copy)
    const { values, sorted = sortedOf(values) } = copy
    copy.sorted = sorted
    const { from = '', to } = range
    const keys = sorted.range(from, to, limitOf(range), (key) => values.has(key))
    return keys.map((key) => [key, Buffer.from(values.get(key)!)])
  }

  /** See `Log.stores`. */
  async stores(): Promise<string[]> {
    const topics = await this.#topics.topics()
    return topics.flatMap(({ name }) => storeOf(name) ?? []).sort(compareKeys)
  }

  /** See `Log.stateSizes`: how many keys there are is told by nobody. */
  async sizes(store: string): Promise<StateSize[]> {
    const sizes = await this.#topics.partitionSizes(changelogOf(store))
    return sizes.flatMap((sizeBytes, partition) => {
      return sizeBytes === 0 ? [] : [{ partition, keys: undefined, sizeBytes }]
    })
  }

  /**
   * What changes write in their transaction, to topics that are there once this resolves: one output
   * a store and partition. An output may be larger than one record batch may be.
   */
  async changesToOutputs(changes: readonly StateChange[]): Promise<Output[]> {
    const outputs = outputsOf(changes, this.#clock.now())
    await Promise.all(
      [...Map.groupBy(outputs, ({ topic }) => topic)].map(([topic, of]) => {
        const most = Math.max(...of.map(({ partition }) => partition))
        return this.#topics.ensureTopic(topic, changelogSettings(most))
      }),
    )
    return outputs
  }

  /** See `Log.deleteState`. */
  async deleteState(store: string): Promise<void> {
    const topic = changelogOf(store)
    await this.#topics.deleteTopic(topic).catch((error: unknown) => {
      if (codeOf(error) !== 'TOPIC_UNKNOWN') throw error
    })
    for (const [name, copy] of this.#copies) if (copy.topic === topic) this.#copies.delete(name)
  }

  #copyOf(topic: string, partition: number): Copy {
    const now = this.#clock.now()
    for (const [name, { usedAtMs, running }] of this.#copies) {
      if (now - usedAtMs > unusedMs && running === undefined) this.#copies.delete(name)
    }
    const name = `${topic}/${partition}`
    const copy = this.#copies.get(name) ?? emptyCopy(topic, partition)
    copy.usedAtMs = now
    this.#copies.set(name, copy)
    return copy
  }

  /** Resolves once the copy has what was committed before the call. */
  #fresh(copy: Copy): Promise<void> {
    if (copy.running === undefined) {
      copy.running = this.#readOn(copy)
        .catch((error: unknown) => {
          if (codeOf(error) !== 'TOPIC_UNKNOWN') throw error
          // It was deleted while it was read.
          forget(copy, '')
        })
        .finally(() => {
          copy.running = undefined
        })
      return copy.running
    }
    const again = () => {
      copy.next = undefined
      return this.#fresh(copy)
    }
    copy.next ??= copy.running.then(again, again)
    return copy.next
  }

  async #readOn(copy: Copy): Promise<void> {
    const { topic, partition } = copy
    const info = await this.#topics.topic(topic)
    if (info?.identity !== copy.identity) forget(copy, info?.identity ?? '')
    if (info === undefined || partition >= info.partitions) return
    const { end } = await decidedRange(this.#decided, topic, partition)
    const waiting = new DecidedWait(this.#clock, topic, partition)
    while (copy.position < end) {
      const batch = await this.#read(topic, partition, copy.position)
      if (batch !== undefined) take(copy, batch, end)
      else await waiting.wait(copy.position)
    }
  }
}

const emptyCopy = (topic: string, partition: number): Copy => ({
  ...{ topic, partition, identity: '', values: new Map(), position: 0, usedAtMs: 0 },
  sorted: undefined,
  ...{ running: undefined, next: undefined },
})

function forget(copy: Copy, identity: string): void {
  copy.identity = identity
  copy.values.clear()
  copy.sorted?.clear()
  copy.position = 0
}

/** No further than `end`: what is behind it may be a part of a commit. */
function take(copy: Copy, batch: Batch, end: number): void {
  const { bytes, offsets, keyStarts, keyEnds, valueStarts, valueEnds } = batch
  for (let index = 0; index < batch.count && offsets[index]! < end; index++) {
    const key = bytes.toString('utf8', keyStarts[index]!, keyEnds[index]!)
    const start = valueStarts[index]!
    if (start < 0) {
      copy.values.delete(key)
      continue
    }
    // Copied, so that a value does not keep all that was fetched with it.
    copy.values.set(key, Buffer.from(bytes.subarray(start, valueEnds[index]!)))
    copy.sorted?.add(key)
  }
  copy.position = Math.min(end, batch.nextOffset)
}

function sortedOf(values: ReadonlyMap<string, Buffer>): SortedKeys {
  const sorted = new SortedKeys()
  for (const key of values.keys()) sorted.add(key)
  return sorted
}
