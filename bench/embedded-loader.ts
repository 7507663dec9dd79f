/** A thread that appends tweets at a rate; the time of each is the moment of the call. */
import { workerData } from 'node:worker_threads'
import { openEmbeddedLog } from '../src/log/embedded.ts'
import { append } from './embedded-load.ts'

const { directory, tweets, ratePerSecond } = workerData as {
  directory: string
  tweets: string[]
  ratePerSecond: number
}
const log = await openEmbeddedLog({ directory })
const startedAt = performance.now()
for (let sent = 0; ; ) {
  const due = Math.floor(((performance.now() - startedAt) / 1000) * ratePerSecond)
  if (due > sent) {
    // Whole milliseconds are what a message's time can hold: rounded down, so never flattering.
    void append(log, tweets, sent, due, Math.floor(performance.timeOrigin + performance.now()))
    sent = due
  }
  await new Promise((resolve) => setTimeout(resolve, 5))
}
