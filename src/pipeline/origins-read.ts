/**
 * Whether a pipeline has read the topics from which its features are reckoned to where they ended when
 * a lane began: all partitions of them, as each has messages for every lane.
 */
import type { Clock } from '../core/clock.ts'
import type { Log, TopicInfo, TopicPartition } from '../log/log.ts'
import { isOfTopic } from './checkpoint.ts'
import type { Definition } from './definition.ts'
import { originsOf } from './inputs.ts'

export interface OriginsReadOptions {
  readonly definition: Definition
  readonly log: Log
  readonly clock: Clock
  readonly topics: ReadonlyMap<string, TopicInfo>
}

interface Goal extends TopicPartition {
  readonly identity: string | undefined
  readonly start: number
  readonly end: number
}

/** On Kafka a look is several requests. */
const lookEveryMs = 50

export class OriginsRead {
  readonly #options: OriginsReadOptions
  /** What is still to be reached; undefined: nobody asked. */
  #goals: readonly Goal[] | undefined
  #lookedAtMs = Number.NEGATIVE_INFINITY

  /** Undefined: the pipeline has no such topics. */
  static of(options: OriginsReadOptions): OriginsRead | undefined {
    return originsOf(options.definition).length === 0 ? undefined : new OriginsRead(options)
  }

  constructor(options: OriginsReadOptions) {
    this.#options = options
  }

  /** By the group's committed positions: then what was read is where it belongs. */
  async check(): Promise<boolean> {
    const { definition, log, clock } = this.#options
    this.#goals ??= await this.#begin()
    if (this.#goals.length === 0) return true
    if (clock.now() - this.#lookedAtMs < lookEveryMs) return false
    this.#lookedAtMs = clock.now()
    const checkpoints = (await log.group(definition.name))?.checkpoints ?? []
    this.#goals = this.#goals.filter(({ topic, partition, identity, start, end }) => {
      const found = checkpoints.find((one) => {
        const isHere = one.topic === topic && one.partition === partition
        return isHere && isOfTopic(topic, one.metadata, identity)
      })
      return (found?.offset ?? start) < end
    })
    return this.#goals.length === 0
  }

  async #begin(): Promise<readonly Goal[]> {
    const { definition, log, topics } = this.#options
    const names = new Set(originsOf(definition).map(({ topic }) => topic.name))
    const places = [...names].flatMap((topic) => {
      const { partitions = 0, identity } = topics.get(topic) ?? {}
      return Array.from({ length: partitions }, (_, partition) => ({ topic, partition, identity }))
    })
    const goals = await Promise.all(
      places.map(async (place) => ({
        ...place,
        ...(await log.offsets(place.topic, place.partition)),
      })),
    )
    return goals.filter(({ start, end }) => start < end)
  }
}
