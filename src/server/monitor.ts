/**
 * Looks at the log once a second and keeps what the page and `/metrics` show: the state now, and a
 * ring of points of the last fifteen minutes. It only reads, so any number may run on one log.
 */
import { statfs } from 'node:fs/promises'
import type { Clock } from '../core/clock.ts'
import { messageOf } from '../core/errors.ts'
import type { GroupInfo, Log, OffsetRange, TopicInfo } from '../log/log.ts'
import { FiguresReader } from '../monitoring/figures.ts'
import type { Board } from '../panels/panel-view.ts'
import { BoardReader } from '../panels/told-boards.ts'
import { deadLetterTopic } from '../pipeline/dead-letters.ts'
import { isInternalName } from '../pipeline/internal-names.ts'
import { readStep } from '../pipeline/ledger.ts'
import { DeadLetterCount } from './dead-letter-count.ts'
import { type StateAmount, StateAmounts } from './kept-state.ts'
import { LedgerWatch } from './ledger-watch.ts'
import { type PartitionFacts, PartitionWatch } from './partition-state.ts'
import {
  counterName,
  countersOf,
  type PipelineLedger,
  pipelineLedger,
  pipelineState,
} from './pipeline-state.ts'
import { measuredPoint, ProcessBook, pointsOf } from './process-book.ts'
import { readiness } from './readiness.ts'
import { Samples } from './samples.ts'
import type { Health, HistoryPoint, PipelineState, State, TopicState } from './state.ts'
import { TopicCounts } from './topic-counts.ts'

export interface MonitorOptions {
  readonly log: Log
  readonly clock: Clock
  /** Of Millrace. */
  readonly version: string
  /** The state directory, of whose disk the free space is told; undefined: there is none. */
  readonly directory: string | undefined
}

const everyMs = 1000
const historyMs = 15 * 60 * 1000
const tailMessages = 900
const minuteMs = 60_000

/** What one look at the log found. */
interface Look {
  readonly atMs: number
  readonly topics: readonly TopicInfo[]
  readonly ranges: ReadonlyMap<string, readonly OffsetRange[]>
  /** By topic, how many it holds. */
  readonly messages: ReadonlyMap<string, number>
  readonly groups: ReadonlyMap<string, GroupInfo>
  readonly names: readonly string[]
  readonly ledgers: ReadonlyMap<string, PipelineLedger>
  /** By pipeline. */
  readonly partitions: ReadonlyMap<string, PartitionFacts>
  /** By store, what steps keep. */
  readonly amounts: ReadonlyMap<string, StateAmount>
  readonly freeBytes: number | undefined
}

interface Progress {
  readonly taken: number
  readonly changedMs: number
}

export class Monitor {
  readonly #options: MonitorOptions
  readonly #book = new ProcessBook()
  readonly #samples = new Samples()
  readonly #deadLetters = new DeadLetterCount()
  readonly #ledgers = new LedgerWatch()
  readonly #counts = new TopicCounts()
  readonly #amounts = new StateAmounts()
  readonly #partitions: PartitionWatch
  readonly #figures: FiguresReader
  readonly #boards: BoardReader
  readonly #progress = new Map<string, Progress>()
  readonly #listeners = new Set<() => void>()
  readonly #stop = new AbortController()
  #running: Promise<void> | undefined
  #state: State
  #points: HistoryPoint[] = []
  #previous: { atMs: number; taken: ReadonlyMap<string, number> } | undefined
  #freeBytes: number | undefined

  constructor(options: MonitorOptions) {
    this.#options = options
    const nowMs = options.clock.now()
    const sinceMs = nowMs - historyMs
    this.#figures = new FiguresReader({ log: options.log, sinceMs, tailMessages })
    this.#boards = new BoardReader(options.log)
    this.#partitions = new PartitionWatch(options.log)
    this.#state = this.#empty(nowMs, 'nothing was read yet')
  }

  /** Looks once, then once a second until `stop`. */
  async start(): Promise<void> {
    await this.look()
    this.#running = this.#run()
  }

  /** Safe to call twice. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  get state(): State {
    return this.#state
  }

  /** Free space of the state directory's disk; undefined where it cannot be told. */
  get freeBytes(): number | undefined {
    return this.#freeBytes
  }

  /** What applications declared to be shown; the same list until something of it changes. */
  get boards(): readonly Board[] {
    return this.#boards.boards
  }

  get book(): ProcessBook {
    return this.#book
  }

  /** Points after a moment, the oldest first. */
  points(afterMs = 0): readonly HistoryPoint[] {
    return this.#points.filter(({ atMs }) => atMs > afterMs)
  }

  /** Called after each look. Gives back how to end that. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** One look; what goes wrong is a reason not to be ready, and the last state stays. */
  async look(): Promise<void> {
    const nowMs = this.#options.clock.now()
    try {
      this.#take(await this.#see(nowMs))
    } catch (error) {
      this.#state = this.#empty(nowMs, messageOf(error))
    }
    for (const listener of this.#listeners) listener()
  }

  async #run(): Promise<void> {
    const { clock } = this.#options
    let nextMs = clock.now() + everyMs
    while (!this.#stop.signal.aborted) {
      await clock.sleep(Math.max(1, nextMs - clock.now()), this.#stop.signal)
      if (this.#stop.signal.aborted) return
      nextMs = Math.max(nextMs + everyMs, clock.now())
      await this.look()
    }
  }

  async #see(atMs: number): Promise<Look> {
    const { log, directory } = this.#options
    const topics = await log.topics()
    const ranges = new Map<string, readonly OffsetRange[]>()
    for (const { name, partitions } of topics) {
      const numbers = Array.from({ length: partitions }, (_, partition) => partition)
      ranges.set(name, await Promise.all(numbers.map((number) => log.offsets(name, number))))
    }
    const messages = await this.#counts.look(log, topics, ranges, atMs)
    for (const told of await this.#figures.read()) this.#book.add(told)
    await this.#boards.read()
    const groups = new Map((await log.groups()).map((group) => [group.name, group]))
    const known = this.#book.pipelines
    const others = [...groups.keys()].filter((name) => !isInternalName(name))
    const names = [
      ...new Set([
        ...known.filter((name) => groups.has(name) || this.#book.isRun(name, atMs)),
        ...others,
      ]),
    ]
    const ledgers = new Map(
      names.map((name) => [name, pipelineLedger(name, this.#book.plan(name), groups.get(name))]),
    )
    const planned = names.map((name) => ({ name, plan: this.#book.plan(name) }))
    const partitions = await this.#partitions.look(planned, groups, ranges, atMs)
    const dead = new Set(names.map(deadLetterTopic))
    await this.#deadLetters.look(
      log,
      topics.filter(({ name }) => dead.has(name)),
    )
    const plans = names.flatMap((name) => this.#book.plan(name) ?? [])
    await this.#ledgers.look(log, plans, atMs)
    const amounts = await this.#amounts.look(log, plans, atMs)
    const freeBytes = await freeOf(directory)
    const found = { topics, ranges, messages, groups, names, ledgers, partitions, amounts }
    return { atMs, freeBytes, ...found }
  }

  #take(look: Look): void {
    const { atMs } = look
    this.#freeBytes = look.freeBytes
    const counters = [...look.ledgers].flatMap(([name, ledger]) => countersOf(name, ledger))
    const appended = [...look.ranges].map(
      ([name, ranges]) => [`topic ${name}`, sum(ranges.map(({ end }) => end))] as const,
    )
    this.#samples.add(atMs, new Map([...counters, ...appended]))
    const pipelines = look.names.map((name) => this.#pipeline(name, look))
    const { version } = this.#options
    this.#state = {
      ...{ atMs, version, about: this.#book.about },
      health: this.#health(look, pipelines),
      processes: this.#book.present(atMs),
      pipelines,
      topics: look.topics.map((topic) => this.#topic(topic, look)),
      figures: this.#book.figures,
    }
    this.#addPoint(atMs, pipelines)
  }

  #pipeline(name: string, { atMs, groups, partitions, ledgers, amounts }: Look): PipelineState {
    const plan = this.#book.plan(name)
    const facts = {
      ...{ name, nowMs: atMs, group: groups.get(name), ...partitions.get(name)! },
      ...{ book: this.#book, samples: this.#samples, amounts },
      deadLetters: this.#deadLetters.of(deadLetterTopic(name)),
      imbalances: plan === null ? [] : this.#ledgers.imbalances(plan),
    }
    return pipelineState(facts, ledgers.get(name)!)
  }

  #topic({ name, partitions, cleanup }: TopicInfo, { messages }: Look): TopicState {
    return {
      ...{ name, partitions, cleanup },
      messages: messages.get(name) ?? 0,
      appendedPerSecond: this.#samples.perSecond(`topic ${name}`),
      isInternal: isInternalName(name),
    }
  }

  #health({ atMs, freeBytes }: Look, pipelines: readonly PipelineState[]): Health {
    const run = pipelines.filter(({ name }) => this.#book.isRun(name, atMs))
    return readiness({
      ...{ nowMs: atMs, freeBytes, problem: undefined },
      pipelines: run.map((state) => {
        const { name, lagMessages: lag } = state
        return {
          state,
          stuckSinceMs: this.#stuckSince(name, atMs, state.steps[0]?.in ?? 0, lag),
          takenInMinute: this.#samples.rise(counterName(name, readStep, 'in'), minuteMs),
          deadInMinute: this.#samples.rise(counterName(name, '', 'dead'), minuteMs),
        }
      }),
    })
  }

  #stuckSince(name: string, nowMs: number, taken: number, lag: number): number | undefined {
    const known = this.#progress.get(name)
    if (known === undefined || known.taken !== taken || lag === 0) {
      this.#progress.set(name, { taken, changedMs: nowMs })
      return undefined
    }
    return known.changedMs
  }

  #addPoint(atMs: number, pipelines: readonly PipelineState[]): void {
    const names = pipelines.map(({ name }) => name)
    const news = this.#book.takeNews()
    if (this.#previous === undefined) {
      const range = { fromMs: atMs - historyMs, toMs: atMs - everyMs }
      this.#points = pointsOf(news, names, range)
    }
    const taken = new Map(pipelines.map(({ name, steps }) => [name, steps[0]?.in ?? 0]))
    const recent = news.filter((delta) => delta.atMs > atMs - 2 * everyMs)
    const point: HistoryPoint = {
      ...measuredPoint(atMs, recent, names),
      messagesPerSecond: this.#rates(atMs, taken),
      lagMessages: Object.fromEntries(pipelines.map((one) => [one.name, one.lagMessages])),
      figures: this.#book.figures,
    }
    this.#previous = { atMs, taken }
    this.#points = [...this.#points.filter((one) => one.atMs > atMs - historyMs), point]
  }

  #rates(atMs: number, taken: ReadonlyMap<string, number>): Record<string, number> {
    const previous = this.#previous
    const seconds = previous === undefined ? 0 : (atMs - previous.atMs) / 1000
    const rates = [...taken].map(([name, count]) => {
      const before = previous?.taken.get(name) ?? count
      return [name, seconds <= 0 ? 0 : Math.max(0, count - before) / seconds] as const
    })
    return Object.fromEntries(rates)
  }

  /** The last state with the reason why there is no newer one. */
  #empty(nowMs: number, problem: string): State {
    const health = readiness({ nowMs, pipelines: [], freeBytes: undefined, problem })
    const { version } = this.#options
    const none = { version, about: null, processes: [], pipelines: [], topics: [], figures: {} }
    return { ...none, ...this.#state, atMs: nowMs, health }
  }
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0)

async function freeOf(directory: string | undefined): Promise<number | undefined> {
  if (directory === undefined) return undefined
  try {
    const { bavail, bsize } = await statfs(directory)
    return bavail * bsize
  } catch {
    return undefined
  }
}
