/** What the in-memory log refuses of a commit before it does anything. */
import type { Batch } from '../core/batch.ts'
import { fail, type Refusal } from '../core/errors.ts'
import type { Checkpoint, TopicInfo } from './log.ts'

const maxMetadataBytes = 3 * 1024
/** The times that a Date can hold. */
const furthestTime = 8.64e15

/** Throws `MESSAGE_TOO_LARGE`, `MESSAGE_INVALID`. */
export function checkMessages(batch: Batch, topic: TopicInfo): void {
  const large: Refusal[] = []
  const timeless: Refusal[] = []
  for (let index = 0; index < batch.count; index++) {
    const sizeBytes =
      batch.keyEnds[index]! -
      batch.keyStarts[index]! +
      (batch.valueEnds[index]! - batch.valueStarts[index]!) +
      (batch.headerEnds[index]! - batch.headerStarts[index]!)
    if (sizeBytes > topic.maxMessageBytes) {
      large.push({ index, reason: `${sizeBytes} bytes, ${topic.maxMessageBytes} are allowed` })
    }
    const time = Math.floor(batch.times[index]!)
    if (!(time >= -furthestTime && time <= furthestTime)) {
      timeless.push({ index, reason: `time ${time} is no date` })
    }
  }
  const describe = (refused: Refusal[]) =>
    `topic ${topic.name}: message ${refused[0]!.index} of the batch: ${refused[0]!.reason}`
  if (large.length > 0) throw fail('MESSAGE_TOO_LARGE', describe(large), { refused: large })
  if (timeless.length > 0) throw fail('MESSAGE_INVALID', describe(timeless), { refused: timeless })
}

/** Throws `METADATA_TOO_LARGE`. */
export function checkMetadata({ topic, partition, metadata }: Checkpoint): void {
  const sizeBytes = Buffer.byteLength(metadata)
  if (sizeBytes > maxMetadataBytes) {
    throw fail('METADATA_TOO_LARGE', `${topic}/${partition}: metadata of ${sizeBytes} bytes`)
  }
}
