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

function start({ directory, environment }: Place, ...flags: string[]): ChildProcess {
  const env = { ...process.env, MILLRACE_DIR: directory, ...environment }
  return spawn(process.execPath, [bin, 'run', app, '--no-page', ...flags], {
    ...{ env, stdio: ['ignore', 'pipe', 'pipe'] },
  })
}

/** The figures of a run to the end, without what depends on how often it was interrupted. */
async function figuresOf(place: Place, ...flags: string[]): Promise<Figures> {
  const child = start(place, '--until-caught-up', '--json', ...flags)
  let [out, said] = ['', '']
  child.stdout!.on('data', (text) => {
    out += text
  })
  child.stderr!.on('data', (text) => {
    said += text
  })
  const [code] = await once(child, 'close')
  assert.equal(code, 0, said)
  const { seconds: _, messagesPerSecond: __, ...figures } = JSON.parse(out) as Figures
  return figures
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
      const expected = await figuresOf({ directory: embedded, environment: { MILLRACE_ENV: '' } })
      const { bootstrapServers } = cluster()
      const environment = { MILLRACE_ENV: 'kafka', KAFKA_BOOTSTRAP_SERVERS: bootstrapServers }
      const place = { directory: kafka, environment }
      const random = seededRandom(7)
      for (let kill = 0; kill < kills; kill++) await killedRun(place, 500 + random() * 4000)
      assert.deepEqual(await figuresOf(place), expected)
      assert.deepEqual(await figuresOf(place), expected, 'nothing is left to do')
      assert.equal(expected.ledger, 'balanced')
    } finally {
      for (const directory of directories) rmSync(directory, { recursive: true, force: true })
    }
  })
})
