/**
 * Runs an application: topics and models made ready, workers started, progress told, and the end
 * found: all is caught up, somebody said stop, or something failed.
 */
import type { Clock } from '../core/clock.ts'
import { systemClock } from '../core/clock.ts'
import { fail, suggestion } from '../core/errors.ts'
import { type KafkaInstance, takeInstance } from '../log/kafka-instance.ts'
import type { Log } from '../log/log.ts'
import { type Turn, takeTurn } from '../log/turn.ts'
import { type App, loadApp } from './app.ts'
import { type Audit, audit } from './audit.ts'
import { CaughtUp } from './caught-up.ts'
import type { Definition } from './definition.ts'
import { type TrainedModel, trainMissing } from './models.ts'
import { environmentFor, openLog } from './open-log.ts'
import { PanelsReader } from './panels-reader.ts'
import { type Plan, planOf } from './plan.ts'
import { ensureTopics, isHalfForgotten, startOver } from './prepare.ts'
import { messagesOf, type RunFigures, runFigures, totalOf } from './run-figures.ts'
import { RunTelling } from './run-telling.ts'
import { type RunTesting, testingOptions } from './run-testing.ts'
import { SummaryReader } from './summary.ts'
import { Workers } from './workers.ts'

export interface RunOptions {
  readonly appPath: string
  readonly directory: string
  readonly workers: number
  readonly untilCaughtUp: boolean
  readonly fresh: boolean
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

const checkEveryMs = 20
const statusEveryMs = 200

/** Throws what stopped the run: a `misconfigured` or `stop` error, with the workers drained. */
export async function run(options: RunOptions): Promise<RunResult> {
  const { directory, durability } = options
  const app = await loadApp(options.appPath)
  const chosen = choose(app.pipelines, options.pipelines)
  const plan = planOf(chosen)
  options.tell.loaded(app, plan, directory)
  await options.beforeStart?.()
  const faults = testingOptions(options.testing, 'main')
  const isKafka = (await environmentFor(options.appPath)).log.kind === 'kafka'
  const instance = isKafka ? takeInstance(directory) : undefined
  try {
    const log = await openLog({
      ...{ directory, durability, maintain: true, ...faults },
      ...{ app: options.appPath, instance: instance && `${instance.name}.main` },
    })
    try {
      return await new Run(options, app, inPlanOrder(chosen, plan), plan, log, instance).go()
    } finally {
      await log.close()
    }
  } finally {
    instance?.release()
  }
}

/** The named pipelines; all without names. Throws `OPTIONS_INVALID` for a name that there is not. */
function choose(
  all: readonly Definition[],
  names: readonly string[] | undefined,
): readonly Definition[] {
  if (names === undefined) return all
  const known = all.map(({ name }) => name)
  const wrong = names.find((name) => !known.includes(name))
  if (wrong !== undefined) {
    const hint = suggestion(wrong, known) || `there are ${known.join(', ')}`
    throw fail('OPTIONS_INVALID', `--pipelines: there is no pipeline '${wrong}'; ${hint}`)
  }
  return all.filter(({ name }) => names.includes(name))
}

const inPlanOrder = (definitions: readonly Definition[], plan: Plan) =>
  plan.pipelines.map(({ name }) => definitions.find((definition) => definition.name === name)!)

class Run {
  readonly #options: RunOptions
  readonly #clock: Clock
  readonly #app: App
  readonly #definitions: readonly Definition[]
  readonly #plan: Plan
  readonly #log: Log
  readonly #instance: KafkaInstance | undefined
  readonly #summaries: readonly SummaryReader[]
  readonly #panels: PanelsReader
  #turn: Turn | undefined
  #telling: RunTelling | undefined

  constructor(
    options: RunOptions,
    app: App,
    definitions: readonly Definition[],
    plan: Plan,
    log: Log,
    instance: KafkaInstance | undefined,
  ) {
    this.#instance = instance
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#app = app
    this.#definitions = definitions
    this.#plan = plan
    this.#log = log
    this.#summaries = app.summaries.map((summary) => new SummaryReader(log, summary))
    this.#panels = new PanelsReader(log, app.panels)
  }

  async go(): Promise<RunResult> {
    // Held until the workers have joined their groups: nobody starts over in between.
    const waiting = () =>
      this.#options.tell.training('another run is starting here: waiting for it')
    this.#turn = await takeTurn(this.#log, 'millrace.start', this.#clock, waiting)
    this.#telling = this.#tellFigures()
    try {
      return await this.#goInTurn()
    } finally {
      await this.#telling.end()
      await this.#turn.end()
    }
  }

  async #goInTurn(): Promise<RunResult> {
    await this.#prepare()
    const before = await this.#audits()
    if (this.#options.drain.aborted) return this.#result('drained', before, 0)
    const caughtUp = new CaughtUp(this.#log, this.#definitions)
    await caughtUp.start()
    const startedAt = this.#clock.now()
    const hasSources = this.#hasSources()
    // With sources that all end, nothing can come once they are consumed.
    const endsByItself = this.#options.untilCaughtUp || hasSources
    const isCaughtUp = await caughtUp.check()
    this.#options.tell.started(isCaughtUp && endsByItself)
    const reason =
      isCaughtUp && endsByItself && !hasSources
        ? 'caught up'
        : await this.#work(caughtUp, endsByItself)
    const seconds = (this.#clock.now() - startedAt) / 1000
    return this.#result(reason, before, seconds)
  }

  #tellFigures(): RunTelling {
    return new RunTelling({
      ...{ log: this.#log, clock: this.#clock, app: this.#app, plan: this.#plan },
      ...{ summaries: this.#summaries, panels: this.#panels },
      problem: (words) => this.#options.tell.training(words),
    })
  }

  async #prepare(): Promise<void> {
    const { fresh, directory, tell } = this.#options
    if (fresh || (await isHalfForgotten(this.#log, this.#definitions))) {
      await startOver(this.#log, this.#definitions, this.#plan, directory)
    }
    await ensureTopics(this.#log, this.#plan)
    const startedAt = this.#clock.now()
    const models = await trainMissing(this.#definitions, {
      ...{ log: this.#log, directory, fresh, clock: this.#clock },
      progress: (line) => tell.training(line),
    })
    tell.trained(models, (this.#clock.now() - startedAt) / 1000)
  }

  #hasSources(): boolean {
    return this.#definitions.some((one) => one.inputs.some((input) => input.kind === 'source'))
  }

  async #work(caughtUp: CaughtUp, endsByItself: boolean): Promise<RunResult['reason']> {
    const { directory, durability, ratePerSecond, pipelines, testing, drain } = this.#options
    const appUrl = this.#app.url
    const untilEnd = this.#options.untilCaughtUp
    const data = {
      ...{ appUrl, directory, durability, ratePerSecond, untilEnd, pipelines, testing },
      instance: this.#instance?.name,
    }
    const workers = new Workers(data, this.#options.workers)
    this.#telling?.follow(workers)
    try {
      return await this.#watch(workers, caughtUp, endsByItself, drain)
    } finally {
      await workers.drain()
    }
  }

  async #watch(
    workers: Workers,
    caughtUp: CaughtUp,
    endsByItself: boolean,
    drain: AbortSignal,
  ): Promise<RunResult['reason']> {
    let statusAt = 0
    const rate = new Rate(this.#clock)
    const waiting = AbortSignal.any([drain, workers.failed])
    while (!drain.aborted) {
      workers.throwFailure()
      const now = this.#clock.now()
      if (now - statusAt >= statusEveryMs) {
        statusAt = now
        for (const reader of this.#readers) await reader.read()
        this.#options.tell.status(this.#status(workers, rate))
      }
      if (workers.haveJoined()) await this.#turn?.end()
      const mayEnd = endsByItself && workers.sourcesEnded()
      if (mayEnd && (await caughtUp.check())) return 'caught up'
      await this.#clock.sleep(endsByItself ? checkEveryMs : statusEveryMs, waiting)
    }
    return 'drained'
  }

  get #readers(): readonly (SummaryReader | PanelsReader)[] {
    return [...this.#summaries, this.#panels]
  }

  #status(workers: Workers, rate: Rate): RunStatus {
    const { messages, deadLetters, waiting } = workers.progress()
    const summaries = this.#summaries.map((summary) => summary.line())
    return { messages, deadLetters, waiting, summaries, messagesPerSecond: rate.next(messages) }
  }

  async #result(
    reason: RunResult['reason'],
    before: readonly Audit[],
    seconds: number,
  ): Promise<RunResult> {
    for (const reader of this.#readers) while (await reader.read());
    const audits = await this.#audits()
    const own = Object.assign({}, ...this.#summaries.map((summary) => summary.figures()))
    const figures = runFigures(this.#definitions, before, audits, seconds)
    const worked = messagesOf(audits) - messagesOf(before)
    const buried = totalOf(audits, 'deadLettered') - totalOf(before, 'deadLettered')
    return { figures: { ...figures, ...own }, audits, reason, worked, buried }
  }

  async #audits(): Promise<Audit[]> {
    const audits: Audit[] = []
    for (const definition of this.#definitions) audits.push(await audit(this.#log, definition))
    return audits
  }
}

/** Messages a second over the last few calls. */
class Rate {
  readonly #clock: Clock
  readonly #points: { at: number; messages: number }[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  next(messages: number): number {
    this.#points.push({ at: this.#clock.now(), messages })
    if (this.#points.length > 10) this.#points.shift()
    const first = this.#points[0]!
    const last = this.#points.at(-1)!
    const seconds = (last.at - first.at) / 1000
    return seconds === 0 ? 0 : (last.messages - first.messages) / seconds
  }
}
