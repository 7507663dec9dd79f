/** How many messages topics hold: counted, or where that means to read them all, told about. */
import type { Log, OffsetRange, TopicInfo } from '../log/log.ts'
import { countText } from './table.ts'

export interface MessageCount {
  readonly messages: number
  /**
   * False: these are offsets. On Kafka the end of each transaction takes one, what was aborted keeps
   * its own, and compaction leaves gaps: there are so many messages or fewer.
   */
  readonly isExact: boolean
}

/** More offsets of a partition than this are not read only to be counted. */
const mostRead = 10_000

export async function countPartition(
  log: Log,
  topic: string,
  partition: number,
  range: OffsetRange,
): Promise<MessageCount> {
  const offsets = range.end - range.start
  if (offsets === 0) return { messages: 0, isExact: true }
  if (log.countsByReading && offsets > mostRead) return { messages: offsets, isExact: false }
  return { messages: await log.count(topic, partition, range), isExact: true }
}

/** Of a whole topic; `ranges` are its partitions'. */
export async function countTopic(
  log: Log,
  { name }: TopicInfo,
  ranges: readonly OffsetRange[],
): Promise<MessageCount> {
  const counts = await Promise.all(
    ranges.map((range, partition) => countPartition(log, name, partition, range)),
  )
  return {
    messages: counts.reduce((sum, { messages }) => sum + messages, 0),
    isExact: counts.every(({ isExact }) => isExact),
  }
}

/** `4,031`, or `~51,234` where it is not exact. */
export const countedText = ({ messages, isExact }: MessageCount): string =>
  `${isExact ? '' : '~'}${countText(messages)}`
