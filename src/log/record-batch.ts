/**
 * The record codec: columns to Kafka record batches v2 and back. The embedded log stores these bytes
 * in its segment files, a Kafka broker takes and gives the very same ones.
 */
export { decodeRecordBatches, type StoredBatch } from './record-batch-decoder.ts'
export { encodeRecordBatch } from './record-batch-encoder.ts'
