/** Rows to messages: JSON or a format, key, time and partition of each, appended to the batches of one commit. */
import type { Batch } from '../core/batch.ts'
import { BatchBuilder, giveBack } from '../core/batch-builder.ts'
import { buffers } from '../core/buffer-pool.ts'
import { decodeHeaders, encodeHeaders, type Header } from '../core/headers.ts'
import { type Identity, passedHeaderBytes, withIdentity } from '../core/identity.ts'
import type { Codec } from '../formats/format.ts'
import type { Output, TopicInfo } from '../log/log.ts'
import { murmur2 } from '../log/partitioner.ts'
import { check, type Failure, Invalid } from './decode.ts'
import type { AnyTopic } from './definition.ts'
import { watermarkHeader } from './event-time.ts'
import { isRepartition } from './internal-names.ts'
import { deleted, type Rows } from './rows.ts'
import { addFailure } from './step-context.ts'

/**
 * The batches of one commit: one for each topic and partition written to. From `take` to `committed`
 * they are the commit's, which may be tried again; what is never committed is left to the collector.
 */
export class Outputs {
  readonly #builders = new Map<string, BatchBuilder[]>()

  builder(topic: string, partition: number): BatchBuilder {
    let partitions = this.#builders.get(topic)
    if (partitions === undefined) {
      partitions = []
      this.#builders.set(topic, partitions)
    }
    let builder = partitions[partition]
    if (builder === undefined) {
      builder = new BatchBuilder(topic, partition, buffers)
      partitions[partition] = builder
    }
    return builder
  }

  /** What was appended since the last call. */
  take(): Output[] {
    const outputs: Output[] = []
    for (const [topic, builders] of this.#builders) {
      builders.forEach((builder, partition) => {
        if (builder.count > 0) outputs.push({ topic, partition, batch: builder.build() })
      })
    }
    return outputs
  }

  /** What `take` gave is in the log; nobody reads these batches any more. */
  committed(outputs: readonly Output[]): void {
    for (const { batch } of outputs) giveBack(batch, buffers)
  }
}

/** Where keys are encoded to be hashed; grown when one is longer. */
let scratch = Buffer.allocUnsafeSlow(4096)

/** Writes one row; its partition follows from its key, as Kafka's clients choose it. */
export class TopicWriter {
  readonly #topic: AnyTopic
  readonly #info: TopicInfo
  readonly #outputs: Outputs
  readonly #codec: Codec | undefined
  readonly #key: ((value: unknown) => string | null) | undefined
  readonly #time: ((value: unknown) => Date | string | number) | undefined
  readonly #builders: (BatchBuilder | undefined)[] = []
  /** What `#prepare` found out for the row that `#append` writes next. */
  readonly #next = {
    keyBytes: scratch as Buffer,
    keyStart: -1,
    keyEnd: -1,
    /** As JSON, or the codec's own bytes, which hold until the next row. */
    value: null as string | Buffer | null,
    time: 0,
    spliceAt: -1,
  }

  constructor(topic: AnyTopic, info: TopicInfo, outputs: Outputs, codec?: Codec) {
    this.#codec = codec
    this.#topic = topic
    this.#info = info
    this.#outputs = outputs
    this.#key = topic.key as ((value: unknown) => string | null) | undefined
    this.#time = topic.time as ((value: unknown) => Date | string | number) | undefined
  }

  /** Writes all rows; those that cannot be written fail and go no further. */
  writeAll(rows: Rows, index: number, context: { readonly failures: Failure[] }): void {
    let kept = 0
    for (let row = 0; row < rows.count; row++) {
      try {
        this.#prepare(rows, row)
      } catch (error) {
        addFailure(context, rows, row, index, error)
        continue
      }
      this.#append(rows, row)
      rows.keep(row, kept++)
    }
    rows.count = kept
  }

  /**
   * Works out what `#append` writes: everything of the user's that may throw is called here. Throws
   * `Invalid`, or what the topic's schema, key and time functions throw.
   */
  #prepare(rows: Rows, row: number): void {
    const next = this.#next
    const value = rows.values[row]
    const origin = rows.origins[row]!
    const { batch } = rows
    const isDelete = value === deleted
    const checked =
      isDelete || this.#topic.schema === undefined ? value : check(this.#topic.schema, value)
    const isWhole = isDelete || this.#codec !== undefined || isRepartition(batch.topic)
    next.spliceAt = isWhole ? -1 : spliceOf(rows, row)
    if (isDelete) next.value = null
    else if (this.#codec !== undefined) next.value = this.#codec.encode(value)
    else if (isWhole) next.value = valueBytes(rows, row)
    else next.value = next.spliceAt < 0 ? toJson(value) : suffixOf(rows, value, next.spliceAt)
    next.keyBytes = batch.bytes
    next.keyStart = batch.keyStarts[origin]!
    next.keyEnd = batch.keyEnds[origin]!
    if (this.#key !== undefined && !isDelete) {
      const key = this.#key(checked)
      next.keyStart = key === null || key === undefined ? -1 : 0
      next.keyEnd = next.keyStart < 0 ? -1 : encodeKey(key as string)
      next.keyBytes = scratch
    }
    next.time = this.#time === undefined || isDelete ? rows.time(row) : timeOf(this.#time(checked))
    this.#checkSize(rows, row)
  }

  #append(rows: Rows, row: number): void {
    const { keyBytes, keyStart, keyEnd, value, time, spliceAt } = this.#next
    const { batch } = rows
    const origin = rows.origins[row]!
    const builder = this.#builder(this.#partitionOf(batch, origin))
    const identity = rows.identities?.[row] ?? passingIdentity(rows, row)
    if (identity === undefined) {
      builder.appendDerived(keyBytes, keyStart, keyEnd, value, time, batch, origin, spliceAt)
    } else {
      const headers = withIdentity(headersOf(batch, origin), identity)
      const key = keyStart < 0 ? null : keyBytes.subarray(keyStart, keyEnd)
      builder.append(key, value, time, headers)
    }
  }

  /** By the key; without one a message keeps its partition, and those of a source take turns. */
  #partitionOf(batch: Batch, origin: number): number {
    const { keyBytes, keyStart, keyEnd } = this.#next
    const { partitions } = this.#info
    if (keyStart >= 0) return (murmur2(keyBytes, keyStart, keyEnd) & 0x7fffffff) % partitions
    return (batch.origin === '' ? batch.offsets[origin]! : batch.partition) % partitions
  }

  #builder(partition: number): BatchBuilder {
    let builder = this.#builders[partition]
    if (builder === undefined) {
      builder = this.#outputs.builder(this.#topic.name, partition)
      this.#builders[partition] = builder
    }
    return builder
  }

  /** Exact only where it could matter: counting bytes of every message would cost. */
  #checkSize(rows: Rows, row: number): void {
    const { maxMessageBytes } = this.#info
    const { value, keyStart, keyEnd, spliceAt } = this.#next
    const { batch } = rows
    const origin = rows.origins[row]!
    const id = rows.identities?.[row]?.id ?? ''
    const headerBytes = batch.headerEnds[origin]! - batch.headerStarts[origin]!
    const others =
      Math.max(0, keyEnd - keyStart) +
      Math.max(0, spliceAt - batch.valueStarts[origin]!) +
      headerBytes +
      batch.origin.length +
      passedHeaderBytes
    if (((value?.length ?? 0) + id.length) * 3 + others <= maxMessageBytes) return
    const sizeBytes = Buffer.byteLength(value ?? '') + Buffer.byteLength(id) + others
    if (sizeBytes <= maxMessageBytes) return
    throw new Invalid(
      `the message takes ${sizeBytes} bytes, topic ${this.#topic.name} takes ${maxMessageBytes} (maxMessageBytes)`,
    )
  }
}

const closingBrace = 0x7d
const openingBrace = 0x7b

/**
 * Where the closing brace of the message's own JSON stands, when its value is that with fields
 * added: then only these are written, behind the bytes as they came. -1: it is written anew.
 */
function spliceOf(rows: Rows, row: number): number {
  if (rows.appended === undefined || rows.identities?.[row] !== undefined) return -1
  const { bytes, valueStarts, valueEnds } = rows.batch
  const origin = rows.origins[row]!
  if (rows.appended.length === 0) return valueEnds[origin]!
  const start = valueStarts[origin]!
  let end = valueEnds[origin]! - 1
  while (end > start && bytes[end]! <= 0x20) end--
  return bytes[start] === openingBrace && bytes[end] === closingBrace ? end : -1
}

/** The added fields and the closing brace. */
function suffixOf(rows: Rows, value: unknown, spliceAt: number): string {
  const fields = rows.appended!
  if (fields.length === 0) return ''
  let suffix = ''
  for (const field of fields) {
    suffix += `,${JSON.stringify(field)}:${toJson((value as { [name: string]: unknown })[field])}`
  }
  // An object without fields of its own needs no comma before the first.
  let before = spliceAt - 1
  while (rows.batch.bytes[before]! <= 0x20) before--
  return `${rows.batch.bytes[before] === openingBrace ? suffix.slice(1) : suffix}}`
}

function toJson(value: unknown): string {
  const json = JSON.stringify(value) as string | undefined
  if (json === undefined) throw new Invalid(`a ${typeof value} cannot be written as JSON`)
  return json
}

function encodeKey(key: string): number {
  if (typeof key !== 'string') throw new Invalid(`the key is a ${typeof key}, not a string`)
  if (!key.isWellFormed())
    throw new Invalid('the key has a lone surrogate, which UTF-8 cannot hold')
  if (key.length * 3 > scratch.length) scratch = Buffer.allocUnsafeSlow(key.length * 6)
  return scratch.write(key, 0)
}

function timeOf(time: Date | string | number): number {
  // new Date(null) would be 1970.
  const timeMs = typeof time === 'number' ? time : new Date(time ?? Number.NaN).getTime()
  // The range of a Date; nanoseconds taken for milliseconds lie far outside.
  if (Math.abs(timeMs) <= 8.64e15) return Math.trunc(timeMs)
  throw new Invalid(`the time ${JSON.stringify(time)} is no date (milliseconds since the epoch)`)
}

/** What came through a topic of the pipeline's own has a header that goes no further. */
function passingIdentity(rows: Rows, row: number): Identity | undefined {
  if (!isRepartition(rows.batch.topic)) return undefined
  return { id: rows.id(row), version: rows.version(row) }
}

/** All that goes on with a message. */
export function headersOf(batch: Batch, origin: number): Header[] {
  const headers = decodeHeaders(batch.bytes, batch.headerStarts[origin]!, batch.headerEnds[origin]!)
  return headers.filter(({ key }) => key !== watermarkHeader)
}

/** The JSON of a row: the bytes as they came, where nothing was done to the value. */
export function valueBytes(rows: Rows, row: number): string | Buffer {
  const spliceAt = spliceOf(rows, row)
  if (spliceAt < 0) return toJson(rows.values[row])
  const start = rows.batch.valueStarts[rows.origins[row]!]!
  const own = rows.batch.bytes.subarray(start, spliceAt)
  const suffix = suffixOf(rows, rows.values[row], spliceAt)
  return suffix === '' ? own : Buffer.concat([own, Buffer.from(suffix)])
}

/** A batch for a sink: every row with its identity, in order. */
export class SinkBatch {
  readonly #builder: BatchBuilder
  readonly #rows: number[] = []

  constructor(step: string, partition: number) {
    this.#builder = new BatchBuilder(step, partition)
  }

  add(rows: Rows, row: number): void {
    const { batch } = rows
    const origin = rows.origins[row]!
    const value = rows.values[row] === deleted ? null : valueBytes(rows, row)
    const identity = { id: rows.id(row), version: rows.version(row) }
    const keyStart = batch.keyStarts[origin]!
    const key = keyStart < 0 ? null : batch.bytes.subarray(keyStart, batch.keyEnds[origin]!)
    const headers = encodeHeaders(withIdentity(headersOf(batch, origin), identity))
    this.#builder.append(key, value, rows.time(row), headers)
    this.#rows.push(row)
  }

  build(): { batch: Batch; rows: readonly number[] } {
    return { batch: this.#builder.build(), rows: this.#rows }
  }
}
