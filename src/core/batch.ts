/**
 * A batch is a stretch of one partition as columns over one buffer: what the log stores, what the
 * hot path reads and writes. A single message is only a view on it (message.ts), made for functions
 * that a user wrote. Positions in `bytes` are starts (inclusive) and ends (exclusive).
 */
export class Batch {
  readonly topic: string
  readonly partition: number
  /** Number of messages; columns may be longer, what lies behind `count` means nothing. */
  readonly count: number
  readonly bytes: Buffer
  readonly offsets: Float64Array
  /** Event times, milliseconds since the epoch. */
  readonly times: Float64Array
  /** -1 where the message has no key. */
  readonly keyStarts: Int32Array
  readonly keyEnds: Int32Array
  /** -1 where the value is null, which is a delete. */
  readonly valueStarts: Int32Array
  readonly valueEnds: Int32Array
  /** Headers as Kafka's record v2 writes them: a varint count, then each key and value. */
  readonly headerStarts: Int32Array
  readonly headerEnds: Int32Array
  /** Offset from which to read on: behind the last message and any gap after it. */
  readonly nextOffset: number
  /** Identity of topic and partition, new each time a topic is made; ids of messages start with it. */
  readonly origin: string

  constructor(columns: Columns) {
    this.topic = columns.topic
    this.partition = columns.partition
    this.count = columns.count
    this.bytes = columns.bytes
    this.offsets = columns.offsets
    this.times = columns.times
    this.keyStarts = columns.keyStarts
    this.keyEnds = columns.keyEnds
    this.valueStarts = columns.valueStarts
    this.valueEnds = columns.valueEnds
    this.headerStarts = columns.headerStarts
    this.headerEnds = columns.headerEnds
    this.nextOffset = columns.nextOffset
    this.origin = columns.origin
  }
}

/** The messages from number `from` up to, not including, `to`: a view, without a copy. */
export function partOf(batch: Batch, from: number, to: number): Batch {
  if (from === 0 && to === batch.count) return batch
  return new Batch({
    ...batch,
    count: to - from,
    offsets: batch.offsets.subarray(from, to),
    times: batch.times.subarray(from, to),
    keyStarts: batch.keyStarts.subarray(from, to),
    keyEnds: batch.keyEnds.subarray(from, to),
    valueStarts: batch.valueStarts.subarray(from, to),
    valueEnds: batch.valueEnds.subarray(from, to),
    headerStarts: batch.headerStarts.subarray(from, to),
    headerEnds: batch.headerEnds.subarray(from, to),
    nextOffset: to === batch.count ? batch.nextOffset : batch.offsets[to]!,
  })
}

export type Columns = {
  -readonly [Name in keyof Batch]: Batch[Name]
}

/** What a message takes in all columns together. */
export const columnBytes = 2 * 8 + 6 * 4

const noBytes = Buffer.alloc(0)

/**
 * Columns with room for `capacity` messages; what is in them before they are written means nothing.
 * They lie in one stretch of memory: that given, which begins at a multiple of 8, else their own.
 */
export function emptyColumns(
  topic: string,
  partition: number,
  capacity: number,
  memory: Buffer = Buffer.allocUnsafeSlow(capacity * columnBytes),
): Columns {
  const { buffer, byteOffset } = memory
  const floats = (column: number) =>
    new Float64Array(buffer, byteOffset + column * 8 * capacity, capacity)
  const integers = (column: number) =>
    new Int32Array(buffer, byteOffset + (16 + column * 4) * capacity, capacity)
  return {
    topic,
    partition,
    count: 0,
    bytes: noBytes,
    offsets: floats(0),
    times: floats(1),
    keyStarts: integers(0),
    keyEnds: integers(1),
    valueStarts: integers(2),
    valueEnds: integers(3),
    headerStarts: integers(4),
    headerEnds: integers(5),
    nextOffset: 0,
    origin: '',
  }
}
