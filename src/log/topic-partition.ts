/** A partition as people and maps name it. */
import type { TopicPartition } from './log.ts'

/** `topic/partition`. */
export const nameOf = ({ topic, partition }: TopicPartition) => `${topic}/${partition}`
