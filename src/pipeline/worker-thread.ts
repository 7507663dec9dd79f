/** A worker thread: its own handle on the log, and a runner for each pipeline of the application. */
import { fileURLToPath } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../core/clock.ts'
import { codeOf, messageOf } from '../core/errors.ts'
import { importApp } from './app.ts'
import { openLog } from './open-log.ts'
import { isExclusive } from './plan.ts'
import { testingOptions } from './run-testing.ts'
import { Runner } from './runner.ts'
import type { FromWorker, ToWorker, WorkerData } from './worker-messages.ts'

const progressEveryMs = 100
const figuresEveryMs = 500

async function work(data: WorkerData): Promise<void> {
  const stopping = new AbortController()
  parentPort!.on('message', (message: ToWorker) => {
    if (message.kind === 'drain') stopping.abort()
  })
  const { directory, durability, ratePerSecond, untilEnd } = data
  const [app, log] = await Promise.all([
    importApp(data.appUrl),
    openLog({
      directory,
      app: fileURLToPath(data.appUrl),
      instance: data.instance && `${data.instance}.${data.worker}`,
      durability,
      maintain: false,
      ...testingOptions(data.testing, 'workers'),
    }),
  ])
  try {
    const runners = app.pipelines
      .filter((definition) => data.pipelines?.includes(definition.name) ?? true)
      // What a single sink writes to belongs to one thread, whichever pipelines write to it.
      .filter((definition) => data.worker === 0 || !isExclusive(definition))
      .map((definition) => ({
        name: definition.name,
        runner: new Runner({
          ...{ definition, log, directory, ratePerSecond, untilEnd },
          clock: systemClock,
          random: Math.random,
        }),
      }))
    tell({ kind: 'ready' })
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
  } finally {
    await log.close()
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
  const stack = error instanceof Error ? error.stack : undefined
  tell({ kind: 'failed', code: codeOf(error), message: messageOf(error), stack })
}
parentPort!.close()
