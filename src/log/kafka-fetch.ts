/**
 * One fetch of one partition, answered at once: for whoever reads here and there, and for the end of a
 * partition, which has to be known for certain.
 */
import { fail } from '../core/errors.ts'
import { findBatches, type ProducedBatch } from './kafka-batches.ts'
import type { KafkaClient, KafkaTopic } from './kafka-client.ts'
import { faultError } from './kafka-faults.ts'
import { type FetchedPart, fetchParts } from './kafka-wire.ts'

/** The markers of a transaction that was just committed are being written. */
const markerWaitMs = 2
const markerPatienceMs = 30_000

/** What a fetch brought of one partition, from `offset` on. */
export interface Fetched {
  readonly offset: number
  readonly nextOffset: number
  readonly bytes: Buffer
  readonly batches: readonly ProducedBatch[]
}

/** What a handle knows of a partition. */
export interface KnownPartition {
  /** Of the topic that is meant: one made anew under its name begins anew. */
  topicId: string | undefined
  /** The highest end that this handle was told of, or wrote itself. */
  end: number
}

export class KafkaFetcher {
  readonly #client: KafkaClient
  readonly #startOf: (topic: string, partition: number) => Promise<number>
  #isClosed = false

  /** `startOf` tells the first offset that is kept of a partition. */
  constructor(client: KafkaClient, startOf: (topic: string, partition: number) => Promise<number>) {
    this.#client = client
    this.#startOf = startOf
  }

  /** What waits for markers waits no more. */
  close(): void {
    this.#isClosed = true
  }

  /** Throws `TOPIC_UNKNOWN`. */
  async topicOf(topic: string): Promise<KafkaTopic> {
    const found = await this.#client.topic(topic)
    if (found === undefined) throw fail('TOPIC_UNKNOWN', `topic ${topic}: there is none`)
    return found
  }

  /**
   * Asks the broker without waiting there, again while it does not show what it must have. Undefined:
   * there is nothing at that offset yet.
   */
  async fetch(
    topic: string,
    partition: number,
    asked: number,
    maxBytes: number,
    known: KnownPartition,
  ): Promise<Fetched | undefined> {
    const untilMs = Date.now() + markerPatienceMs
    let offset = asked
    for (;;) {
      const part = await this.#client.patiently(`read ${topic}/${partition}`, () =>
        this.#ask(topic, partition, offset, maxBytes, known),
      )
      if (part === 'out of range') {
        const start = await this.#startOf(topic, partition)
        if (offset >= start) return undefined
        offset = start
        continue
      }
      if (part.lastStableOffset > known.end) known.end = part.lastStableOffset
      const found = fetchedOf(part, asked, offset)
      if (found !== undefined) return found
      if (known.end <= offset || Date.now() > untilMs || this.#isClosed) {
        return offset > asked ? emptyFetch(asked, offset) : undefined
      }
      await new Promise((resolve) => setTimeout(resolve, markerWaitMs))
    }
  }

  async #ask(
    topic: string,
    partition: number,
    offset: number,
    maxBytes: number,
    known: KnownPartition,
  ): Promise<FetchedPart | 'out of range'> {
    const { id: topicId } = await this.topicOf(topic)
    if (known.topicId !== undefined && known.topicId !== topicId) {
      known.end = 0
    }
    known.topicId = topicId
    const node = await this.#client.leaderOf(topic, partition)
    const asked = [{ topicId, partition, offset, maxBytes }]
    const { errorCode, parts } = await this.#client.call(
      ...([node, 'read', fetchParts, 0, Math.max(maxBytes, 1), asked] as const),
    )
    const part = parts[0]
    const code = errorCode === 0 ? (part?.errorCode ?? 0) : errorCode
    if (code === 0 && part !== undefined) return part
    if (code === offsetOutOfRange) return 'out of range'
    this.#client.forgetTopic(topic)
    throw faultError(code === unknownTopicId ? staleTopic : code, `read ${topic}/${partition}`)
  }
}

const offsetOutOfRange = 1
const unknownTopicId = 100
/** The topic was made anew: metadata that is fetched again has its new id. */
const staleTopic = 3

/** Undefined: the answer holds nothing from `offset` on. */
export function fetchedOf(part: FetchedPart, asked: number, offset: number): Fetched | undefined {
  if (part.records === null) return undefined
  const { batches, nextOffset } = findBatches(part.records, offset, part.aborted)
  if (nextOffset === offset) return undefined
  return { offset: asked, nextOffset, bytes: part.records, batches }
}

const emptyFetch = (offset: number, nextOffset: number): Fetched => ({
  ...{ offset, nextOffset },
  ...{ bytes: Buffer.alloc(0), batches: [] },
})

/** Fetches that follow each other, as one. */
export function joined(parts: readonly Fetched[]): Fetched {
  const [first] = parts
  if (parts.length === 1) return first!
  let position = 0
  const batches = parts.flatMap(({ bytes, batches: own }) => {
    const begin = position
    position += bytes.length
    return own.map((batch) => ({ ...batch, position: batch.position + begin }))
  })
  return {
    offset: first!.offset,
    nextOffset: parts.at(-1)!.nextOffset,
    bytes: Buffer.concat(parts.map(({ bytes }) => bytes)),
    batches,
  }
}
