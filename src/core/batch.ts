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

export type Columns = {
  -readonly [Name in keyof Batch]: Batch[Name]
}

/** Columns with room for `capacity` messages, all empty. */
export function emptyColumns(topic: string, partition: number, capacity: number): Columns {
  return {
    topic,
    partition,
    count: 0,
    bytes: Buffer.alloc(0),
    offsets: new Float64Array(capacity),
    times: new Float64Array(capacity),
    keyStarts: new Int32Array(capacity),
    keyEnds: new Int32Array(capacity),
    valueStarts: new Int32Array(capacity),
    valueEnds: new Int32Array(capacity),
    headerStarts: new Int32Array(capacity),
    headerEnds: new Int32Array(capacity),
    nextOffset: 0,
    origin: '',
  }
}
