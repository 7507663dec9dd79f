/** A commit before it is written: checked against its topics, its messages encoded. */
import { buffers } from '../core/buffer-pool.ts'
import { fail } from '../core/errors.ts'
import { checkMetadata, piecesOf } from './checks.ts'
import type { OpenSegment } from './embedded-segments.ts'
import type { StoredTopic, TopicCatalog } from './embedded-topics.ts'
import type { Commit, Output } from './log.ts'
import { encodeRecordBatch } from './record-batch.ts'
import { maxTimestampAt } from './record-batch-layout.ts'

/** Messages are cut into record batches of about this size, so that a read need not take more. */
const pieceBytes = 1024 * 1024

/** One record batch: a row of `batches` to be. */
export interface Chunk {
  readonly count: number
  readonly bytes: Buffer
  readonly maxTime: number
  segment: OpenSegment | undefined
  position: number
}

export interface PreparedOutput {
  readonly topic: StoredTopic
  readonly partition: number
  readonly chunks: readonly Chunk[]
}

export interface PreparedCommit {
  readonly commit: Commit
  readonly outputs: readonly PreparedOutput[]
}

/**
 * Encodes into memory of the pool: `giveBackChunks`, once the commit is done. Throws
 * `TOPIC_UNKNOWN`, `MESSAGE_TOO_LARGE`, `MESSAGE_INVALID`, `METADATA_TOO_LARGE`, and
 * `MEMBER_FENCED` for checkpoints that nobody answers for.
 */
export function prepare(commit: Commit, topics: TopicCatalog): PreparedCommit {
  const checkpoints = commit.checkpoints ?? []
  if (checkpoints.length > 0 && commit.member === undefined) {
    throw fail('MEMBER_FENCED', 'commit: checkpoints need the member of the group that owns them')
  }
  for (const checkpoint of checkpoints) checkMetadata(commit.member!.group, checkpoint)
  return { commit, outputs: commit.outputs.map((output) => encode(output, topics)) }
}

/** They are written and counted: nobody writes them again. Those of a failed commit are left alone. */
export function giveBackChunks(chunks: readonly Chunk[]): void {
  for (const { bytes } of chunks) buffers.give(bytes)
}

function encode(output: Output, topics: TopicCatalog): PreparedOutput {
  const { batch, partition } = output
  const topic = topics.partition(output.topic, partition)
  const { compression } = topic.info
  const chunks: Chunk[] = []
  let from = 0
  for (const to of piecesOf(batch, topic.info, pieceBytes)) {
    const bytes = encodeRecordBatch(batch, { from, to, compression, pool: buffers })
    const maxTime = Number(bytes.readBigInt64BE(maxTimestampAt))
    chunks.push({ count: to - from, bytes, maxTime, segment: undefined, position: 0 })
    from = to
  }
  return { topic, partition, chunks }
}
