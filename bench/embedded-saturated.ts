/** Everything is there before the run starts; how fast is it worked off? */
import { fileURLToPath } from 'node:url'
import { type EmbeddedLog, openEmbeddedLog } from '../src/log/embedded.ts'
import { type RunOptions, run } from '../src/pipeline/run.ts'
import { append } from './embedded-load.ts'

export const appPath = fileURLToPath(new URL('./embedded-app.ts', import.meta.url))

export const silent: RunOptions['tell'] = {
  loaded: () => undefined,
  training: () => undefined,
  trained: () => undefined,
  started: () => undefined,
  status: () => undefined,
}

/** The options of a run of the benchmark's application. */
export function benchRun(directory: string, workers: number, drain: AbortSignal): RunOptions {
  return {
    ...{ appPath, directory, workers, drain, tell: silent },
    untilCaughtUp: false,
    fresh: false,
    ratePerSecond: undefined,
    durability: 'power',
    pipelines: undefined,
  }
}

/** Makes topics and model, as the first start of a run does. */
export async function prepare(directory: string): Promise<void> {
  await run({ ...benchRun(directory, 1, AbortSignal.abort()), untilCaughtUp: true })
}

/** How far the group has come, over all partitions. */
export async function committed(log: EmbeddedLog): Promise<number> {
  const group = await log.group('score')
  const inputs = (group?.checkpoints ?? []).filter((one) => one.topic === 'raw')
  return inputs.reduce((sum, one) => sum + one.offset, 0)
}

/** Messages/s from the first commit that is seen to the last. */
export async function saturated(
  directory: string,
  tweets: readonly string[],
  messages: number,
  workers: number,
): Promise<number> {
  await prepare(directory)
  const log = await openEmbeddedLog({ directory })
  try {
    for (let from = 0; from < messages; from += 8000) {
      await append(log, tweets, from, Math.min(messages, from + 8000), 1_700_000_000_000 + from)
    }
    const drain = new AbortController()
    const running = run(benchRun(directory, workers, drain.signal))
    let first: { at: number; messages: number } | undefined
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      const done = await committed(log)
      if (done > 0) first ??= { at: performance.now(), messages: done }
      if (done >= messages) break
    }
    const seconds = (performance.now() - first!.at) / 1000
    drain.abort()
    const result = await running
    if (result.figures.ledger !== 'balanced') throw new Error('the ledger is not balanced')
    return (messages - first!.messages) / seconds
  } finally {
    await log.close()
  }
}
