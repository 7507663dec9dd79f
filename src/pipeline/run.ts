/**
 * Runs an application: topics and models made ready, workers started, progress told, and the end
 * found: all is caught up, somebody said stop, or something failed.
 */
import type { Clock } from '../core/clock.ts'
import { systemClock } from '../core/clock.ts'
import { fail, messageOf, orderOf, suggestion } from '../core/errors.ts'
import { type KafkaInstance, takeInstance } from '../log/kafka-instance.ts'
import type { Log } from '../log/log.ts'
import { type Turn, takeTurn } from '../log/turn.ts'
import { type App, loadApp } from './app.ts'
import { type Audit, audit, auditCounts } from './audit.ts'
import { CaughtUp } from './caught-up.ts'
import { Codecs, formatSetting, formatUses } from './codecs.ts'
import { environmentWith } from './connections.ts'
import type { AnyTopic, Definition } from './definition.ts'
import { ensureTopics } from './ensure-topics.ts'
import { trainMissing } from './models.ts'
import { openLog } from './open-log.ts'
import { PanelsReader } from './panels-reader.ts'
import { type Plan, planOf } from './plan.ts'
import { isHalfForgotten, startOver } from './prepare.ts'
import { isStopped, retry } from './retry.ts'
import { messagesOf, runFigures, totalOf } from './run-figures.ts'
import type { RunOptions, RunResult, RunStatus } from './run-options.ts'
import { Rate } from './run-rate.ts'
import { RunTelling } from './run-telling.ts'
import { testingOptions } from './run-testing.ts'
import { checkStart, placeStarts } from './start.ts'
import { checkStates } from './state-reader.ts'
import { SummaryReader } from './summary.ts'
import { type Cluster, clusterOf } from './topic-commands.ts'
import { Workers } from './workers.ts'

export type { RunEvents, RunOptions, RunResult, RunStatus } from './run-options.ts'

const checkEveryMs = 20
/** Looking whether all is caught up takes no more than one part in so many of the time. */
const checkShare = 20
const statusEveryMs = 200

/** Throws what stopped the run: a `misconfigured` or `stop` error, with the workers drained. */
export async function run(options: RunOptions): Promise<RunResult> {
  const { directory, durability } = options
  const app = await loadApp(options.appPath)
  const chosen = choose(app.pipelines, options.pipelines)
  checkStart(chosen, options.start ?? [])
  const plan = planOf(chosen)
  options.tell.loaded(app, plan, directory)
  await options.beforeStart?.()
  const faults = testingOptions(options.testing, 'main')
  const environment = await environmentWith(options.appPath, chosen)
  const { log: choice, prefix } = environment
  const cluster = choice.kind === 'kafka' ? clusterOf(choice, prefix) : undefined
  const instance = cluster && takeInstance(directory)
  try {
    const log = await openLog({
      ...{ directory, durability, maintain: true, ...faults },
      ...{ app: options.appPath, instance: instance && `${instance.name}.main` },
      onWaiting: (words) => options.tell.training(words),
    })
    const definitions = inPlanOrder(chosen, plan)
    const codecs = new Codecs(formatSetting(environment))
    const means = { app, definitions, plan, log, instance, cluster, codecs }
    try {
      return await new Run(options, means).go()
    } catch (error) {
      if (cluster === undefined) throw error
      // Loaded when it is used: it knows all that Millrace makes.
      const { withOwnMissing } = await import('./own-topics.ts')
      throw await withOwnMissing(error, log, plan, cluster)
    } finally {
      await codecs.close()
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

/** What a run works with. */
interface Means {
  readonly app: App
  readonly definitions: readonly Definition[]
  readonly plan: Plan
  readonly log: Log
  readonly instance: KafkaInstance | undefined
  /** Undefined: the log is embedded. */
  readonly cluster: Cluster | undefined
  readonly codecs: Codecs
}

class Run {
  readonly #options: RunOptions
  readonly #clock: Clock
  readonly #app: App
  readonly #definitions: readonly Definition[]
  readonly #plan: Plan
  readonly #log: Log
  readonly #instance: KafkaInstance | undefined
  readonly #cluster: Cluster | undefined
  readonly #codecs: Codecs
  readonly #summaries: readonly SummaryReader[]
  readonly #panels: PanelsReader
  #turn: Turn | undefined
  #telling: RunTelling | undefined
  /** Why what is watched could not be seen, when it was last looked at. */
  #waiting: string | undefined

  constructor(options: RunOptions, means: Means) {
    const { app, definitions, plan, log, instance, cluster, codecs } = means
    this.#instance = instance
    this.#cluster = cluster
    this.#codecs = codecs
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#app = app
    this.#definitions = definitions
    this.#plan = plan
    this.#log = log
    this.#summaries = app.summaries.map((summary) => new SummaryReader(log, summary, codecs))
    this.#panels = new PanelsReader(log, app.panels, codecs)
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
    // Only what it adds up to is asked: others may be at work, which a whole audit would wait for.
    const before: Audit[] = []
    for (const one of this.#definitions) before.push(await auditCounts(this.#log, one))
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
    await this.#openFormats()
    const isOver = fresh || (await isHalfForgotten(this.#log, this.#definitions))
    if (isOver) await startOver(this.#log, this.#definitions, this.#plan, directory)
    await this.#ensureTopics(isOver)
    await checkStates(this.#log, this.#definitions, (words) => tell.training(words))
    await this.#placeStarts()
    const startedAt = this.#clock.now()
    const models = await trainMissing(this.#definitions, {
      ...{ log: this.#log, directory, fresh, clock: this.#clock },
      progress: (line) => tell.training(line),
    })
    tell.trained(models, (this.#clock.now() - startedAt) / 1000)
  }

  /** First of all: what does not go with the registry's schemas changes nothing. */
  async #openFormats(): Promise<void> {
    const { drain, tell } = this.#options
    const watched = this.#app.panels.flatMap(({ panels }) =>
      panels.flatMap(({ topic }) => topic ?? []),
    )
    const others = [...this.#app.summaries.map(({ topic }) => topic), ...(watched as AnyTopic[])]
    const uses = formatUses(this.#definitions, others)
    const patience = {
      ...{ clock: this.#clock, random: Math.random, signal: drain },
      waiting: (_: string, reason: string) => tell.training(reason),
    }
    await retry('schemas', () => this.#codecs.open(uses), patience).catch((error: unknown) => {
      if (!isStopped(error)) throw error
    })
  }

  /** Who starts over makes anew what it deleted. */
  #ensureTopics(isOver: boolean): Promise<void> {
    const { createTopics = false, tell } = this.#options
    const isWanted = createTopics || (this.#cluster?.log.topics.isWanted ?? true)
    return ensureTopics(this.#log, this.#plan, {
      cluster: this.#cluster,
      mayCreate: ({ writtenBy }) => isWanted || (isOver && writtenBy.length > 0),
      warn: (words) => tell.training(words),
    })
  }

  #placeStarts(): Promise<void> {
    const { start: asked = [], tell } = this.#options
    const nowMs = this.#clock.now()
    const say = (words: string) => tell.training(words)
    return placeStarts(this.#log, this.#definitions, { asked, nowMs, say })
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
        await this.#unlessAway(async () => {
          for (const reader of this.#readers) await reader.read()
        })
        this.#options.tell.status(this.#status(workers, rate))
      }
      if (workers.haveJoined()) await this.#unlessAway(async () => this.#turn?.end())
      const mayEnd = endsByItself && workers.sourcesEnded()
      const askedAt = this.#clock.now()
      if (mayEnd && (await this.#unlessAway(() => caughtUp.check()))) return 'caught up'
      workers.tellEnded(caughtUp.ended)
      await this.#clock.sleep(waitMs(endsByItself, this.#clock.now() - askedAt), waiting)
    }
    return 'drained'
  }

  /**
   * A log that is away ends no run: the workers wait for it, and end the run where it is for too
   * long. Undefined: not now.
   */
  async #unlessAway<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
    try {
      const result = await work()
      this.#waiting = undefined
      return result
    } catch (error) {
      if (orderOf(error) !== 'try-later') throw error
      this.#waiting = messageOf(error)
      return undefined
    }
  }

  get #readers(): readonly (SummaryReader | PanelsReader)[] {
    return [...this.#summaries, this.#panels]
  }

  #status(workers: Workers, rate: Rate): RunStatus {
    const { messages, deadLetters, waiting: ofWorkers } = workers.progress()
    const waiting = this.#waiting === undefined ? ofWorkers : [this.#waiting, ...ofWorkers]
    const summaries = this.#summaries.map((summary) => summary.line())
    return { messages, deadLetters, waiting, summaries, messagesPerSecond: rate.next(messages) }
  }

  async #result(
    reason: RunResult['reason'],
    before: readonly Audit[],
    seconds: number,
  ): Promise<RunResult> {
    for (const reader of this.#readers) await this.#readAll(reader)
    const audits = await this.#audits()
    const own = Object.assign({}, ...this.#summaries.map((summary) => summary.figures()))
    const figures = runFigures(this.#definitions, before, audits, seconds)
    const worked = messagesOf(audits) - messagesOf(before)
    const buried = totalOf(audits, 'deadLettered') - totalOf(before, 'deadLettered')
    return { figures: { ...figures, ...own }, audits, reason, worked, buried }
  }

  /** What cannot be read now ends no run that has done its work. */
  async #readAll(reader: SummaryReader | PanelsReader): Promise<void> {
    try {
      while (await reader.read());
    } catch (error) {
      if (orderOf(error) !== 'try-later') throw error
      this.#options.tell.training(`the figures are not complete: ${messageOf(error)}`)
    }
  }

  async #audits(): Promise<Audit[]> {
    const audits: Audit[] = []
    for (const definition of this.#definitions) audits.push(await audit(this.#log, definition))
    return audits
  }
}

/** On a cluster a look takes several requests: then there is one less often. */
function waitMs(endsByItself: boolean, checkMs: number): number {
  if (!endsByItself) return statusEveryMs
  return Math.min(statusEveryMs, Math.max(checkEveryMs, checkMs * (checkShare - 1)))
}
