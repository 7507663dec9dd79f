/** A long run: messages are written while they are scored and read; what grows, and what stalls? */
import { Worker } from 'node:worker_threads'
import { openEmbeddedLog } from '../src/log/embedded.ts'
import { run } from '../src/pipeline/run.ts'
import { append } from './embedded-load.ts'
import { benchRun, committed, prepare } from './embedded-saturated.ts'

export interface LongRun {
  readonly messagesPerSecond: number
  readonly commitMsMax: number
  readonly walBytesMax: number
  /** Resident memory of the process after each tenth of the messages. */
  readonly rssBytes: readonly number[]
}

export async function longRun(
  directory: string,
  tweets: readonly string[],
  messages: number,
): Promise<LongRun> {
  await prepare(directory)
  const log = await openEmbeddedLog({ directory })
  const drain = new AbortController()
  const reader = new Worker(new URL('./embedded-reader.ts', import.meta.url), {
    workerData: { directory },
  })
  const startedAt = performance.now()
  const running = run(benchRun(directory, 1, drain.signal))
  let walBytesMax = 0
  const rssBytes: number[] = []
  let sent = 0
  for (let done = 0; done < messages; done = await committed(log)) {
    walBytesMax = Math.max(walBytesMax, log.metrics().walSizeBytes)
    const tenths = Math.floor((10 * done) / messages)
    if (tenths > rssBytes.length) rssBytes.push(process.memoryUsage.rss())
    // A bounded lead: this measures a stream, not a backlog.
    if (sent < messages && sent - done < 200_000) {
      await append(log, tweets, sent, Math.min(messages, sent + 4000), Date.now())
      sent = Math.min(messages, sent + 4000)
    } else {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  const seconds = (performance.now() - startedAt) / 1000
  rssBytes.push(process.memoryUsage.rss())
  const { commitMsMax } = log.metrics()
  await reader.terminate()
  drain.abort()
  const result = await running
  await log.close()
  if (result.figures.ledger !== 'balanced') throw new Error('the ledger is not balanced')
  return {
    messagesPerSecond: messages / seconds,
    commitMsMax,
    walBytesMax,
    rssBytes,
  }
}
