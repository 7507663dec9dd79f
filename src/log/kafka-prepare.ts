/** A commit before it is sent: checked against its topics, its messages encoded. */
import type { Batch } from '../core/batch.ts'
import { buffers } from '../core/buffer-pool.ts'
import { fail } from '../core/errors.ts'
import { checkMetadata, piecesOf } from './checks.ts'
import type { TransactionPart } from './kafka-transaction.ts'
import type { Commit, Output, TopicInfo } from './log.ts'
import { encodeRecordBatch } from './record-batch.ts'

/** Messages are cut into record batches of about this size, so that a read need not take more. */
const pieceBytes = 512 * 1024
/** What a record takes at most beside its key, value and headers. */
const framingBytes = 24

/** What a commit's outputs are made of; an output may be several parts, or none. */
export interface PreparedOutputs {
  readonly parts: readonly TransactionPart[]
  /** By output: the number of its first part; -1 for one without messages. */
  readonly firstParts: readonly number[]
}

/** Throws `METADATA_TOO_LARGE`, and `MEMBER_FENCED` for checkpoints that nobody answers for. */
export function checkCheckpoints({ checkpoints = [], member }: Commit): void {
  if (checkpoints.length > 0 && member === undefined) {
    throw fail('MEMBER_FENCED', 'commit: checkpoints need the member of the group that owns them')
  }
  for (const checkpoint of checkpoints) checkMetadata(member!.group, checkpoint)
}

/**
 * Encodes into memory of the pool: `giveBackParts`, once the transaction is through. Throws
 * `TOPIC_UNKNOWN`, `MESSAGE_TOO_LARGE`, `MESSAGE_INVALID`.
 */
export async function prepareOutputs(
  outputs: readonly Output[],
  topic: (name: string) => Promise<TopicInfo | undefined>,
): Promise<PreparedOutputs> {
  const parts: TransactionPart[] = []
  const firstParts: number[] = []
  for (const { topic: name, partition, batch } of outputs) {
    const info = await topic(name)
    if (info === undefined) throw fail('TOPIC_UNKNOWN', `commit: there is no topic ${name}`)
    if (partition >= info.partitions) {
      const words = `commit: topic ${name} has ${info.partitions} partitions, not ${partition + 1}`
      throw fail('TOPIC_UNKNOWN', words)
    }
    firstParts.push(batch.count === 0 ? -1 : parts.length)
    for (const part of encodePieces(info, partition, batch)) parts.push(part)
  }
  return { parts, firstParts }
}

/**
 * Parts of a transaction that was committed: nobody sends them again. Those of one that failed are
 * left to the collector, as a request that got no answer may still hold them.
 */
export function giveBackParts(parts: readonly TransactionPart[]): void {
  for (const { bytes } of parts) buffers.give(bytes)
}

function encodePieces(topic: TopicInfo, partition: number, batch: Batch): TransactionPart[] {
  const parts: TransactionPart[] = []
  const mostBytes = Math.min(pieceBytes, topic.maxMessageBytes)
  const { name, compression } = topic
  let from = 0
  for (const to of piecesOf(batch, topic, mostBytes, framingBytes)) {
    // The transaction stamps it, which makes the checksum.
    const bytes = encodeRecordBatch(batch, {
      from,
      to,
      compression,
      isSealed: false,
      pool: buffers,
    })
    parts.push({ topic: name, partition, bytes, count: to - from })
    from = to
  }
  return parts
}
