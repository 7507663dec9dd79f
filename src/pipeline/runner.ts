/**
 * Runs one pipeline in one worker: a member of its group that starts a lane for what it is given
 * and gives back what it is asked for.
 */
import type { Clock } from '../core/clock.ts'
import { codeOf, messageOf, orderOf } from '../core/errors.ts'
import type { Random } from '../core/random.ts'
import type { AssignmentChange, Checkpoint, Log, Membership, TopicPartition } from '../log/log.ts'
import type { Model } from '../models/model.ts'
import { Meter } from '../monitoring/meter.ts'
import { Codecs, formatUses } from './codecs.ts'
import { noConnections } from './connections.ts'
import type { Definition } from './definition.ts'
import { Lane, type LaneProgress } from './lane.ts'
import { type LaneInput, sourceInput, topicInput } from './lane-input.ts'
import { areSame, isAmong, placesByLane } from './lane-places.ts'
import { type OpenSinks, openSinks } from './lane-sinks.ts'
import { openModels } from './models.ts'
import { type ConnectionOf, OpenLookups } from './open-lookups.ts'
import { planOf, topicInputs } from './plan.ts'
import { retry, unlessStopped } from './retry.ts'
import { isOutdated, isToJoinAgain, superseded } from './runner-faults.ts'
import { RunnerInputs } from './runner-inputs.ts'
import { hasTime } from './segments.ts'
import { DeadLetterShare } from './share.ts'
import { Standbys } from './standbys.ts'
import { type Ended, UpstreamTime } from './upstream-time.ts'

export interface RunnerOptions {
  readonly definition: Definition
  readonly log: Log
  readonly directory: string
  readonly clock: Clock
  readonly random: Random
  readonly ratePerSecond: number | undefined
  /** See `SourceContext.untilEnd`. */
  readonly untilEnd: boolean
  /** Of topics with a format; whoever gives them closes them. Undefined: there are none. */
  readonly codecs?: Codecs | undefined
  /** Connections of the environment, for look-ups. Undefined: there are none. */
  readonly connection?: ConnectionOf | undefined
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
  readonly #inputs: RunnerInputs
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
  #lookups = new OpenLookups()
  readonly #codecs: Codecs
  readonly #openSources = new Set<string>()
  #upstream!: UpstreamTime
  readonly #standbys: Standbys
  /** What the run knows of its inputs; undefined: there may be more to come. */
  ended: Ended | undefined
  #failure: { readonly error: unknown } | undefined
  #fenced = false
  #told: string | undefined

  constructor(options: RunnerOptions) {
    this.#options = options
    this.#codecs = options.codecs ?? new Codecs(undefined)
    this.#inputs = new RunnerInputs(options)
    this.#standbys = new Standbys(options.log)
    this.#planHash = planOf([options.definition]).pipelines[0]!.hash
    const { name, settings } = options.definition
    this.#share = new DeadLetterShare(name, settings.maxDeadLetterShare)
  }

  /** With the topics that its patterns match by now. */
  get #definition(): Definition {
    return this.#inputs.definition
  }

  /** Runs until the signal aborts, then drains: what is under way is committed. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.#run(signal)
    } finally {
      await this.#lookups.close()
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { log, clock } = this.#options
    await unlessStopped(this.#patiently('start', () => this.#prepare(signal), signal))
    let wasMember = false
    while (!signal.aborted) {
      const looking = () => isOutdated(log, this.#definition.name, this.#planHash)
      const isOld = wasMember && (await this.#unlessBusy(looking))
      if (isOld) throw superseded(this.#definition.name)
      const member = await this.#unlessBusy(async () => {
        if (wasMember && this.#inputs.hasPatterns) await this.#loadTopics(signal)
        return log.join(this.#definition.name, this.#inputs.joinOptions(this.#planHash))
      })
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
          if (member.superseded) throw superseded(this.#definition.name)
          if (await this.#unlessBusy(() => this.#inputs.haveChanged())) break
          await clock.sleep(heartbeatMs, signal)
        }
      } finally {
        await this.#stopLanes(() => true)
        await this.#standbys.close()
        // On a full disk it cannot say so: the others find that it is gone.
        await this.#unlessBusy(() => member.leave())
      }
      if (this.#failure !== undefined) throw this.#failure.error
    }
  }

  async #prepare(signal: AbortSignal): Promise<void> {
    const { log, directory, clock } = this.#options
    await this.#loadTopics(signal)
    this.#models = await openModels(this.#definition, log, directory, clock)
    const { connection = noConnections } = this.#options
    this.#lookups = await OpenLookups.open(this.#definition, clock, signal, connection)
  }

  async #loadTopics(signal: AbortSignal): Promise<void> {
    await this.#inputs.load()
    const { log, clock } = this.#options
    const { definition, topics } = this.#inputs
    const ended = () => this.ended
    this.#upstream = new UpstreamTime({ definition, log, clock, topics, ended })
    await this.#codecs.open(formatUses([this.#definition]), signal)
  }

  /** What asks to try later is tried again. Throws `Stopped` when the signal aborts meanwhile. */
  async #patiently<Result>(
    what: string,
    work: () => Promise<Result>,
    signal: AbortSignal,
  ): Promise<Result> {
    const { progress } = this
    const { clock, random } = this.#options
    const where = `pipeline ${this.#definition.name}, ${what}`
    const waiting = (_: string, reason: string) => {
      progress.waiting = `${what}: ${reason}`
    }
    const result = await retry(where, work, { clock, random, signal, waiting })
    if (progress.waiting?.startsWith(`${what}: `)) progress.waiting = undefined
    return result
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

  async #beat(member: Membership): Promise<void> {
    const change = await this.#heartbeat(member)
    if (change === undefined) return
    const leaving = [...change.revoking, ...change.lost]
    if (leaving.length > 0) {
      await this.#stopLanes((running) => running.places.some((place) => isAmong(leaving, place)))
      if (change.revoking.length > 0) await member.release(change.revoking)
    }
    const wanted = placesByLane(this.#definition, this.#inputs.known(member.owned))
    await this.#stopLanes((running, key) => !areSame(running.places, wanted.get(key) ?? []))
    for (const [key, places] of wanted) {
      if (!this.#lanes.has(key) && this.#failure === undefined) this.#start(key, places, member)
    }
    await this.#standbys.follow(member, this.#inputs)
    const { count: copies, lag } = this.#standbys
    if (this.#definition.settings.standbys > 0) this.meter.standsBy({ copies, lag })
    this.progress.isSettled = true
    const paused = `the group is paused (millrace groups resume ${this.#definition.name})`
    this.#tellWaiting(member.paused ? paused : this.#inputs.waiting)
  }

  /** Why there is nothing to do; what a lane waits for goes before it. */
  #tellWaiting(reason: string | undefined): void {
    const { progress } = this
    if (progress.waiting !== undefined && progress.waiting === this.#told) {
      progress.waiting = undefined
    }
    this.#told = reason
    progress.waiting ??= reason
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

  #start(key: string, places: readonly TopicPartition[], member: Membership): void {
    const stopping = new AbortController()
    const sources = places.filter((place) => this.#inputs.sourceOf(place) !== undefined)
    for (const { topic } of sources) this.#setOpen(topic, true)
    const running = unlessStopped(this.#runLane(places, member, stopping.signal))
    const work = running.finally(() => {
      for (const { topic } of sources) this.#setOpen(topic, false)
    })
    const ended = work.catch((error: unknown) => {
      // The group went on without this member: what it held is dropped, and it joins again.
      if (isToJoinAgain(error)) this.#fenced = true
      else if (!this.#inputs.explains(error)) this.#failure ??= { error }
    })
    this.#lanes.set(key, { places, stop: () => stopping.abort(), ended })
  }

  async #runLane(
    places: readonly TopicPartition[],
    member: Membership,
    signal: AbortSignal,
  ): Promise<void> {
    const { log, clock, random } = this.#options
    const { name } = this.#definition
    const group = await this.#patiently('checkpoints', () => log.group(name), signal)
    const checkpoints = group?.checkpoints ?? []
    const sinks = await this.#openSinks(places, checkpoints, signal)
    if (sinks === undefined) return
    try {
      const inputs = await Promise.all(
        places.map((place) => {
          const opening = () => this.#input(place, checkpoints, signal)
          return this.#patiently(`open ${place.topic}`, opening, signal)
        }),
      )
      const lane = new Lane({
        ...{ definition: this.#definition, planHash: this.#planHash, log, member, clock, random },
        partition: places[0]!.partition,
        inputs,
        ...{ models: this.#models, lookups: this.#lookups },
        sinks: sinks.sinks,
        sinkCommits: sinks.commits,
        ...{ topics: this.#inputs.topics, codecs: this.#codecs },
        share: this.#share,
        progress: this.progress,
        meter: this.meter,
        ...{ upstream: this.#upstream, ended: () => this.ended },
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
      checkpoint: checkpoints.find((one) => isAmong([one], place)),
      settings: hasTime(definition, place.topic) ? definition.settings : undefined,
    }
    const source = this.#inputs.sourceOf(place)
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

  async #stopLanes(which: (running: RunningLane, key: string) => boolean): Promise<void> {
    const stopped = [...this.#lanes].filter(([key, running]) => which(running, key))
    for (const [, running] of stopped) running.stop()
    for (const [key, running] of stopped) {
      await running.ended
      this.#lanes.delete(key)
    }
  }
}
