/**
 * Caught up: every pipeline has read what its inputs held, in topological order. An input that a
 * pipeline of this run writes is done when that pipeline is done; any other at its end when the run
 * began. What counts are the positions of the group, not of one worker.
 */
import { codeOf } from '../core/errors.ts'
import type { GroupInfo, Log } from '../log/log.ts'
import { isOfTopic, parseCheckpoint } from './checkpoint.ts'
import { replayTopic } from './dead-letters.ts'
import type { Definition } from './definition.ts'
import { patternFor, repartitions, topicInputs, withTopicsOf } from './inputs.ts'
import { isRepartition } from './internal-names.ts'
import { sourceTopic, topicOutputs } from './plan.ts'
import { isTimed, placesOf, segmentsOf } from './segments.ts'
import type { Ended } from './upstream-time.ts'

const stillMs = 30_000

export class CaughtUp {
  readonly #log: Log
  /** With the topics that patterns match when the run begins. */
  #definitions: readonly Definition[]
  readonly #startEnds = new Map<string, Ends>()
  /** By pipeline with windows, the end that its inputs were read to: its runners are to be told. */
  readonly ended = new Map<string, Ended>()
  /** By group, since when its checkpoints stand as they do. */
  readonly #still = new Map<string, { readonly stands: string; readonly sinceMs: number }>()

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
        this.#startEnds.set(topic, await endsOf(this.#log, topic))
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
    const own = new Set(repartitions(definition).map(({ topic }) => topic.name))
    const names = topicInputs(definition).map(({ topic }) => topic.name)
    const others = [...names.filter((name) => !own.has(name)), replayTopic(definition.name)]
    if (!sourcesDone(definition, group) || !(await this.#haveReached(definition, group, others))) {
      this.ended.delete(definition.name)
      return false
    }
    if (!(await this.#haveReached(definition, group, [...own]))) return false
    if (!isTimed(definition)) return true
    const hasEnd = this.#hasEnd(definition)
    const ended = { token: tokenOf(group, hasEnd), isFinite: hasEnd }
    if (this.ended.get(definition.name)?.token !== ended.token) {
      this.ended.set(definition.name, ended)
    }
    return (await this.#haveEnded(definition, group, ended)) || this.#isStill(group)
  }

  async #haveReached(
    definition: Definition,
    group: GroupInfo,
    topics: readonly string[],
  ): Promise<boolean> {
    const written = new Set(this.#definitions.flatMap(writtenBy))
    for (const topic of topics) {
      const goal = written.has(topic) ? await endsOf(this.#log, topic) : this.#startEnds.get(topic)!
      if (!(await this.#reached(definition, group, topic, goal))) return false
    }
    return true
  }

  /**
   * Another process may hold partitions and run on, as nobody told it to end: its windows stay as they
   * are. True once nothing was committed for long although all was read.
   */
  #isStill({ name, checkpoints }: GroupInfo): boolean {
    const stands = JSON.stringify(checkpoints)
    const before = this.#still.get(name)
    if (before?.stands === stands) return performance.now() - before.sinceMs > stillMs
    this.#still.set(name, { stands, sinceMs: performance.now() })
    return false
  }

  /** All windows were told of this end: what they gave by that is committed too. */
  async #haveEnded(definition: Definition, group: GroupInfo, ended: Ended): Promise<boolean> {
    const infos = new Map((await this.#log.topics()).map((info) => [info.name, info]))
    const places = segmentsOf(definition)
      .filter((segment) => segment.isTimed)
      .flatMap((segment) => placesOf(segment, (topic) => infos.get(topic)?.partitions ?? 0))
    return places.every((place) => {
      const checkpoint = group.checkpoints.find(
        ({ topic, partition }) => topic === place.topic && partition === place.partition,
      )
      if (checkpoint === undefined || checkpoint.metadata === '') return false
      const token = parseCheckpoint(place.topic, checkpoint.metadata).time?.ended
      return token === ended.token
    })
  }

  /** All that it reads comes from sources that have an end, in this run. */
  #hasEnd(definition: Definition, seen: readonly string[] = []): boolean {
    if (seen.includes(definition.name)) return false
    return definition.inputs.every((input) => {
      if (input.kind === 'source') return true
      if (input.kind === 'topics') return false
      const { name } = input.topic
      const writers = this.#definitions.filter((one) => writtenBy(one).includes(name))
      const chain = [...seen, definition.name]
      return writers.length > 0 && writers.every((writer) => this.#hasEnd(writer, chain))
    })
  }

  /** A partition of which nothing is left to read is reached, whether it was ever read or not. */
  async #reached(
    definition: Definition,
    { checkpoints }: GroupInfo,
    topic: string,
    goal: Ends,
  ): Promise<boolean> {
    const here = checkpoints.filter(
      (one) => one.topic === topic && isOfTopic(topic, one.metadata, goal.identity),
    )
    for (const [partition, end] of goal.ends.entries()) {
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

/** The same for all processes that read the same messages to their end, and another one with more. */
function tokenOf({ checkpoints }: GroupInfo, hasEnd: boolean): number {
  const read = checkpoints.filter(({ topic }) => !isRepartition(topic))
  return read.reduce((sum, { offset }) => sum + offset, hasEnd ? 0.5 : 0)
}

/** The topics that a pipeline writes, its own among them. */
const writtenBy = (definition: Definition): string[] =>
  [...topicOutputs(definition), ...repartitions(definition).map(({ topic }) => topic)].map(
    ({ name }) => name,
  )

function sourcesDone(definition: Definition, group: GroupInfo): boolean {
  return definition.inputs.every((input) => {
    if (input.kind !== 'source') return true
    const topic = sourceTopic(definition, input)
    const checkpoint = group.checkpoints.find((one) => one.topic === topic)
    return checkpoint !== undefined && parseCheckpoint(topic, checkpoint.metadata).done === true
  })
}

interface Ends {
  readonly identity: string | undefined
  /** By partition. */
  readonly ends: readonly number[]
}

async function endsOf(log: Log, topic: string): Promise<Ends> {
  const info = await log.topic(topic)
  const partitions = Array.from({ length: info?.partitions ?? 0 }, (_, partition) => partition)
  const ends = await Promise.all(
    partitions.map(async (partition) => (await log.offsets(topic, partition)).end),
  )
  return { identity: info?.identity, ends }
}
