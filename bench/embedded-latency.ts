/** Latency at a steady rate: from the call that appends a tweet to its prediction being readable. */
import { Worker } from 'node:worker_threads'
import { openEmbeddedLog } from '../src/log/embedded.ts'
import { run } from '../src/pipeline/run.ts'
import { benchRun, prepare } from './embedded-saturated.ts'

const partitions = 4
const warmUpMs = 3000

export interface Latency {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** A thread appends 50 tweets every 5 ms, a worker scores them, this thread reads what comes out. */
export async function latency(
  directory: string,
  tweets: readonly string[],
  seconds: number,
): Promise<Latency> {
  await prepare(directory)
  const log = await openEmbeddedLog({ directory })
  const drain = new AbortController()
  const running = run(benchRun(directory, 1, drain.signal))
  const loader = new Worker(new URL('./embedded-loader.ts', import.meta.url), {
    workerData: { directory, tweets: tweets.slice(0, 10_000), ratePerSecond: 10_000 },
  })
  const waited: number[] = []
  const offsets = new Array<number>(partitions).fill(0)
  const startedAt = Date.now()
  let seen = log.revision()
  while (Date.now() < startedAt + warmUpMs + seconds * 1000) {
    await log.changed(seen, 10)
    seen = log.revision()
    for (let partition = 0; partition < partitions; partition++) {
      const batch = await log.read('scored', partition, offsets[partition]!)
      if (batch === undefined) continue
      offsets[partition] = batch.nextOffset
      const now = performance.timeOrigin + performance.now()
      if (now < startedAt + warmUpMs) continue
      for (let index = 0; index < batch.count; index++) waited.push(now - batch.times[index]!)
    }
  }
  await loader.terminate()
  drain.abort()
  await running
  await log.close()
  waited.sort((a, b) => a - b)
  const at = (share: number) => waited[Math.floor((waited.length - 1) * share)]!
  return { count: waited.length, p50: at(0.5), p99: at(0.99), max: at(1) }
}
