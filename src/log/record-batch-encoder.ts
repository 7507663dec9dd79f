import { crc32c } from '@node-rs/crc32'
import type { Batch } from '../core/batch.ts'
import type { BufferPool } from '../core/buffer-pool.ts'
import { fail } from '../core/errors.ts'
import { varintSize, writeVarint } from '../core/varint.ts'
import { compress } from './compression.ts'
import type { Compression } from './log.ts'
import * as layout from './record-batch-layout.ts'

/** Sizes of the records being encoded, without their own length prefix: made once, grown as needed. */
let recordSizes = new Int32Array(4096)

/** The times that a Date can hold, in milliseconds: about the years -271,821 to 275,760. */
const furthestTime = 8.64e15
/** Copying fewer bytes than this in a loop is quicker than a call out of JavaScript. */
const shortCopyBytes = 24

/**
 * Encodes the messages [from, to) of a batch as one record batch v2 with base offset 0: the base
 * offset lies outside the checksum, so whoever stores the bytes keeps the true one. Deltas count
 * from 0, or with `baseOffset` are the batch's own offsets less that one (compaction leaves gaps);
 * times are whole milliseconds, fractions are dropped; the producer fields are -1. With `isSealed`
 * false the checksum is left to whoever stamps the batch. With `pool` the bytes are the caller's until
 * it gives them back there.
 * Throws `MESSAGE_INVALID` (refused, with the index) for a time that no Date can hold.
 */
export function encodeRecordBatch(
  batch: Batch,
  options: {
    from?: number
    to?: number
    compression: Compression
    baseOffset?: number
    isSealed?: boolean
    pool?: BufferPool
  },
): Buffer {
  const from = options.from ?? 0
  const to = options.to ?? batch.count
  if (!(from >= 0 && from < to && to <= batch.count)) {
    throw new RangeError(`record batch: [${from}, ${to}) of ${batch.count} messages is no stretch`)
  }
  const baseTime = wholeTime(batch, from)
  const sizeBytes = measure(batch, from, to, baseTime, options.baseOffset)
  let bytes = roomFor(layout.recordsAt + sizeBytes, options.pool)
  const maxTime = writeRecords(bytes, batch, from, to, baseTime, options.baseOffset)
  if (options.compression !== 'none') {
    const packed = compress(options.compression, bytes.subarray(layout.recordsAt))
    options.pool?.give(bytes)
    bytes = roomFor(layout.recordsAt + packed.length, options.pool)
    packed.copy(bytes, layout.recordsAt)
  }
  writeHead(bytes, to - from, baseTime, maxTime, options.compression)
  if (options.baseOffset !== undefined) {
    bytes.writeInt32BE(batch.offsets[to - 1]! - options.baseOffset, layout.lastOffsetDeltaAt)
  }
  if (options.isSealed ?? true) {
    bytes.writeUInt32BE(crc32c(bytes.subarray(layout.attributesAt)), layout.crcAt)
  }
  return bytes
}

function roomFor(sizeBytes: number, pool: BufferPool | undefined): Buffer {
  return pool?.take(sizeBytes).subarray(0, sizeBytes) ?? Buffer.allocUnsafeSlow(sizeBytes)
}

/** Fills `recordSizes`; returns the bytes that all records take together. */
function measure(
  batch: Batch,
  from: number,
  to: number,
  baseTime: number,
  baseOffset: number | undefined,
): number {
  if (recordSizes.length < to - from) recordSizes = new Int32Array((to - from) * 2)
  const sizes = recordSizes
  let total = 0
  for (let index = from; index < to; index++) {
    const delta = batch.times[index]! - baseTime
    const key = lengthOf(batch.keyStarts[index]!, batch.keyEnds[index]!)
    const value = lengthOf(batch.valueStarts[index]!, batch.valueEnds[index]!)
    const size =
      1 +
      ((delta | 0) === delta ? varintSize(delta) : varlongSize(wholeTime(batch, index), baseTime)) +
      varintSize(baseOffset === undefined ? index - from : batch.offsets[index]! - baseOffset) +
      varintSize(key) +
      (key > 0 ? key : 0) +
      varintSize(value) +
      (value > 0 ? value : 0) +
      (batch.headerEnds[index]! - batch.headerStarts[index]!)
    sizes[index - from] = size
    total += varintSize(size) + size
  }
  return total
}

/** Writes the records behind the head; returns the latest time. `measure` has run before. */
function writeRecords(
  bytes: Buffer,
  batch: Batch,
  from: number,
  to: number,
  baseTime: number,
  baseOffset: number | undefined,
): number {
  const source = batch.bytes
  let maxTime = baseTime
  let at = layout.recordsAt
  for (let index = from; index < to; index++) {
    at = writeVarint(bytes, at, recordSizes[index - from]!)
    bytes[at++] = 0
    let time = batch.times[index]!
    const delta = time - baseTime
    if ((delta | 0) === delta) at = writeVarint(bytes, at, delta)
    else {
      time = Math.floor(time)
      at = writeVarlong(bytes, at, time, baseTime)
    }
    if (time > maxTime) maxTime = time
    at = writeVarint(
      bytes,
      at,
      baseOffset === undefined ? index - from : batch.offsets[index]! - baseOffset,
    )
    const keyStart = batch.keyStarts[index]!
    const keyLength = lengthOf(keyStart, batch.keyEnds[index]!)
    at = writeVarint(bytes, at, keyLength)
    if (keyLength > 0) at = copyRange(bytes, at, source, keyStart, keyStart + keyLength)
    const valueStart = batch.valueStarts[index]!
    const valueLength = lengthOf(valueStart, batch.valueEnds[index]!)
    const headerStart = batch.headerStarts[index]!
    at = writeVarint(bytes, at, valueLength)
    if (valueLength > 0 && valueStart + valueLength === headerStart) {
      at = copyRange(bytes, at, source, valueStart, batch.headerEnds[index]!)
    } else {
      if (valueLength > 0) at = copyRange(bytes, at, source, valueStart, valueStart + valueLength)
      at = copyRange(bytes, at, source, headerStart, batch.headerEnds[index]!)
    }
  }
  return maxTime
}

function writeHead(
  bytes: Buffer,
  count: number,
  baseTime: number,
  maxTime: number,
  compression: Compression,
): void {
  writeInt64(bytes, layout.baseOffsetAt, 0)
  bytes.writeInt32BE(bytes.length - layout.lengthOverhead, layout.batchLengthAt)
  bytes.writeInt32BE(-1, layout.partitionLeaderEpochAt)
  bytes[layout.magicAt] = layout.magic
  bytes.writeInt16BE(layout.compressions.indexOf(compression), layout.attributesAt)
  bytes.writeInt32BE(count - 1, layout.lastOffsetDeltaAt)
  writeInt64(bytes, layout.baseTimestampAt, baseTime)
  writeInt64(bytes, layout.maxTimestampAt, maxTime)
  writeInt64(bytes, layout.producerIdAt, -1)
  bytes.writeInt16BE(-1, layout.producerEpochAt)
  bytes.writeInt32BE(-1, layout.baseSequenceAt)
  bytes.writeInt32BE(count, layout.recordCountAt)
}

/** The time of a message in whole milliseconds, or the refusal of a time that is none. */
function wholeTime(batch: Batch, index: number): number {
  const time = Math.floor(batch.times[index]!)
  if (time >= -furthestTime && time <= furthestTime) return time
  const reason = `its time is ${batch.times[index]}, which no date is`
  throw fail('MESSAGE_INVALID', `${batch.topic}: message ${index} of the batch: ${reason}`, {
    refused: [{ index, reason }],
  })
}

function lengthOf(start: number, end: number): number {
  return start < 0 ? -1 : end - start
}

function copyRange(to: Buffer, at: number, source: Buffer, start: number, end: number): number {
  const length = end - start
  if (length < shortCopyBytes) {
    for (let index = 0; index < length; index++) to[at + index] = source[start + index]!
  } else source.copy(to, at, start, end)
  return at + length
}

/** A whole number as int64, in two halves. */
function writeInt64(bytes: Buffer, at: number, value: number): void {
  const high = Math.floor(value / 0x1_0000_0000)
  bytes.writeInt32BE(high, at)
  bytes.writeUInt32BE(value - high * 0x1_0000_0000, at + 4)
}

/** Bytes of `time - base` as a zigzag varint of 64 bits; both are whole. */
function varlongSize(time: number, base: number): number {
  let size = 1
  for (let rest = zigzag64(time, base); rest >= 128n; rest >>= 7n) size++
  return size
}

function writeVarlong(bytes: Buffer, at: number, time: number, base: number): number {
  let position = at
  let rest = zigzag64(time, base)
  for (; rest >= 128n; rest >>= 7n) bytes[position++] = Number(rest & 127n) | 0x80
  bytes[position++] = Number(rest)
  return position
}

/** Only for times more than 24 days apart from the first of their batch, so BigInt is affordable. */
function zigzag64(time: number, base: number): bigint {
  const delta = BigInt(time) - BigInt(base)
  return delta < 0n ? -2n * delta - 1n : 2n * delta
}
