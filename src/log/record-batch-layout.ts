/**
 * Where the fields of a record batch v2 lie (Kafka's protocol guide, "Record Batch"; magic 2), and
 * what the bits of its attributes mean. Everything is big-endian.
 */
import type { Compression } from './log.ts'

export const baseOffsetAt = 0
export const batchLengthAt = 8
export const partitionLeaderEpochAt = 12
export const magicAt = 16
export const crcAt = 17
/** The checksum covers everything from here to the end of the batch. */
export const attributesAt = 21
export const lastOffsetDeltaAt = 23
export const baseTimestampAt = 27
export const maxTimestampAt = 35
export const producerIdAt = 43
export const producerEpochAt = 51
export const baseSequenceAt = 53
export const recordCountAt = 57
export const recordsAt = 61

/** `batchLength` counts what comes behind it. */
export const lengthOverhead = 12

export const magic = 2
/** length, attributes, time delta, offset delta, key length, value length, header count. */
export const smallestRecordBytes = 7

/** The index is the number in the lowest three bits of the attributes. */
export const compressions: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
export const compressionMask = 0x07
/** Set: every record has the batch's maxTimestamp, because the broker stamped it. */
export const appendTimeBit = 0x08
/** Set: the batch is a part of a transaction of its producer. */
export const transactionalBit = 0x10
/** Set: the records are transaction markers, not messages. */
export const controlBit = 0x20
