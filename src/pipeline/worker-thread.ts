/** A worker thread: its own handle on the log, and a runner for each pipeline of the application. */
import { fileURLToPath } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../core/clock.ts'
import { codeOf, messageOf } from '../core/errors.ts'
import { importApp } from './app.ts'
import { Codecs, formatSetting } from './codecs.ts'
import { connectionsOf } from './connections.ts'
import { environmentFor, openLog } from './open-log.ts'
import { isExclusive } from './plan.ts'
import { isStopped, retry } from './retry.ts'
import { testingOptions } from './run-testing.ts'
import { Runner } from './runner.ts'
import type { FromWorker, ToWorker, WorkerData } from './worker-messages.ts'

type EndedPipelines = (ToWorker & { kind: 'ended' })['pipelines']

const progressEveryMs = 100
const figuresEveryMs = 500

async function work(data: WorkerData): Promise<void> {
  const stopping = new AbortController()
  let ended: EndedPipelines = {}
  const runners: { readonly name: string; readonly runner: Runner }[] = []
  const tellEnded = () => {
    for (const { name, runner } of runners) runner.ended = ended[name]
  }
  parentPort!.on('message', (message: ToWorker) => {
    if (message.kind === 'drain') stopping.abort()
    else {
      ended = message.pipelines
      tellEnded()
    }
  })
  const { directory, durability, ratePerSecond, untilEnd } = data
  const file = fileURLToPath(data.appUrl)
  const opening = () =>
    openLog({
      ...{ directory, app: file, durability, maintain: false },
      instance: data.instance && `${data.instance}.${data.worker}`,
      ...testingOptions(data.testing, 'workers'),
    })
  // The run has met its log already: one that is away now will be back.
  const patience = {
    ...{ clock: systemClock, random: Math.random, signal: stopping.signal },
    waiting: () => undefined,
  }
  const [app, log] = await Promise.all([
    importApp(data.appUrl),
    retry('open the log', opening, patience),
  ])
  const environment = await environmentFor(file)
  const codecs = new Codecs(formatSetting(environment))
  const connection = connectionsOf(environment)
  try {
    const definitions = app.pipelines
      .filter((definition) => data.pipelines?.includes(definition.name) ?? true)
      // What a single sink writes to belongs to one thread, whichever pipelines write to it.
      .filter((definition) => data.worker === 0 || !isExclusive(definition))
    for (const definition of definitions) {
      const runner = new Runner({
        ...{ definition, log, directory, ratePerSecond, untilEnd, codecs, connection },
        ...{ clock: systemClock, random: Math.random },
      })
      runners.push({ name: definition.name, runner })
    }
    tellEnded()
    tell({ kind: 'ready' })
    await runTelling(runners, stopping)
  } finally {
    await codecs.close()
    await log.close()
  }
}

/** Runs them, and tells how far they are. */
async function runTelling(
  runners: readonly { readonly name: string; readonly runner: Runner }[],
  stopping: AbortController,
): Promise<void> {
  const report = () => {
    const pipelines = runners.map(({ name, runner }) => [name, { ...runner.progress }] as const)
    tell({ kind: 'progress', pipelines: Object.fromEntries(pipelines) })
  }
  const measure = () => {
    const pipelines = runners.map(({ name, runner }) => [name, runner.meter.figures()] as const)
    tell({ kind: 'figures', pipelines: Object.fromEntries(pipelines) })
  }
  const timers = [setInterval(report, progressEveryMs), setInterval(measure, figuresEveryMs)]
  try {
    await runAll(
      runners.map(({ runner }) => runner),
      stopping,
    )
  } finally {
    for (const timer of timers) clearInterval(timer)
    report()
    measure()
  }
}

/** The first failure stops the others, which commit what they have under way; then it is thrown. */
async function runAll(runners: readonly Runner[], stopping: AbortController): Promise<void> {
  const failures: unknown[] = []
  const runs = runners.map((runner) =>
    runner.run(stopping.signal).catch((error: unknown) => {
      failures.push(error)
      stopping.abort()
    }),
  )
  await Promise.all(runs)
  if (failures.length > 0) throw failures[0]
}

function tell(message: FromWorker): void {
  parentPort!.postMessage(message)
}

try {
  await work(workerData as WorkerData)
  tell({ kind: 'drained' })
} catch (error) {
  tell(isStopped(error) ? { kind: 'drained' } : failure(error))
}
parentPort!.close()

function failure(error: unknown): FromWorker {
  const stack = error instanceof Error ? error.stack : undefined
  return { kind: 'failed', code: codeOf(error), message: messageOf(error), stack }
}
