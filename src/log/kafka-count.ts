/** Counts messages in what is stored, for the ledger's second check. */
import type { KafkaReader } from './kafka-reader.ts'
import type { OffsetRange } from './log.ts'
import { decodeRecordBatches } from './record-batch.ts'

const countBytes = 4 * 1024 * 1024

/** Those between two offsets; only of these producers, where some are given. */
export async function countMessages(
  reader: Pick<KafkaReader, 'look'>,
  topic: string,
  partition: number,
  { start, end }: OffsetRange,
  producers: ReadonlySet<bigint> | undefined,
): Promise<number> {
  let found = 0
  for (let from = start; from < end; ) {
    const fetched = await reader.look(topic, partition, from, countBytes)
    if (fetched === undefined) break
    const { bytes, nextOffset } = fetched
    const batches = fetched.batches.filter((one) => producers?.has(one.producerId) ?? true)
    const stored = { topic, partition, origin: '', bytes, batches, from, nextOffset }
    const { count, offsets } = decodeRecordBatches(stored)
    for (let index = 0; index < count; index++) if (offsets[index]! < end) found++
    from = nextOffset
  }
  return found
}
