/**
 * Reads partitions. Whoever reads one on and on is followed: fetches of all followed partitions of a
 * broker wait there together, so that what comes is here before it is asked for, and wakes whoever
 * waits for a change.
 */
import { Batch, emptyColumns } from '../core/batch.ts'
import type { KafkaClient } from './kafka-client.ts'
import { faultError } from './kafka-faults.ts'
import {
  type Fetched,
  fetchedOf,
  joined,
  KafkaFetcher,
  type KnownPartition,
} from './kafka-fetch.ts'
import { type FetchedPart, fetchParts } from './kafka-wire.ts'
import type { TopicPartition } from './log.ts'
import { decodeRecordBatches } from './record-batch.ts'

const readBytes = 1024 * 1024
/** What may lie here of a partition before it is asked for. */
const bufferBytes = 2 * 1024 * 1024
const answerBytes = 16 * 1024 * 1024
/** Also how long a partition that is followed from now on may have to wait for its first fetch. */
const longPollMs = 100
/** A partition that nobody read for so long is followed no more. */
const unusedMs = 30_000
interface Followed extends TopicPartition {
  readonly topicId: string
  /** The next offset to fetch. */
  position: number
  /** What was fetched and not read yet, in order. */
  readonly buffer: Fetched[]
  bufferedBytes: number
  /** True while a fetch that waits at the broker asks for `position`. */
  isAsked: boolean
  usedAtMs: number
}

/** The next fetch of whoever reads on, under way while what came before is worked on. */
interface Ahead {
  readonly offset: number
  readonly maxBytes: number
  /** Never rejects: who finds nothing here asks directly, and hears what stands in its way. */
  readonly found: Promise<Fetched | undefined>
}

interface Known extends KnownPartition {
  followed: Followed | undefined
  ahead: Ahead | undefined
  /** Behind what was read last. */
  readTo: number
}

export class KafkaReader {
  readonly #client: KafkaClient
  readonly #fetcher: KafkaFetcher
  readonly #known = new Map<string, Known>()
  readonly #loops = new Map<number, Promise<void>>()
  readonly #waiting = new Set<() => void>()
  #revision = 1
  #isClosed = false

  /** `startOf` tells the first offset that is kept of a partition. */
  constructor(client: KafkaClient, startOf: (topic: string, partition: number) => Promise<number>) {
    this.#client = client
    this.#fetcher = new KafkaFetcher(client, startOf)
  }

  get revision(): number {
    return this.#revision
  }

  /** See `Log.changed`; what is waited for are partitions that were read to their end. */
  async changed(since: number, waitMs: number, signal?: AbortSignal): Promise<void> {
    if (this.#revision > since || signal?.aborted) return
    await new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', end)
        this.#waiting.delete(end)
        resolve()
      }
      const timer = setTimeout(end, waitMs)
      signal?.addEventListener('abort', end)
      this.#waiting.add(end)
    })
  }

  /** This handle committed messages up to there: they must be seen by whoever reads here. */
  noteEnd(topic: string, partition: number, end: number): void {
    const known = this.#knownOf(topic, partition)
    if (end > known.end) known.end = end
  }

  /** The topic is another one now, or none. */
  forget(topic: string): void {
    for (const name of this.#known.keys()) {
      if (name.slice(0, name.lastIndexOf('/')) === topic) this.#known.delete(name)
    }
  }

  wake(): void {
    this.#revision++
    for (const waiter of [...this.#waiting]) waiter()
  }

  /** The end that this handle may not stop short of. */
  endOf(topic: string, partition: number): number {
    return this.#known.get(`${topic}/${partition}`)?.end ?? 0
  }

  /** See `Log.read`. */
  async read(
    topic: string,
    partition: number,
    offset: number,
    maxBytes = readBytes,
  ): Promise<Batch | undefined> {
    const fetched = await this.fetch(topic, partition, offset, maxBytes)
    if (fetched === undefined) return undefined
    const where = `read ${topic}/${partition}`
    const { id } = await this.#client.patiently(where, () => this.#fetcher.topicOf(topic))
    const { bytes, batches, nextOffset } = fetched
    const origin = `${id}/${partition}`
    if (batches.length === 0) {
      const columns = emptyColumns(topic, partition, 0)
      return new Batch({ ...columns, origin, nextOffset })
    }
    return decodeRecordBatches({
      topic,
      partition,
      origin,
      bytes,
      batches,
      from: offset,
      nextOffset,
    })
  }

  /** The same before it is decoded. Undefined: there is nothing at this offset yet. */
  async fetch(
    topic: string,
    partition: number,
    offset: number,
    maxBytes = readBytes,
  ): Promise<Fetched | undefined> {
    const known = this.#knownOf(topic, partition)
    const { followed } = known
    if (followed !== undefined) {
      followed.usedAtMs = Date.now()
      const [first] = followed.buffer
      if (first?.offset === offset) return takeBuffered(followed, maxBytes)
      if (first === undefined && followed.position === offset) {
        if (followed.isAsked && offset >= known.end) return undefined
      } else known.followed = undefined
    }
    const isNext = offset === known.readTo
    const found =
      (await this.#takeAhead(topic, offset, maxBytes, known)) ??
      (await this.#fetcher.fetch(topic, partition, offset, maxBytes, known))
    const position = found?.nextOffset ?? offset
    known.readTo = position
    const isReadOn = followed !== undefined || found === undefined
    if (isReadOn && position >= known.end) await this.#follow(topic, partition, position, known)
    else if (isNext && position < known.end) this.#fetchAhead(topic, partition, maxBytes, known)
    return found
  }

  #fetchAhead(topic: string, partition: number, maxBytes: number, known: Known): void {
    const offset = known.readTo
    const found = this.#fetcher.fetch(topic, partition, offset, maxBytes, known)
    known.ahead = { offset, maxBytes, found: found.catch(() => undefined) }
  }

  /** What was fetched ahead, where it is what is asked for now. */
  async #takeAhead(
    topic: string,
    offset: number,
    maxBytes: number,
    known: Known,
  ): Promise<Fetched | undefined> {
    const { ahead } = known
    known.ahead = undefined
    if (ahead?.offset !== offset || ahead.maxBytes !== maxBytes) return undefined
    const found = await ahead.found
    // One made anew under its name begins anew.
    const now = await this.#client.topic(topic).catch(() => undefined)
    return now?.id === known.topicId ? found : undefined
  }

  /** Fetches once, for whoever does not read on: nothing is followed because of it. */
  look(
    topic: string,
    partition: number,
    offset: number,
    maxBytes = readBytes,
  ): Promise<Fetched | undefined> {
    return this.#fetcher.fetch(topic, partition, offset, maxBytes, this.#knownOf(topic, partition))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#fetcher.close()
    this.#known.clear()
    this.wake()
    await Promise.all(this.#loops.values())
  }

  #knownOf(topic: string, partition: number): Known {
    const name = `${topic}/${partition}`
    const known = this.#known.get(name)
    if (known !== undefined) return known
    const made: Known = {
      ...{ topicId: undefined, end: 0, followed: undefined, ahead: undefined, readTo: -1 },
    }
    this.#known.set(name, made)
    return made
  }

  /** Where that cannot be, the next read asks directly, and hears what stands in its way. */
  async #follow(topic: string, partition: number, position: number, known: Known): Promise<void> {
    let topicId: string
    let node: number
    try {
      topicId = (await this.#fetcher.topicOf(topic)).id
      node = await this.#client.leaderOf(topic, partition)
    } catch {
      return
    }
    if (this.#isClosed) return
    if (known.followed?.position !== position) {
      known.followed = {
        ...{ topic, partition, topicId, position, buffer: [], bufferedBytes: 0 },
        ...{ isAsked: false, usedAtMs: Date.now() },
      }
    }
    // Also where it was followed before, at a broker that led it then.
    if (!this.#loops.has(node)) {
      const loop = this.#fetchOn(node).finally(() => {
        if (this.#loops.get(node) === loop) this.#loops.delete(node)
      })
      this.#loops.set(node, loop)
    }
  }

  /** Fetches of all that is followed at a broker, one after the other, until nothing is. */
  async #fetchOn(node: number): Promise<void> {
    while (!this.#isClosed) {
      const followed = await this.#followedAt(node).catch(() => [])
      if (followed.length === 0) {
        // At once: what is followed from now on begins a loop of its own.
        this.#loops.delete(node)
        return
      }
      const open = followed.filter((one) => one.bufferedBytes < bufferBytes)
      if (open.length === 0) {
        await new Promise((resolve) => setTimeout(resolve, 1))
        continue
      }
      try {
        await this.#fetchAll(node, open)
      } catch {
        // Whoever reads asks directly then, with patience, and finds the new leader.
        for (const one of open) this.#unfollow(one)
      }
    }
  }

  async #followedAt(node: number): Promise<Followed[]> {
    const found: Followed[] = []
    const oldest = Date.now() - unusedMs
    for (const { followed } of this.#known.values()) {
      if (followed === undefined) continue
      const { topic, partition, usedAtMs } = followed
      if (usedAtMs < oldest) this.#unfollow(followed)
      else if ((await this.#client.topic(topic))?.leaders[partition] === node) found.push(followed)
    }
    return found
  }

  async #fetchAll(node: number, open: readonly Followed[]): Promise<void> {
    const asked = open.map(({ topicId, partition, position }) => {
      return { topicId, partition, offset: position, maxBytes: readBytes }
    })
    for (const one of open) one.isAsked = true
    const { errorCode, parts } = await this.#client.call(
      ...([node, 'follow', fetchParts, longPollMs, answerBytes, asked] as const),
    )
    if (errorCode !== 0) throw faultError(errorCode, 'fetch')
    let hasNews = false
    for (const part of parts) {
      const index = asked.findIndex(
        ({ topicId, partition }) => topicId === part.topicId && partition === part.partition,
      )
      const one = open[index]
      if (one !== undefined && this.#take(one, part)) hasNews = true
    }
    for (const one of open) one.isAsked = false
    if (hasNews) this.wake()
  }

  /** True where something came. */
  #take(one: Followed, part: FetchedPart): boolean {
    const known = this.#known.get(`${one.topic}/${one.partition}`)
    // Somebody reads elsewhere meanwhile.
    if (known?.followed !== one) return false
    if (part.errorCode !== 0 || part.logStartOffset > one.position) {
      this.#unfollow(one)
      return true
    }
    if (part.lastStableOffset > known.end) known.end = part.lastStableOffset
    const found = fetchedOf(part, one.position, one.position)
    if (found === undefined) return false
    one.buffer.push(found)
    one.bufferedBytes += found.bytes.length
    one.position = found.nextOffset
    return true
  }

  #unfollow(one: Followed): void {
    const known = this.#known.get(`${one.topic}/${one.partition}`)
    if (known?.followed === one) known.followed = undefined
  }
}

/**
 * All that lies here, as one: at a steady rate each fetch brings little, and whoever works on a batch
 * a transaction would fall behind, little by little.
 */
function takeBuffered(followed: Followed, maxBytes: number): Fetched {
  const { buffer } = followed
  let count = 1
  let sizeBytes = buffer[0]!.bytes.length
  while (count < buffer.length && sizeBytes + buffer[count]!.bytes.length <= maxBytes) {
    sizeBytes += buffer[count]!.bytes.length
    count++
  }
  followed.bufferedBytes -= sizeBytes
  return joined(buffer.splice(0, count))
}
