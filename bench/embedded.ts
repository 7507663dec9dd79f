/**
 * How fast is the embedded log with a model in the middle? Saturated throughput beside what bounds
 * it and what one would write by hand, latency at a rate, a long run, and the time to the first
 * prediction. `npm run bench:embedded [-- --messages 1000000 --long 10000000]`.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { firstPrediction } from './embedded-first.ts'
import { latency } from './embedded-latency.ts'
import { makeTweets } from './embedded-load.ts'
import { longRun } from './embedded-long.ts'
import { bareScoring, rowsInSqlite } from './embedded-peers.ts'
import { scikitLearn } from './embedded-python.ts'
import { saturated } from './embedded-saturated.ts'

const { values: flags } = parseArgs({
  options: {
    messages: { type: 'string', default: '1000000' },
    long: { type: 'string', default: '10000000' },
    seconds: { type: 'string', default: '20' },
  },
})

/** Runs one question in a directory of its own, which is gone afterwards. */
async function inDirectory<Result>(work: (directory: string) => Promise<Result>): Promise<Result> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  try {
    return await work(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const rate = (value: number) => Math.round(value).toLocaleString('en').padStart(10)

const tweets = makeTweets(100_000)
const messages = Number(flags.messages)
const bytes = tweets.reduce((sum, text) => sum + text.length, 0) / tweets.length
console.log(`${messages} tweets of ${bytes.toFixed(0)} bytes on average, 4 partitions\n`)

console.log('messages/s, topic -> parse -> tf-idf naive Bayes (12 k terms) -> topic')
const bare = bareScoring(tweets, messages)
console.log(`${rate(bare)}  no log at all: parse, score, stringify in a loop (the ceiling)`)
const one = await inDirectory((directory) => saturated(directory, tweets, messages, 1))
console.log(
  `${rate(one)}  Millrace, exactly once, 1 worker       ${(one / bare).toFixed(2)} of the ceiling`,
)
const two = await inDirectory((directory) => saturated(directory, tweets, messages, 2))
console.log(`${rate(two)}  Millrace, exactly once, 2 workers      ${(two / bare).toFixed(2)}`)
const rows = await inDirectory((directory) => rowsInSqlite(directory, tweets, messages / 4))
console.log(`${rate(rows)}  by hand: a row a message in SQLite     ${(rows / bare).toFixed(2)}`)

const python = await inDirectory(async (directory) =>
  scikitLearn(directory, tweets, Math.min(200_000, messages)),
)
const pythonText = typeof python === 'string' ? python : `${(python / bare).toFixed(2)}`
console.log(
  `${typeof python === 'string' ? ' '.repeat(10) : rate(python)}  scikit-learn, batches of 2,000, file to file, no log  ${pythonText}`,
)

const late = await inDirectory((directory) => latency(directory, tweets, Number(flags.seconds)))
console.log(`\nlatency at 10,000 messages/s for ${flags.seconds} s, append to prediction readable`)
console.log(
  `  p50 ${late.p50.toFixed(1)} ms, p99 ${late.p99.toFixed(1)} ms, max ${late.max.toFixed(1)} ms (${late.count} messages)`,
)

const first = await inDirectory(firstPrediction)
console.log(`\nmillrace run to first prediction: ${first.toFixed(0)} ms (model trained before)`)

if (Number(flags.long) > 0) {
  const long = await inDirectory((directory) => longRun(directory, tweets, Number(flags.long)))
  console.log(
    `\n${Number(flags.long).toLocaleString('en')} messages while they are written, a reader attached`,
  )
  console.log(
    `  ${rate(long.messagesPerSecond).trim()} messages/s; longest commit ${long.commitMsMax.toFixed(0)} ms; WAL at most ${(long.walBytesMax / 1e6).toFixed(1)} MB`,
  )
  const megabytes = long.rssBytes.map((bytes) => (bytes / 1e6).toFixed(0))
  console.log(`  resident memory after each tenth: ${megabytes.join(', ')} MB`)
}
