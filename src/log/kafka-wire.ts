/**
 * Produce and Fetch with record batches as they are stored, not taken apart into objects: the two
 * requests that carry every message. Kafka's protocol guide, Produce versions 9 and 12, Fetch 15.
 */
import { createAPI, type Reader, Writer } from '@platformatic/kafka'

/** One record batch for one partition. */
export interface ProducePart {
  readonly topic: string
  readonly partition: number
  readonly bytes: Buffer
}

export interface ProducedPart {
  readonly topic: string
  readonly partition: number
  readonly errorCode: number
  readonly baseOffset: number
  readonly message: string | null
}

type ProduceArguments = [
  transactionalId: string | null,
  timeoutMs: number,
  parts: readonly ProducePart[],
]

/** Each partition at most once. Resolves with an answer for each part, errors among them. */
export const produce = createAPI<ProduceArguments, ProducedPart[]>(
  ...([0, 9, produceRequest, produceResponse] as const),
)

/** The same, by which a partition becomes part of the transaction (KIP-890; transaction.version 2). */
export const produceAndAdd = createAPI<ProduceArguments, ProducedPart[]>(
  ...([0, 12, produceRequest, produceResponse] as const),
)

function produceRequest(
  transactionalId: string | null,
  timeoutMs: number,
  parts: readonly ProducePart[],
): Writer {
  const byTopic = [...Map.groupBy(parts, ({ topic }) => topic)]
  return Writer.create()
    .appendString(transactionalId)
    .appendInt16(-1)
    .appendInt32(timeoutMs)
    .appendArray(byTopic, (writer, [topic, ofTopic]) => {
      writer.appendString(topic).appendArray(ofTopic, (inner, { partition, bytes }) => {
        inner.appendInt32(partition).appendBytes(bytes)
      })
    })
    .appendTaggedFields()
}

function produceResponse(_id: number, _key: number, _version: number, reader: Reader) {
  const parts: ProducedPart[] = []
  readEach(reader, () => {
    const topic = reader.readString()
    readEach(reader, () => {
      const partition = reader.readInt32()
      const errorCode = reader.readInt16()
      const baseOffset = Number(reader.readInt64())
      reader.skip(16)
      readEach(reader, () => {
        reader.skip(4)
        reader.readNullableString()
      })
      const message = reader.readNullableString()
      parts.push({ topic, partition, errorCode, baseOffset, message })
    })
  })
  return parts
}

export interface FetchPart {
  readonly topicId: string
  readonly partition: number
  readonly offset: number
  readonly maxBytes: number
}

export interface FetchedPart {
  readonly topicId: string
  readonly partition: number
  readonly errorCode: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  /** Null: the partition has none that concern what was asked for. */
  readonly aborted: readonly AbortedRange[] | null
  /** Record batches, the last perhaps cut short; null: none. */
  readonly records: Buffer | null
}

export interface AbortedRange {
  readonly producerId: bigint
  readonly firstOffset: number
}

export interface FetchedParts {
  readonly errorCode: number
  readonly parts: readonly FetchedPart[]
}

const readCommitted = 1

/** Messages of committed transactions, with the ranges of aborted ones for the reader to leave out. */
export const fetchParts = createAPI<
  [waitMs: number, maxBytes: number, parts: readonly FetchPart[]],
  FetchedParts
>(1, 15, fetchRequest, fetchResponse)

function fetchRequest(waitMs: number, maxBytes: number, parts: readonly FetchPart[]): Writer {
  const byTopic = [...Map.groupBy(parts, ({ topicId }) => topicId)]
  return Writer.create()
    .appendInt32(waitMs)
    .appendInt32(1)
    .appendInt32(maxBytes)
    .appendInt8(readCommitted)
    .appendInt32(0)
    .appendInt32(-1)
    .appendArray(byTopic, (writer, [topicId, ofTopic]) => {
      writer.appendUUID(topicId).appendArray(ofTopic, (inner, part) => {
        inner
          .appendInt32(part.partition)
          .appendInt32(-1)
          .appendInt64(BigInt(part.offset))
          .appendInt32(-1)
          .appendInt64(-1n)
          .appendInt32(part.maxBytes)
      })
    })
    .appendArray([], () => undefined)
    .appendString('')
    .appendTaggedFields()
}

function fetchResponse(_id: number, _key: number, _version: number, reader: Reader): FetchedParts {
  reader.skip(4)
  const errorCode = reader.readInt16()
  reader.skip(4)
  const parts: FetchedPart[] = []
  readEach(reader, () => {
    const topicId = reader.readUUID()
    readEach(reader, () => parts.push(fetchedPart(topicId, reader)))
  })
  return { errorCode, parts }
}

function fetchedPart(topicId: string, reader: Reader): FetchedPart {
  const partition = reader.readInt32()
  const errorCode = reader.readInt16()
  const highWatermark = Number(reader.readInt64())
  const lastStableOffset = Number(reader.readInt64())
  const logStartOffset = Number(reader.readInt64())
  const aborted = reader.readNullableArray((inner) => ({
    producerId: inner.readInt64(),
    firstOffset: Number(inner.readInt64()),
  }))
  reader.skip(4)
  const length = reader.readUnsignedVarInt() - 1
  const records = length > 0 ? reader.buffer.slice(reader.position, reader.position + length) : null
  if (length > 0) reader.skip(length)
  const offsets = { highWatermark, lastStableOffset, logStartOffset }
  return { ...{ topicId, partition, errorCode, aborted, records }, ...offsets }
}

/** Reads a compact array whose entries end with tagged fields. */
function readEach(reader: Reader, read: () => void): void {
  const count = reader.readUnsignedVarInt() - 1
  for (let index = 0; index < count; index++) {
    read()
    reader.readTaggedFields()
  }
}
