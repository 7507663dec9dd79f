/** What a run is asked for, what it tells while it goes on, and what it came to. */
import type { Clock } from '../core/clock.ts'
import type { App } from './app.ts'
import type { Audit } from './audit.ts'
import type { TrainedModel } from './models.ts'
import type { Plan } from './plan.ts'
import type { RunFigures } from './run-figures.ts'
import type { RunTesting } from './run-testing.ts'
import type { StartChoice } from './start.ts'

export interface RunOptions {
  readonly appPath: string
  readonly directory: string
  readonly workers: number
  readonly untilCaughtUp: boolean
  readonly fresh: boolean
  /** On Kafka: topics that are declared and missing are made, as the configuration may say too. */
  readonly createTopics?: boolean
  /** Where topics are read from that were never read, before what the code says. */
  readonly start?: readonly StartChoice[]
  /** Messages a second of paced sources; undefined: their own pace. */
  readonly ratePerSecond: number | undefined
  readonly durability: 'power' | 'process'
  /** Names of the pipelines to run; undefined: all that the application exports. */
  readonly pipelines: readonly string[] | undefined
  /** Aborted: what is under way is committed, then the run ends. */
  readonly drain: AbortSignal
  /** Called once the application is loaded; what it throws ends the run before anything starts. */
  readonly beforeStart?: () => Promise<void>
  readonly clock?: Clock
  readonly testing?: RunTesting
  readonly tell: RunEvents
}

/** What a run tells a person while it goes on. */
export interface RunEvents {
  /** The application is loaded; nothing has started. */
  loaded(app: App, plan: Plan, directory: string): void
  /** A line of a model's training. */
  training(line: string): void
  trained(models: readonly TrainedModel[], seconds: number): void
  /** Workers start; what earlier runs left may be nothing, as far as can be told before. */
  started(isCaughtUp: boolean): void
  status(status: RunStatus): void
}

export interface RunStatus {
  /** Messages that this run worked on, over all its pipelines. */
  readonly messages: number
  readonly messagesPerSecond: number
  readonly deadLetters: number
  /** What somebody waits for: a full disk, a busy sink, a model that is away. */
  readonly waiting: readonly string[]
  /** A few words of each summary of the application. */
  readonly summaries: readonly string[]
}

export interface RunResult {
  readonly figures: RunFigures
  readonly audits: readonly Audit[]
  readonly reason: 'caught up' | 'drained'
  /** Messages that this run worked on. */
  readonly worked: number
  /** Messages that became dead letters in this run. */
  readonly buried: number
}
