/** Record batches as a fetch brings them: where each lies, and which belong to aborted transactions. */
import type { AbortedRange } from './kafka-wire.ts'
import type { StoredBatch } from './record-batch.ts'
import * as layout from './record-batch-layout.ts'

/** A batch of a producer that wrote it: to count whose messages are there. */
export interface ProducedBatch extends StoredBatch {
  readonly producerId: bigint
}

export interface FoundBatches {
  /** Of committed messages. */
  readonly batches: readonly ProducedBatch[]
  /** Behind the last whole batch, aborted ones and markers included. */
  readonly nextOffset: number
}

/**
 * Walks over fetched bytes; a batch that is cut short at their end is left for the next fetch. As
 * Kafka's own consumer does: an aborted range of a producer begins at its first offset and ends with
 * the producer's next marker that aborts.
 */
export function findBatches(
  bytes: Buffer,
  offset: number,
  aborted: readonly AbortedRange[] | null,
): FoundBatches {
  const waiting = [...(aborted ?? [])].sort((a, b) => a.firstOffset - b.firstOffset)
  const aborting = new Set<bigint>()
  const batches: ProducedBatch[] = []
  let nextOffset = offset
  for (let position = 0; position + layout.recordsAt <= bytes.length; ) {
    const sizeBytes = bytes.readInt32BE(position + layout.batchLengthAt) + layout.lengthOverhead
    if (position + sizeBytes > bytes.length || sizeBytes < layout.recordsAt) break
    const baseOffset = Number(bytes.readBigInt64BE(position + layout.baseOffsetAt))
    const lastOffset = baseOffset + bytes.readInt32BE(position + layout.lastOffsetDeltaAt)
    while (waiting.length > 0 && waiting[0]!.firstOffset <= lastOffset) {
      aborting.add(waiting.shift()!.producerId)
    }
    const producerId = bytes.readBigInt64BE(position + layout.producerIdAt)
    const attributes = bytes.readInt16BE(position + layout.attributesAt)
    if ((attributes & layout.controlBit) !== 0) {
      if (isAbortMarker(bytes, position)) aborting.delete(producerId)
    } else if ((attributes & layout.transactionalBit) === 0 || !aborting.has(producerId)) {
      batches.push({ position, sizeBytes, baseOffset, producerId })
    }
    if (lastOffset >= nextOffset) nextOffset = lastOffset + 1
    position += sizeBytes
  }
  return { batches, nextOffset }
}

/** The key of a marker's only record: a version and the kind, 0 for an abort. */
function isAbortMarker(bytes: Buffer, position: number): boolean {
  // length, attributes, time delta, offset delta and key length are a byte each in a marker's record.
  const keyAt = position + layout.recordsAt + 5
  return bytes.readInt16BE(keyAt + 2) === 0
}
