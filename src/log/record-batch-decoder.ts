import { crc32c } from '@node-rs/crc32'
import { Batch, type Columns, emptyColumns } from '../core/batch.ts'
import { fail } from '../core/errors.ts'
import { type Cursor, readVarint } from '../core/varint.ts'
import { decompress, maxDecompressedBytes } from './compression.ts'
import type { Compression } from './log.ts'
import * as layout from './record-batch-layout.ts'

/** Where an encoded record batch lies in a buffer, and the offset of its first record. */
export interface StoredBatch {
  readonly position: number
  readonly sizeBytes: number
  readonly baseOffset: number
}

export interface StoredBatches {
  readonly topic: string
  readonly partition: number
  readonly origin: string
  readonly bytes: Buffer
  readonly batches: readonly StoredBatch[]
  /** Messages with a lower offset are left out. */
  readonly from: number
  readonly nextOffset: number
}

/** The records of one batch: its head, read and checked, and where they lie. */
interface Region {
  readonly where: string
  readonly compression: Compression
  readonly count: number
  readonly baseOffset: number
  readonly lastOffsetDelta: number
  readonly baseTime: number
  readonly appendTime: boolean
  readonly maxTime: number
  bytes: Buffer
  start: number
  end: number
}

/** One cursor for all reading: a decode is never interrupted by another. */
const cursor: Cursor = { at: 0 }

/**
 * Decodes record batches v2 that lie in one buffer into one batch of columns. Uncompressed ones are
 * not copied: the columns point into `bytes`. As soon as one is compressed, all lie in one new
 * buffer. A record's offset is its batch's base offset plus its delta, so compacted batches with
 * gaps come out right. Transaction markers are no messages. The base offset and the leader epoch
 * that stand in the bytes mean nothing here: brokers change both after the checksum is made.
 * Throws `BATCH_DAMAGED`, `COMPRESSION_UNKNOWN`.
 */
export function decodeRecordBatches(stored: StoredBatches): Batch {
  const regions: Region[] = []
  let count = 0
  for (const batch of stored.batches) {
    const region = readHead(stored, batch)
    if (region === undefined) continue
    regions.push(region)
    count += region.count
  }
  const bytes = gather(regions, stored.bytes)
  const columns = emptyColumns(stored.topic, stored.partition, count)
  columns.bytes = bytes
  columns.origin = stored.origin
  columns.nextOffset = stored.nextOffset
  for (const region of regions) readRecords(columns, region, stored.from)
  return new Batch(columns)
}

/** Checks one batch as far as its checksum; undefined for transaction markers. */
function readHead(stored: StoredBatches, batch: StoredBatch): Region | undefined {
  const { bytes } = stored
  const { position, sizeBytes, baseOffset } = batch
  const where = `${stored.topic}/${stored.partition} at offset ${baseOffset}`
  if (sizeBytes < layout.recordsAt || !(position >= 0 && position + sizeBytes <= bytes.length)) {
    throw damaged(where, `the record batch is cut short, ${sizeBytes} bytes at ${position}`)
  }
  const length = bytes.readInt32BE(position + layout.batchLengthAt) + layout.lengthOverhead
  if (length !== sizeBytes) throw damaged(where, `its length says ${length}, not ${sizeBytes}`)
  const magic = bytes[position + layout.magicAt]
  if (magic !== layout.magic) throw damaged(where, `magic byte ${magic}, not ${layout.magic}`)
  const end = position + sizeBytes
  const checksum = crc32c(bytes.subarray(position + layout.attributesAt, end))
  if (checksum !== bytes.readUInt32BE(position + layout.crcAt)) {
    throw damaged(where, 'the checksum (CRC32C) does not fit the bytes')
  }
  const attributes = bytes.readInt16BE(position + layout.attributesAt)
  if ((attributes & layout.controlBit) !== 0) return undefined
  const number = attributes & layout.compressionMask
  const compression = layout.compressions[number]
  if (compression === undefined) {
    throw fail('COMPRESSION_UNKNOWN', `${where}: compression number ${number} is none of ours`)
  }
  return {
    where,
    compression,
    count: bytes.readInt32BE(position + layout.recordCountAt),
    baseOffset,
    lastOffsetDelta: bytes.readInt32BE(position + layout.lastOffsetDeltaAt),
    baseTime: readInt64(bytes, position + layout.baseTimestampAt),
    appendTime: (attributes & layout.appendTimeBit) !== 0,
    maxTime: readInt64(bytes, position + layout.maxTimestampAt),
    bytes,
    start: position + layout.recordsAt,
    end,
  }
}

/** Brings all records into one buffer, and refuses counts that cannot be before room is made. */
function gather(regions: readonly Region[], bytes: Buffer): Buffer {
  let room = maxDecompressedBytes
  let packed = false
  for (const region of regions) {
    if (region.compression !== 'none') {
      packed = true
      const data = region.bytes.subarray(region.start, region.end)
      region.bytes = decompress(region.compression, data, region.where, room)
      region.start = 0
      region.end = region.bytes.length
      room -= region.end
    }
    const most = (region.end - region.start) / layout.smallestRecordBytes
    if (region.count < 0 || region.count > most) {
      throw damaged(region.where, `${region.count} records cannot be in so few bytes`)
    }
  }
  if (!packed) return bytes
  if (regions.length === 1) return regions[0]!.bytes
  return join(regions)
}

function join(regions: readonly Region[]): Buffer {
  let total = 0
  for (const region of regions) total += region.end - region.start
  const joined = Buffer.allocUnsafeSlow(total)
  let at = 0
  for (const region of regions) {
    const length = region.bytes.copy(joined, at, region.start, region.end)
    region.bytes = joined
    region.start = at
    region.end = at + length
    at += length
  }
  return joined
}

function readRecords(columns: Columns, region: Region, from: number): void {
  const { bytes } = columns
  const { where, end, baseOffset, lastOffsetDelta } = region
  let lastDelta = -1
  let count = columns.count
  cursor.at = region.start
  for (let index = 0; index < region.count; index++) {
    const length = readVarint(bytes, cursor, end)
    const recordEnd = cursor.at + length
    if (cursor.at < 0 || length < 0 || recordEnd > end)
      throw damaged(where, 'a record is cut short')
    cursor.at++
    const time = readTime(bytes, recordEnd, region.baseTime)
    if (cursor.at < 0) throw damaged(where, 'a record has no time')
    const delta = readVarint(bytes, cursor, recordEnd)
    if (cursor.at < 0 || delta <= lastDelta || delta > lastOffsetDelta) {
      throw damaged(where, 'offsets of records do not rise')
    }
    lastDelta = delta
    const keyLength = readVarint(bytes, cursor, recordEnd)
    const keyStart = cursor.at
    const keyEnd = keyLength > 0 ? keyStart + keyLength : keyStart
    if (keyStart < 0 || keyEnd > recordEnd) throw damaged(where, 'a key is cut short')
    cursor.at = keyEnd
    const valueLength = readVarint(bytes, cursor, recordEnd)
    const valueStart = cursor.at
    const valueEnd = valueLength > 0 ? valueStart + valueLength : valueStart
    if (valueStart < 0 || valueEnd >= recordEnd) throw damaged(where, 'a value is cut short')
    if (bytes[valueEnd] !== 0 || valueEnd + 1 !== recordEnd) {
      if (!headersFit(bytes, valueEnd, recordEnd)) throw damaged(where, 'headers do not fit')
    }
    cursor.at = recordEnd
    if (baseOffset + delta < from) continue
    columns.offsets[count] = baseOffset + delta
    columns.times[count] = region.appendTime ? region.maxTime : time
    columns.keyStarts[count] = keyLength < 0 ? -1 : keyStart
    columns.keyEnds[count] = keyLength < 0 ? -1 : keyEnd
    columns.valueStarts[count] = valueLength < 0 ? -1 : valueStart
    columns.valueEnds[count] = valueLength < 0 ? -1 : valueEnd
    columns.headerStarts[count] = valueEnd
    columns.headerEnds[count] = recordEnd
    count++
  }
  if (cursor.at !== end) throw damaged(where, 'bytes are left behind the last record')
  columns.count = count
}

/** Reads a zigzag varint of 64 bits at the cursor and adds it to `base`, exact for any Date. */
function readTime(bytes: Buffer, end: number, base: number): number {
  let position = cursor.at
  let low = 0
  let high = 0
  let scale = 1
  for (let index = 0; index < 10 && position < end; index++) {
    const byte = bytes[position++]!
    if (index < 4) low |= (byte & 0x7f) << (7 * index)
    else {
      high += (byte & 0x7f) * scale
      scale *= 128
    }
    if (byte < 0x80) {
      cursor.at = position
      const large = high * 0x800_0000
      const small = low >>> 1
      return (low & 1) === 0 ? base + large + small : base - large - small - 1
    }
  }
  cursor.at = -1
  return 0
}

/** True when the headers between `start` and `end` are whole and fill that stretch. */
function headersFit(bytes: Buffer, start: number, end: number): boolean {
  cursor.at = start
  const count = readVarint(bytes, cursor, end)
  if (cursor.at < 0 || count < 0) return false
  for (let index = 0; index < count; index++) {
    const keyLength = readVarint(bytes, cursor, end)
    if (cursor.at < 0 || keyLength < 0 || keyLength > end - cursor.at) return false
    cursor.at += keyLength
    const valueLength = readVarint(bytes, cursor, end)
    if (cursor.at < 0 || valueLength > end - cursor.at) return false
    if (valueLength > 0) cursor.at += valueLength
  }
  return cursor.at === end
}

/** int64 as a number: exact up to 2^53. */
function readInt64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4)
}

function damaged(where: string, what: string): Error {
  return fail('BATCH_DAMAGED', `${where}: ${what}; restore the file or delete the topic`)
}
