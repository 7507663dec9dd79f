/**
 * Caught up: every pipeline has read what its inputs held, in topological order. An input that a
 * pipeline of this run writes is done when that pipeline is done; any other at its end when the run
 * began. What counts are the positions of the group, not of one worker.
 */
import { codeOf } from '../core/errors.ts'
import type { GroupInfo, Log } from '../log/log.ts'
import { parseCheckpoint } from './checkpoint.ts'
import { replayTopic } from './dead-letters.ts'
import type { Definition } from './definition.ts'
import { patternFor, withTopicsOf } from './inputs.ts'
import { sourceTopic, topicInputs, topicOutputs } from './plan.ts'

export class CaughtUp {
  readonly #log: Log
  /** With the topics that patterns match when the run begins. */
  #definitions: readonly Definition[]
  readonly #startEnds = new Map<string, number[]>()

  constructor(log: Log, inOrder: readonly Definition[]) {
    this.#log = log
    this.#definitions = inOrder
  }

  /** To be called once, before the workers start. */
  async start(): Promise<void> {
    this.#definitions = await withTopicsOf(this.#log, this.#definitions)
    for (const definition of this.#definitions) {
      const topics = topicInputs(definition).map(({ topic }) => topic.name)
      for (const topic of [...topics, replayTopic(definition.name)]) {
        this.#startEnds.set(topic, await ends(this.#log, topic))
      }
    }
  }

  /** True once all pipelines are done. Cheap enough to be asked every few milliseconds. */
  async check(): Promise<boolean> {
    // Upstream first: where one is not done, nothing behind it can be.
    for (const definition of this.#definitions) {
      if (!(await this.#isDone(definition))) return false
    }
    return true
  }

  async #isDone(definition: Definition): Promise<boolean> {
    const group = await this.#log.group(definition.name)
    if (group === undefined) return false
    if (!sourcesDone(definition, group)) return false
    const written = new Set(this.#definitions.flatMap(topicOutputs).map((topic) => topic.name))
    const topics = topicInputs(definition).map(({ topic }) => topic.name)
    for (const topic of [...topics, replayTopic(definition.name)]) {
      const goal = written.has(topic) ? await ends(this.#log, topic) : this.#startEnds.get(topic)!
      if (!(await this.#reached(definition, group, topic, goal))) return false
    }
    return true
  }

  /** A partition of which nothing is left to read is reached, whether it was ever read or not. */
  async #reached(
    definition: Definition,
    { checkpoints }: GroupInfo,
    topic: string,
    goal: readonly number[],
  ): Promise<boolean> {
    const here = checkpoints.filter((one) => one.topic === topic)
    for (const [partition, end] of goal.entries()) {
      const checkpoint = here.find((one) => one.partition === partition)
      const position = checkpoint?.offset ?? (await this.#startOf(definition, topic, partition))
      if (position < end) return false
    }
    return true
  }

  async #startOf(definition: Definition, topic: string, partition: number): Promise<number> {
    try {
      return (await this.#log.offsets(topic, partition)).start
    } catch (error) {
      const mayVanish = patternFor(definition, topic) !== undefined
      if (codeOf(error) !== 'TOPIC_UNKNOWN' || !mayVanish) throw error
      // Deleted since the run began.
      return Number.POSITIVE_INFINITY
    }
  }
}

function sourcesDone(definition: Definition, group: GroupInfo): boolean {
  return definition.inputs.every((input) => {
    if (input.kind !== 'source') return true
    const topic = sourceTopic(definition, input)
    const checkpoint = group.checkpoints.find((one) => one.topic === topic)
    return checkpoint !== undefined && parseCheckpoint(topic, checkpoint.metadata).done === true
  })
}

async function ends(log: Log, topic: string): Promise<number[]> {
  const info = await log.topic(topic)
  const partitions = Array.from({ length: info?.partitions ?? 0 }, (_, partition) => partition)
  return Promise.all(partitions.map(async (partition) => (await log.offsets(topic, partition)).end))
}
