/**
 * Runs one pipeline in one worker: a member of its group that starts a lane for what it is given
 * and gives back what it is asked for.
 */
import type { Clock } from '../core/clock.ts'
import { codeOf, fail, messageOf, orderOf } from '../core/errors.ts'
import type { Random } from '../core/random.ts'
import type {
  AssignmentChange,
  Checkpoint,
  Log,
  Membership,
  TopicInfo,
  TopicPartition,
} from '../log/log.ts'
import type { Model } from '../models/model.ts'
import { Meter } from '../monitoring/meter.ts'
import type { SourceUse } from '../sources/source.ts'
import { deadLetterTopic, replayTopic } from './dead-letters.ts'
import type { Definition } from './definition.ts'
import { Lane, type LaneProgress } from './lane.ts'
import { type LaneInput, sourceInput, topicInput } from './lane-input.ts'
import { type OpenSinks, openSinks } from './lane-sinks.ts'
import { openModels } from './models.ts'
import { isExclusive, planOf, sourceTopic, topicInputs, topicOutputs } from './plan.ts'
import { DeadLetterShare } from './share.ts'

export interface RunnerOptions {
  readonly definition: Definition
  readonly log: Log
  readonly directory: string
  readonly clock: Clock
  readonly random: Random
  readonly ratePerSecond: number | undefined
  /** See `SourceContext.untilEnd`. */
  readonly untilEnd: boolean
}

interface RunningLane {
  readonly places: readonly TopicPartition[]
  readonly stop: () => void
  readonly ended: Promise<void>
}

const heartbeatMs = 100
const maxBytesPerRead = 1024 * 1024
const maxMessagesPerRead = 2000

export class Runner {
  readonly #options: RunnerOptions
  readonly #definition: Definition
  readonly #planHash: string
  readonly #share: DeadLetterShare
  readonly #lanes = new Map<string, RunningLane>()
  readonly progress: LaneProgress = {
    messages: 0,
    deadLetters: 0,
    waiting: undefined,
    openSources: 0,
    isSettled: false,
  }
  /** What all lanes of this pipeline in this worker measure. */
  readonly meter = new Meter()
  #models: Map<string, Model<unknown, unknown>> = new Map()
  #topics = new Map<string, TopicInfo>()
  readonly #openSources = new Set<string>()
  #failure: { readonly error: unknown } | undefined
  #fenced = false

  constructor(options: RunnerOptions) {
    this.#options = options
    this.#definition = options.definition
    this.#planHash = planOf([options.definition]).pipelines[0]!.hash
    const { name, settings } = options.definition
    this.#share = new DeadLetterShare(name, settings.maxDeadLetterShare)
  }

  /** Runs until the signal aborts, then drains: what is under way is committed. */
  async run(signal: AbortSignal): Promise<void> {
    const { log, directory, clock } = this.#options
    this.#models = await openModels(this.#definition, log, directory, clock)
    for (const topic of await log.topics()) this.#topics.set(topic.name, topic)
    let wasMember = false
    while (!signal.aborted) {
      const isOutdated = wasMember && (await this.#unlessBusy(() => this.#isOutdated()))
      if (isOutdated) throw this.#superseded()
      const joining = () => log.join(this.#definition.name, this.#joinOptions())
      const member = await this.#unlessBusy(joining)
      if (member === undefined) {
        await clock.sleep(heartbeatMs, signal)
        continue
      }
      wasMember = true
      this.#fenced = false
      try {
        while (!signal.aborted && !this.#fenced) {
          await this.#unlessBusy(() => this.#beat(member))
          if (this.#failure !== undefined) throw this.#failure.error
          if (member.superseded) throw this.#superseded()
          await clock.sleep(heartbeatMs, signal)
        }
      } finally {
        await this.#stopLanes(() => true)
        // On a full disk it cannot say so: the others find that it is gone.
        await this.#unlessBusy(() => member.leave())
      }
      if (this.#failure !== undefined) throw this.#failure.error
    }
  }

  /**
   * True when a member with another plan came while this one slept: having joined first, this one
   * is the older, although it joins again as the youngest.
   */
  async #isOutdated(): Promise<boolean> {
    const group = await this.#options.log.group(this.#definition.name)
    const plans = (group?.members ?? []).map(({ planHash }) => planHash)
    return plans.some((plan) => plan !== undefined && plan !== this.#planHash)
  }

  /** A full disk or a lock held for long ends no pipeline: undefined, and it is tried again. */
  async #unlessBusy<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
    const { progress } = this
    try {
      const result = await work()
      if (progress.waiting?.startsWith('group: ')) progress.waiting = undefined
      return result
    } catch (error) {
      if (orderOf(error) !== 'try-later') throw error
      progress.waiting ??= `group: ${messageOf(error)}`
      return undefined
    }
  }

  #joinOptions() {
    const { inputs, name } = this.#definition
    const topics = topicInputs(this.#definition).map(({ topic }) => topic.name)
    const sources = inputs.flatMap((input) =>
      input.kind === 'source'
        ? [{ name: sourceTopic(this.#definition, input), partitions: 1 }]
        : [],
    )
    const partitioned = [...new Set([...topics, replayTopic(name)])].map((topic) => ({
      name: topic,
      partitions: this.#topics.get(topic)!.partitions,
    }))
    return {
      topics: [...sources, ...partitioned],
      exclusive: isExclusive(this.#definition),
      planHash: this.#planHash,
    }
  }

  async #beat(member: Membership): Promise<void> {
    const change = await this.#heartbeat(member)
    if (change === undefined) return
    const leaving = [...change.revoking, ...change.lost]
    if (leaving.length > 0) {
      await this.#stopLanes((running) => running.places.some((place) => includes(leaving, place)))
      if (change.revoking.length > 0) await member.release(change.revoking)
    }
    const wanted = this.#group(member.owned)
    await this.#stopLanes((running, key) => !same(running.places, wanted.get(key) ?? []))
    for (const [key, places] of wanted) {
      if (!this.#lanes.has(key) && this.#failure === undefined) this.#start(key, places, member)
    }
    this.progress.isSettled = true
    const paused = `the group is paused (millrace groups resume ${this.#definition.name})`
    if (member.paused) this.progress.waiting ??= paused
    else if (this.progress.waiting === paused) this.progress.waiting = undefined
  }

  /** Undefined: it was silent too long, the group went on without it, and it has to join again. */
  async #heartbeat(member: Membership): Promise<AssignmentChange | undefined> {
    try {
      return await member.heartbeat()
    } catch (error) {
      if (codeOf(error) !== 'MEMBER_FENCED') throw error
      this.#fenced = true
      return undefined
    }
  }

  /** Which partitions are worked on together: one by one, by number, or all where a sink is single. */
  #group(owned: readonly TopicPartition[]): Map<string, TopicPartition[]> {
    const groups = new Map<string, TopicPartition[]>()
    const topics = new Set(topicInputs(this.#definition).map(({ topic }) => topic.name))
    topics.add(replayTopic(this.#definition.name))
    const exclusive = isExclusive(this.#definition)
    for (const place of owned) {
      const key = exclusive
        ? 'all'
        : topics.has(place.topic)
          ? `partition ${place.partition}`
          : `${place.topic} ${place.partition}`
      groups.set(key, [...(groups.get(key) ?? []), place])
    }
    return groups
  }

  #start(key: string, places: readonly TopicPartition[], member: Membership): void {
    const stopping = new AbortController()
    const sources = places.filter((place) => this.#sourceOf(place) !== undefined)
    for (const { topic } of sources) this.#setOpen(topic, true)
    const work = this.#runLane(places, member, stopping.signal).finally(() => {
      for (const { topic } of sources) this.#setOpen(topic, false)
    })
    const ended = work.catch((error: unknown) => {
      // The group went on without this member: what it held is dropped, and it joins again.
      if (codeOf(error) === 'MEMBER_FENCED') this.#fenced = true
      else this.#failure ??= { error }
    })
    this.#lanes.set(key, { places, stop: () => stopping.abort(), ended })
  }

  async #runLane(
    places: readonly TopicPartition[],
    member: Membership,
    signal: AbortSignal,
  ): Promise<void> {
    const { log, clock, random } = this.#options
    const group = await log.group(this.#definition.name)
    const checkpoints = group?.checkpoints ?? []
    const sinks = await this.#openSinks(places, checkpoints, signal)
    if (sinks === undefined) return
    try {
      const inputs = await Promise.all(
        places.map((place) => this.#input(place, checkpoints, signal)),
      )
      const lane = new Lane({
        ...{ definition: this.#definition, planHash: this.#planHash, log, member, clock, random },
        partition: places[0]!.partition,
        inputs,
        models: this.#models,
        sinks: sinks.sinks,
        sinkCommits: sinks.commits,
        topics: this.#topics,
        share: this.#share,
        progress: this.progress,
        meter: this.meter,
      })
      signal.addEventListener('abort', () => lane.stop(), { once: true })
      if (signal.aborted) lane.stop()
      await lane.run()
    } finally {
      await sinks.close()
    }
  }

  #openSinks(
    places: readonly TopicPartition[],
    checkpoints: readonly Checkpoint[],
    signal: AbortSignal,
  ): Promise<OpenSinks | undefined> {
    const { directory, clock, random } = this.#options
    return openSinks(this.#definition, {
      ...{ places, checkpoints, directory, clock, random, signal },
      waiting: (line) => {
        this.progress.waiting = line
      },
    })
  }

  #input(
    place: TopicPartition,
    checkpoints: readonly Checkpoint[],
    signal: AbortSignal,
  ): Promise<LaneInput> {
    const definition = this.#definition
    const { log, clock, ratePerSecond, untilEnd } = this.#options
    const start = {
      pipeline: definition.name,
      planHash: this.#planHash,
      ...place,
      stepNames: definition.steps.map((step) => step.name),
      checkpoint: checkpoints.find((one) => includes([one], place)),
    }
    const source = this.#sourceOf(place)
    if (source !== undefined) {
      const pace = { clock, signal, ratePerSecond, untilEnd, maxMessages: maxMessagesPerRead }
      const ended = () => this.#setOpen(place.topic, false)
      return sourceInput({ ...start, ...pace, entry: 0, source, ended })
    }
    const input = topicInputs(definition).find(({ topic }) => topic.name === place.topic)
    return topicInput({
      ...start,
      log,
      entry: input?.entry ?? 0,
      schema: input?.topic.schema,
      isReplay: input === undefined,
      onGap: definition.settings.onGap,
      maxBytes: maxBytesPerRead,
    })
  }

  #setOpen(source: string, isOpen: boolean): void {
    if (isOpen) this.#openSources.add(source)
    else this.#openSources.delete(source)
    this.progress.openSources = this.#openSources.size
  }

  #sourceOf(place: TopicPartition): SourceUse<unknown> | undefined {
    const definition = this.#definition
    for (const input of definition.inputs) {
      const isIt = input.kind === 'source' && sourceTopic(definition, input) === place.topic
      if (isIt) return input.source
    }
    return undefined
  }

  async #stopLanes(which: (running: RunningLane, key: string) => boolean): Promise<void> {
    const stopped = [...this.#lanes].filter(([key, running]) => which(running, key))
    for (const [, running] of stopped) running.stop()
    for (const [key, running] of stopped) {
      await running.ended
      this.#lanes.delete(key)
    }
  }

  #superseded(): Error {
    return fail(
      'PIPELINE_SUPERSEDED',
      `pipeline ${this.#definition.name}: a process with another plan joined the group; this one finished its work and left`,
    )
  }
}

/** Names of all topics that have to exist before a pipeline starts. */
export function topicNames(definition: Definition): string[] {
  const { name } = definition
  return [
    ...topicInputs(definition).map(({ topic }) => topic.name),
    ...topicOutputs(definition).map((topic) => topic.name),
    deadLetterTopic(name),
    replayTopic(name),
  ]
}

const includes = (places: readonly TopicPartition[], place: TopicPartition) =>
  places.some((one) => one.topic === place.topic && one.partition === place.partition)

const same = (some: readonly TopicPartition[], others: readonly TopicPartition[]) =>
  some.length === others.length && some.every((place) => includes(others, place))
