/** Which of the partitions that a member owns are worked on together, by one lane. */
import type { TopicPartition } from '../log/log.ts'
import { replayTopic } from './dead-letters.ts'
import type { Definition } from './definition.ts'
import { isExclusive, topicInputs } from './plan.ts'

/** One by one, those of all topics by their number, or all together where a sink is single. */
export function placesByLane(
  definition: Definition,
  owned: readonly TopicPartition[],
): Map<string, TopicPartition[]> {
  const lanes = new Map<string, TopicPartition[]>()
  const topics = new Set(topicInputs(definition).map(({ topic }) => topic.name))
  topics.add(replayTopic(definition.name))
  const exclusive = isExclusive(definition)
  for (const place of owned) {
    const key = exclusive
      ? 'all'
      : topics.has(place.topic)
        ? `partition ${place.partition}`
        : `${place.topic} ${place.partition}`
    lanes.set(key, [...(lanes.get(key) ?? []), place])
  }
  return lanes
}

export const isAmong = (places: readonly TopicPartition[], place: TopicPartition): boolean =>
  places.some((one) => one.topic === place.topic && one.partition === place.partition)

export const areSame = (
  some: readonly TopicPartition[],
  others: readonly TopicPartition[],
): boolean => some.length === others.length && some.every((place) => isAmong(others, place))
