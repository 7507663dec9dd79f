/** What the log refuses before it does anything: names, settings and sizes. */
import type { Batch } from '../core/batch.ts'
import { fail, type Refusal } from '../core/errors.ts'
import type { Checkpoint, TopicInfo, TopicSettings } from './log.ts'

/** Kafka allows 4,096 bytes of metadata with an offset; the rest is left to the pipeline. */
const maxMetadataBytes = 3 * 1024
const maxPartitions = 10_000
const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** Kafka's rule for names of topics, kept for groups too. Throws `NAME_INVALID`. */
export function checkName(kind: 'topic' | 'group', name: string): void {
  if (/^[a-zA-Z0-9._-]{1,249}$/.test(name) && name !== '.' && name !== '..') return
  throw fail(
    'NAME_INVALID',
    `${kind} '${name}': use letters, digits, '.', '_' and '-', at most 249 of them`,
  )
}

/** Throws `OPTIONS_INVALID`. */
export function checkTopicSettings(name: string, settings: TopicSettings): void {
  const bad = (option: string, wanted: string) =>
    fail('OPTIONS_INVALID', `topic ${name}: option '${option}' is not ${wanted}`)
  const { partitions, cleanup, retentionMs, retentionBytes, maxMessageBytes } = settings
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > maxPartitions) {
    throw bad('partitions', `a number from 1 to ${maxPartitions}`)
  }
  if (cleanup !== 'delete' && cleanup !== 'compact') throw bad('cleanup', "'delete' or 'compact'")
  if (!compressions.includes(settings.compression)) {
    throw bad('compression', `one of ${compressions.join(', ')}`)
  }
  if (!(maxMessageBytes >= 1)) throw bad('maxMessageBytes', 'a number of bytes')
  if (retentionMs !== undefined && !(retentionMs >= 0)) throw bad('retentionMs', 'a duration')
  if (retentionBytes !== undefined && !(retentionBytes >= 0)) {
    throw bad('retentionBytes', 'a number of bytes')
  }
}

/** Throws `METADATA_TOO_LARGE`. */
export function checkMetadata(group: string, checkpoint: Checkpoint): void {
  const { topic, partition, metadata } = checkpoint
  // A UTF-16 unit takes at most three bytes, so most need not be measured.
  if (metadata.length * 3 <= maxMetadataBytes) return
  const sizeBytes = Buffer.byteLength(metadata)
  if (sizeBytes <= maxMetadataBytes) return
  throw fail(
    'METADATA_TOO_LARGE',
    `group ${group}, ${topic}/${partition}: the checkpoint's metadata has ${sizeBytes} bytes, at most ${maxMetadataBytes} are kept`,
  )
}

/**
 * Where to cut a batch so that no piece is much larger than `pieceBytes`, of which each message takes
 * `framingBytes` beside its own: the ends of the pieces, the last one being `batch.count`. Throws
 * `MESSAGE_TOO_LARGE`, naming each message that is.
 */
export function piecesOf(
  batch: Batch,
  topic: TopicInfo,
  pieceBytes: number,
  framingBytes = 0,
): number[] {
  const { keyStarts, keyEnds, valueStarts, valueEnds, headerStarts, headerEnds } = batch
  const ends: number[] = []
  let refused: Refusal[] | undefined
  let pieceSize = 0
  for (let index = 0; index < batch.count; index++) {
    // Missing keys and values start and end at -1.
    const sizeBytes =
      keyEnds[index]! -
      keyStarts[index]! +
      (valueEnds[index]! - valueStarts[index]!) +
      (headerEnds[index]! - headerStarts[index]!)
    if (sizeBytes > topic.maxMessageBytes) {
      const reason = `it has ${sizeBytes} bytes, topic ${topic.name} takes ${topic.maxMessageBytes}`
      refused = [...(refused ?? []), { index, reason }]
    }
    if (pieceSize > 0 && pieceSize + sizeBytes + framingBytes > pieceBytes) {
      ends.push(index)
      pieceSize = 0
    }
    pieceSize += sizeBytes + framingBytes
  }
  if (refused !== undefined) {
    const first = refused[0]!
    throw fail(
      'MESSAGE_TOO_LARGE',
      `${topic.name}/${batch.partition}: message ${first.index} of the batch: ${first.reason}`,
      { refused },
    )
  }
  if (batch.count > 0) ends.push(batch.count)
  return ends
}
