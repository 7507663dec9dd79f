/** Writes into an encoded record batch which producer sends it, in which order: for transactions on Kafka. */
import { crc32c } from '@node-rs/crc32'
import * as layout from './record-batch-layout.ts'

/**
 * Makes a record batch a part of a transaction, in place; its checksum is made anew. `sequence` is
 * that of its first record among those that this epoch of the producer sent to the partition.
 */
export function stampProducer(
  bytes: Buffer,
  producerId: number,
  producerEpoch: number,
  sequence: number,
): void {
  const attributes = bytes.readInt16BE(layout.attributesAt)
  bytes.writeInt16BE(attributes | layout.transactionalBit, layout.attributesAt)
  const high = Math.floor(producerId / 0x1_0000_0000)
  bytes.writeInt32BE(high, layout.producerIdAt)
  bytes.writeUInt32BE(producerId - high * 0x1_0000_0000, layout.producerIdAt + 4)
  bytes.writeInt16BE(producerEpoch, layout.producerEpochAt)
  bytes.writeInt32BE(sequence, layout.baseSequenceAt)
  bytes.writeUInt32BE(crc32c(bytes.subarray(layout.attributesAt)), layout.crcAt)
}
