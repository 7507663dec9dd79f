/** The same application, unchanged, on a real Kafka: the same figures, also when it is killed. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { seededRandom } from 'millrace'
import { withKafka } from '../../src/log/kafka-testing.ts'

const bin = fileURLToPath(new URL('../../bin/millrace.js', import.meta.url))
const app = fileURLToPath(new URL('./app.ts', import.meta.url))
const kills = 3

/** Where the log is, and what the process is started with. */
interface Place {
  readonly directory: string
  readonly environment: Readonly<Record<string, string>>
}

type Figures = { readonly [name: string]: unknown }

const start = (place: Place, ...flags: string[]) =>
  command(place, 'run', app, '--no-page', ...flags)

function command({ directory, environment }: Place, ...words: string[]): ChildProcess {
  const env = { ...process.env, MILLRACE_DIR: directory, ...environment }
  return spawn(process.execPath, [bin, ...words], {
    ...{ env, stdio: ['ignore', 'pipe', 'pipe'] },
  })
}

/** The figures of a run to the end, without what depends on how often it was interrupted. */
async function figuresOf(place: Place, ...flags: string[]): Promise<Figures> {
  const out = await outputOf(start(place, '--until-caught-up', '--json', ...flags))
  const { seconds: _, messagesPerSecond: __, ...figures } = JSON.parse(out) as Figures
  return figures
}

/** What windows told, by their ids, each with its version. */
async function weeksOf(place: Place): Promise<readonly string[]> {
  const words = ['topics', 'tail', 'mails.weeks', '--json', '--limit', '1000']
  const weeks = (await outputOf(command(place, ...words))).trim().split('\n')
  return weeks.map((line) => JSON.stringify({ ...JSON.parse(line), offset: 0 })).sort()
}

async function outputOf(child: ChildProcess): Promise<string> {
  let [out, said] = ['', '']
  child.stdout!.on('data', (text) => {
    out += text
  })
  child.stderr!.on('data', (text) => {
    said += text
  })
  const [code] = await once(child, 'close')
  assert.equal(code, 0, said)
  return out
}

/** Starts, lets it work for a while, and kills it. */
async function killedRun(place: Place, aliveMs: number): Promise<void> {
  const child = start(place, '--speed', '400')
  const ended = once(child, 'close')
  child.stderr!.on('data', (text) => {
    // Trained and running: from here on anything may happen.
    if (String(text).includes('Ctrl-C stops')) setTimeout(() => child.kill('SIGKILL'), aliveMs)
  })
  await ended
}

withKafka('examples/spam-filter on Kafka', (cluster) => {
  it('ends with the figures of the embedded log, however often it is killed with -9', async () => {
    const directories = ['embedded', 'kafka'].map((name) =>
      mkdtempSync(join(tmpdir(), `millrace-spam-${name}-`)),
    )
    const [embedded, kafka] = directories as [string, string]
    try {
      const here = { directory: embedded, environment: { MILLRACE_ENV: '' } }
      const expected = await figuresOf(here)
      const { bootstrapServers } = cluster()
      const environment = { MILLRACE_ENV: 'kafka', KAFKA_BOOTSTRAP_SERVERS: bootstrapServers }
      const place = { directory: kafka, environment }
      const random = seededRandom(7)
      for (let kill = 0; kill < kills; kill++) await killedRun(place, 500 + random() * 4000)
      assert.deepEqual(await figuresOf(place), expected)
      assert.deepEqual(await figuresOf(place), expected, 'nothing is left to do')
      assert.equal(expected.ledger, 'balanced')
      const weeks = await weeksOf(here)
      assert.equal(weeks.length, 19)
      assert.deepEqual(await weeksOf(place), weeks)
    } finally {
      for (const directory of directories) rmSync(directory, { recursive: true, force: true })
    }
  })
})
