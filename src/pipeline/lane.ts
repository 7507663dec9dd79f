/**
 * A lane works on what has to be done in order: one partition of each input of a pipeline (or one
 * split of a source). It reads a batch, sends it through the steps, and commits outputs, dead
 * letters, state and the checkpoint together, while the next batches are already under way.
 */
import type { Clock } from '../core/clock.ts'
import type { Random } from '../core/random.ts'
import type { Checkpoint, Commit, Log, Membership, TopicInfo } from '../log/log.ts'
import type { Model } from '../models/model.ts'
import type { Meter } from '../monitoring/meter.ts'
import type { Sink } from '../sinks/sink.ts'
import { bury } from './bury.ts'
import type { CheckpointData } from './checkpoint.ts'
import { type Codecs, prepared } from './codecs.ts'
import { deadLetterTopic } from './dead-letters.ts'
import { decodeRows, type Failure } from './decode.ts'
import type { AnyTopic, Definition, Step } from './definition.ts'
import { tablesOf } from './inputs.ts'
import { Joins } from './join.ts'
import { LaneCommits, nextTurn } from './lane-commits.ts'
import type { LaneInput, Read } from './lane-input.ts'
import { LaneTurns, type LaneTurnsOptions } from './lane-turns.ts'
import { LaneWindows } from './lane-windows.ts'
import type { OpenLookups } from './open-lookups.ts'
import { topicInputs } from './plan.ts'
import { repartition } from './repartition.ts'
import { runReplays } from './replay.ts'
import { retry, Stopped } from './retry.ts'
import { Rows } from './rows.ts'
import { runSteps } from './run-steps.ts'
import { isTimed } from './segments.ts'
import type { DeadLetterShare } from './share.ts'
import { writeToSink } from './sink-step.ts'
import { type StepContext, stepRow } from './step-context.ts'
import type { Ended, UpstreamTime } from './upstream-time.ts'
import { Outputs, TopicWriter } from './write.ts'

export interface LaneOptions {
  readonly definition: Definition
  readonly planHash: string
  readonly log: Log
  readonly member: Membership
  readonly clock: Clock
  readonly random: Random
  /** Number of the partition that the lane works on; the first, where it works on all. */
  readonly partition: number
  readonly inputs: readonly LaneInput[]
  readonly models: ReadonlyMap<string, Model<unknown, unknown>>
  readonly lookups: OpenLookups
  readonly sinks: ReadonlyMap<string, Sink>
  readonly topics: ReadonlyMap<string, TopicInfo>
  readonly codecs: Codecs
  readonly share: DeadLetterShare
  readonly progress: LaneProgress
  readonly meter: Meter
  /** Number of the last commit with sink positions, so that the newest can be told. */
  readonly sinkCommits: number
  readonly upstream: UpstreamTime
  /** Undefined: there may be more to come. */
  ended(): Ended | undefined
}

/** What lanes tell while they run; one object for all lanes of a pipeline in a worker. */
export interface LaneProgress {
  messages: number
  deadLetters: number
  waiting: string | undefined
  /** Sources that may have more to give; 0 too early means nothing while `isSettled` is false. */
  openSources: number
  /** The group has been joined and lanes were started for what it gave. */
  isSettled: boolean
}

/** One batch worked off, ready to be committed. */
interface Work {
  readonly commit: Commit
  readonly sizeBytes: number
  readonly input: LaneInput
  /** Undefined: it only says where everything stands. */
  readonly read: Read | undefined
  /** When it was read, by the meter. */
  readonly startMs: number
}

/** How long a lane sleeps at most when nothing is there to read. */
const idleMs = 50

export class Lane {
  readonly #options: LaneOptions
  readonly #outputs = new Outputs()
  readonly #writers = new Map<string, TopicWriter>()
  readonly #joins: Joins
  /** Undefined: the pipeline has none. */
  readonly #windows: LaneWindows | undefined
  readonly #stop = new AbortController()
  #failures: Failure[] = []
  readonly #tables: readonly string[]
  readonly #turns: LaneTurns
  #sinkCommits: number

  constructor(options: LaneOptions) {
    const retry: LaneTurnsOptions['retry'] = (what, work) => this.#retry(what, work)
    this.#turns = new LaneTurns({ ...options, retry })
    this.#options = { ...options, inputs: this.#turns.inputs }
    this.#sinkCommits = options.sinkCommits
    const { definition, log, topics, codecs } = options
    this.#tables = tablesOf(definition)
    this.#joins = new Joins(log, definition.name, codecs)
    const onProgress = (words: string | undefined) => {
      options.progress.waiting = words
    }
    this.#windows = isTimed(definition)
      ? new LaneWindows({ ...this.#options, onProgress })
      : undefined
    for (const step of definition.steps) {
      const topic = writtenBy(step)
      if (topic === undefined) continue
      const info = topics.get(topic.name)!
      const writer = new TopicWriter(topic, info, this.#outputs, codecs.of(topic.name))
      this.#writers.set(step.name, writer)
    }
  }

  /** Ends `run` after the batch under way. A wait is cut short and its batch dropped uncommitted. */
  stop(): void {
    this.#stop.abort()
  }

  /** Runs until `stop`. Throws what stops the pipeline, and `MEMBER_FENCED`. */
  async run(): Promise<void> {
    const commits = new LaneCommits<Work>((...all) => this.#commit(...all))
    let failure: unknown
    try {
      if (this.#options.sinks.size > 0 && this.#sinkCommits === 0) {
        const input = this.#options.inputs[0]!
        const commit = this.#assemble(input, undefined)
        void commits.add({ commit, sizeBytes: 0, input, read: undefined, startMs: 0 })
        await commits.idle()
      }
      // What was closed before stays closed for all that is read now.
      const opened = await this.#advance()
      if (opened !== undefined) await commits.add(opened)
      while (!this.#stop.signal.aborted) {
        const { log, member } = this.#options
        const revision = log.revision()
        const work = member.paused ? undefined : await this.#step()
        if (work === undefined) await log.changed(revision, idleMs, this.#stop.signal)
        else await commits.add(work)
        commits.check()
      }
    } catch (error) {
      failure = error
    }
    // What is under way ends before the lane does; where it fails, that came first.
    await commits.idle().catch((error: unknown) => {
      if (!(error instanceof Stopped)) failure = error
    })
    for (const input of this.#options.inputs) await input.close()
    await this.#windows?.close()
    if (failure !== undefined && !(failure instanceof Stopped)) throw failure
  }

  /** The next batch of any input, in turn, and what it comes to. Undefined: nothing to read. */
  async #step(): Promise<Work | undefined> {
    const taken = await this.#turns.take()
    if (taken === undefined) return this.#advance()
    if (!taken.wasHere) await nextTurn()
    return this.#process(taken.input, taken.read, this.#options.meter.start())
  }

  /** What event time alone brings about, where nothing is to be read. */
  async #advance(): Promise<Work | undefined> {
    const windows = this.#windows
    if (windows === undefined) return undefined
    this.#failures = []
    const input = await this.#close(windows)
    if (input === undefined || !windows.isWorthACommit) return undefined
    this.#bury(input)
    this.#options.progress.deadLetters += this.#failures.length
    const commit = this.#assemble(input, undefined)
    const sizeBytes = commit.outputs.reduce((sum, { batch }) => sum + batch.bytes.length, 0)
    return { commit, sizeBytes, input, read: undefined, startMs: 0 }
  }

  async #process(input: LaneInput, read: Read, startMs: number): Promise<Work> {
    const { definition, share, progress } = this.#options
    this.#failures = []
    const rows = new Rows(read.batch)
    const { counters } = input
    rows.watermarks = input.time?.observe(read.batch, this.#options.clock.now())
    counters.add(0, 'in', read.batch.count + read.unreadable.length + read.expired)
    counters.add(0, 'expired', read.expired)
    const context = this.#context(input)
    if (input.isReplay) {
      await runReplays(definition, rows, context)
    } else {
      const codec = this.#options.codecs.of(input.topic)
      const loading = prepared(codec, read.batch, context.retry)
      if (loading !== undefined) await loading
      const failures = decodeRows(rows, input.schema, codec)
      this.#failures.push(...failures)
      counters.add(0, 'deadLettered', failures.length + read.unreadable.length)
      counters.add(0, 'passed', rows.count)
      counters.add(0, 'emitted', rows.count)
      if (input.entry > 0) counters.add(stepRow(input.entry), 'entered', rows.count)
      await runSteps(definition.steps, rows, context, input.entry)
    }
    // One message that spreads over many rows may fail in each of them.
    if (this.#windows !== undefined) await this.#close(this.#windows, input)
    const ofInput = this.#failures.filter(({ batch }) => batch === undefined)
    const failed = new Set(ofInput.map((failure) => failure.origin))
    const dead = failed.size + read.unreadable.length
    // Replays are few and asked for; what fails again stays a dead letter.
    if (!input.isReplay) {
      share.add(read.batch.count + read.unreadable.length, dead, ofInput[0])
    }
    this.#bury(input, read)
    progress.messages += read.batch.count + read.unreadable.length
    progress.deadLetters += dead + this.#failures.length - ofInput.length
    const sizeBytes = read.sizeBytes ?? read.batch.bytes.length
    return { commit: this.#assemble(input, read), sizeBytes, input, read, startMs }
  }

  #close(windows: LaneWindows, own?: LaneInput): Promise<LaneInput | undefined> {
    const contextOf = (input: LaneInput) => this.#context(input)
    return this.#retry('event time', () => windows.advance(contextOf, own))
  }

  #context(input: LaneInput): StepContext {
    const { definition, models, lookups, topics } = this.#options
    return {
      pipeline: definition.name,
      counters: input.counters,
      failures: this.#failures,
      models,
      ...{ lookups: lookups.steps, signal: this.#stop.signal },
      codecs: this.#options.codecs,
      meter: input.isReplay ? undefined : this.#options.meter,
      retry: (what, work) => this.#retry(what, work),
      write: (step, index, rows) => this.#write(step, index, rows),
      join: (step, index, rows, within) => {
        // A replay comes to the join as what it was, and where it was.
        const { topic, partition } = rows.batch
        const from = topicInputs(definition).find((one) => one.topic.name === topic)
        const side = from?.entry === index && step.other.name === topic ? 'right' : 'left'
        return this.#joins.of(step, partition).apply(rows, side, index, within)
      },
      repartition: (step, index, rows, within) => {
        repartition(step, index, rows, within, { definition, topics, outputs: this.#outputs })
      },
      keep: (step, index, rows, within) =>
        this.#windows!.take(step, index, rows, within, (late) => {
          this.#writers.get(step.name)!.writeAll(late, index, within)
        }),
    }
  }

  #write(step: Step & { kind: 'to' }, index: number, rows: Rows): void | Promise<void> {
    const context = { failures: this.#failures }
    if (step.target.kind === 'topic') {
      this.#writers.get(step.name)!.writeAll(rows, index, context)
      return
    }
    const sink = this.#options.sinks.get(step.name)!
    return writeToSink(sink, step, index, rows, this.#options.partition, context, (what, work) =>
      this.#retry(what, work),
    )
  }

  #retry<Result>(what: string, work: () => Result | Promise<Result>): Promise<Result> {
    const { clock, random, progress, definition } = this.#options
    return retry(`pipeline ${definition.name}, ${what}`, work, {
      ...{ clock, random, signal: this.#stop.signal },
      waiting: (_, reason, waitMs) => {
        progress.waiting = `${what}: ${reason} (next try in ${Math.ceil(waitMs / 1000)} s)`
      },
    })
  }

  /** Failures and what the source could not read become dead letters of this commit. */
  #bury(input: LaneInput, read?: Read): void {
    const { definition, clock, topics } = this.#options
    const topic = topics.get(deadLetterTopic(definition.name))!
    bury(this.#failures, { input, read, topic, outputs: this.#outputs, nowMs: clock.now() })
  }

  /** Without a read: where everything stands before the first, sinks above all. */
  #assemble(input: LaneInput, read: Read | undefined): Commit {
    const { planHash, member, sinks } = this.#options
    const { source, done } = read ?? input.saved()
    const outputs = this.#outputs.take()
    for (const { topic, batch } of outputs) {
      input.wrote[topic] = (input.wrote[topic] ?? 0) + batch.count
    }
    const positions: { [step: string]: unknown } = {}
    for (const [step, sink] of sinks) positions[step] = sink.position()
    if (sinks.size > 0) this.#sinkCommits++
    const stands = sinks.size === 0 ? {} : { sinks: positions, sinkCommits: this.#sinkCommits }
    const own = { ...stands, ...(source === undefined ? {} : { source }), ...(done && { done }) }
    const told = this.#windows?.takeTold(input) ?? []
    const isTable = this.#tables.includes(input.topic)
    const checkpoints = [
      checkpointOf(input, planHash, { ...own, ...(isTable && { isTable }) }, read?.offset),
      // None of these is a table, which has no event time.
      ...told.map((one) => checkpointOf(one, planHash, { ...one.saved(), ...stands })),
    ]
    const changes = [...this.#joins.take(), ...(this.#windows?.takeChanges() ?? [])]
    return { outputs, checkpoints, changes, member }
  }

  async #commit(commit: Commit, work: readonly Work[]): Promise<void> {
    await this.#retry('commit', () => this.#options.log.commit(commit))
    this.#outputs.committed(commit.outputs)
    for (const { input, read, startMs } of work) {
      if (read !== undefined) {
        input.committed(read)
        this.#options.meter.committed(startMs, read.batch.count + read.unreadable.length)
      }
      this.#joins.committed()
      this.#windows?.committed()
    }
    this.#options.progress.waiting = undefined
  }
}

/** The topic that a step writes to, as the application declared it. */
function writtenBy(step: Step): AnyTopic | undefined {
  if ('late' in step) return step.late
  return step.kind === 'to' && step.target.kind === 'topic' ? step.target.topic : undefined
}

/** Where an input stands. */
function checkpointOf(
  input: LaneInput,
  plan: string,
  own: Partial<CheckpointData>,
  offset = input.offset(),
): Checkpoint {
  const { topic, partition, identity, before, time } = input
  const data: CheckpointData = {
    ...{ v: 1, from: input.from, plan, ledger: input.counters.save(), wrote: input.wrote },
    ...(identity === undefined ? {} : { of: identity }),
    ...(before === undefined ? {} : { before }),
    ...own,
    ...(time === undefined ? {} : { time: time.save() }),
  }
  return { topic, partition, offset, metadata: JSON.stringify(data) }
}
