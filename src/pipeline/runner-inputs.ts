/**
 * The topics that a runner works with. Those that match a pattern are looked up again from time to
 * time: when others match, or one of them has more partitions or was made again, the runner joins its
 * group anew.
 */
import type { Clock } from '../core/clock.ts'
import { codeOf } from '../core/errors.ts'
import type { JoinOptions, Log, TopicInfo, TopicPartition } from '../log/log.ts'
import type { SourceUse } from '../sources/source.ts'
import { replayTopic } from './dead-letters.ts'
import type { Definition } from './definition.ts'
import { patternsOf, topicInputs, withTopics } from './inputs.ts'
import { isExclusive, sourceTopic } from './plan.ts'

/** Something pointed to a change: it is looked at so much sooner. */
const soonMs = 500
/** So long a topic that is gone may still be listed. */
const goneMs = 10_000

export interface RunnerInputsOptions {
  readonly definition: Definition
  readonly log: Log
  readonly clock: Clock
}

export class RunnerInputs {
  readonly #options: RunnerInputsOptions
  readonly #refreshMs: number
  /** With the topics that match. */
  definition: Definition
  topics: ReadonlyMap<string, TopicInfo> = new Map()
  #lookedAtMs = 0
  #isSoon = false
  #missed: { readonly error: unknown; readonly atMs: number } | undefined

  constructor(options: RunnerInputsOptions) {
    this.#options = options
    this.definition = options.definition
    const patterns = patternsOf(options.definition)
    this.#refreshMs = Math.min(...patterns.map(({ refreshMs }) => refreshMs))
  }

  get hasPatterns(): boolean {
    return this.#refreshMs !== Number.POSITIVE_INFINITY
  }

  /** Of a pipeline that has nothing to read yet. */
  get waiting(): string | undefined {
    if (!this.hasPatterns || this.definition.inputs.some(isThere)) return undefined
    const names = patternsOf(this.definition).map(({ name }) => name)
    return `no topic matches ${names.join(', ')} yet`
  }

  /** To be called before the group is joined. */
  async load(): Promise<void> {
    const topics = await this.#look()
    this.topics = topics
    this.definition = withTopics(this.#options.definition, [...topics.keys()])
    this.#missed = undefined
  }

  /** Another member has joined with topics that this one has not seen, or one that it reads is gone. */
  lookSoon(): void {
    this.#isSoon = this.hasPatterns
  }

  /** False: the error is none that a topic which was deleted explains. */
  explains(error: unknown): boolean {
    if (codeOf(error) !== 'TOPIC_UNKNOWN' || !this.hasPatterns) return false
    this.#missed ??= { error, atMs: this.#options.clock.now() }
    this.lookSoon()
    return true
  }

  /**
   * True once it is time to join anew. Looks only when that is due. Throws what a lane met where the
   * topic that it missed is listed all the same, or is none of those that match.
   */
  async haveChanged(): Promise<boolean> {
    const { clock, definition } = this.#options
    const passedMs = clock.now() - this.#lookedAtMs
    if (passedMs < (this.#isSoon ? Math.min(soonMs, this.#refreshMs) : this.#refreshMs))
      return false
    const topics = await this.#look()
    const found = withTopics(definition, [...topics.keys()])
    if (signature(found, topics) !== signature(this.definition, this.topics)) return true
    if (this.#missed === undefined) return false
    if (clock.now() - this.#missed.atMs > goneMs) throw this.#missed.error
    this.lookSoon()
    return false
  }

  /** Of what a member owns, that which this one joined for; others may have joined for more. */
  known(owned: readonly TopicPartition[]): readonly TopicPartition[] {
    if (!this.hasPatterns) return owned
    const joined = new Map(this.joined().map(({ name, partitions }) => [name, partitions]))
    const known = owned.filter(({ topic, partition }) => partition < (joined.get(topic) ?? 0))
    if (known.length < owned.length) this.lookSoon()
    return known
  }

  /** Undefined: it is a place in a topic. */
  sourceOf({ topic }: TopicPartition): SourceUse<unknown> | undefined {
    const { definition } = this
    for (const input of definition.inputs) {
      if (input.kind === 'source' && sourceTopic(definition, input) === topic) return input.source
    }
    return undefined
  }

  /** What the group is joined for. */
  joined(): JoinOptions['topics'] {
    const { definition } = this
    const sources = definition.inputs.flatMap((input) =>
      input.kind === 'source' ? [{ name: sourceTopic(definition, input), partitions: 1 }] : [],
    )
    const names = topicInputs(definition).map(({ topic }) => topic.name)
    const partitioned = [...new Set([...names, replayTopic(definition.name)])].map((name) => ({
      name,
      partitions: this.topics.get(name)!.partitions,
      ...(this.hasPatterns ? { mustExist: true } : {}),
    }))
    return [...sources, ...partitioned]
  }

  joinOptions(planHash: string): JoinOptions {
    return { topics: this.joined(), exclusive: isExclusive(this.definition), planHash }
  }

  async #look(): Promise<Map<string, TopicInfo>> {
    const { log, clock } = this.#options
    this.#lookedAtMs = clock.now()
    this.#isSoon = false
    return new Map((await log.topics()).map((topic) => [topic.name, topic]))
  }
}

const isThere = (input: Definition['inputs'][number]) =>
  input.kind !== 'topics' || input.matched.length > 0

/** What makes a difference to a member: which topics match, made when, with how many partitions. */
function signature(definition: Definition, topics: ReadonlyMap<string, TopicInfo>): string {
  const matched = definition.inputs.flatMap((input) => {
    return input.kind === 'topics' ? input.matched.map(({ name }) => topics.get(name)) : []
  })
  return JSON.stringify(matched.map((one) => [one?.name, one?.identity, one?.partitions]))
}
