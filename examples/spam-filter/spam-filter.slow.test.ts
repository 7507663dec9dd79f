import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { seededRandom } from 'millrace'
import { isOnKafka } from '../../scripts/test-kafka.ts'
import { logVariables } from '../../src/log/log-testing.ts'

const bin = fileURLToPath(new URL('../../bin/millrace.js', import.meta.url))
const app = fileURLToPath(new URL('./app.ts', import.meta.url))

const start = (directory: string, ...flags: string[]) => command(directory, 'run', app, ...flags)

async function command(directory: string, ...words: string[]): Promise<ChildProcess> {
  const environment = await logVariables(directory)
  return spawn(process.execPath, [bin, ...words], {
    env: { ...process.env, MILLRACE_DIR: directory, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Runs to the end; what it said on stdout (one line of JSON) and on stderr. */
async function finish(child: ChildProcess): Promise<{ figures: Figures; said: string }> {
  const { out, said } = await ended(child)
  assert.equal(out.trim().split('\n').length, 1, out)
  return { figures: JSON.parse(out), said }
}

async function ended(child: ChildProcess): Promise<{ out: string; said: string }> {
  let out = ''
  let said = ''
  child.stdout!.on('data', (text) => {
    out += text
  })
  child.stderr!.on('data', (text) => {
    said += text
  })
  const [code] = await once(child, 'close')
  assert.equal(code, 0, said)
  return { out, said }
}

/** What windows told, by their ids, each with its version. */
async function weeksIn(directory: string): Promise<readonly string[]> {
  const words = ['topics', 'tail', 'mails.weeks', '--json', '--limit', '1000']
  const { out } = await ended(await command(directory, ...words))
  const weeks = out.trim().split('\n')
  return weeks.map((line) => JSON.stringify({ ...JSON.parse(line), offset: 0 })).sort()
}

type Figures = { readonly [name: string]: unknown }

/** What may not depend on how often a run was interrupted. */
function lasting({ seconds: _, messagesPerSecond: __, ...figures }: Figures): Figures {
  return figures
}

describe('examples/spam-filter', () => {
  it('ends with the same figures, however often it is killed with -9', async (context) => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-spam-'))
    try {
      const { figures } = await finish(await start(directory, '--until-caught-up', '--json'))
      assert.equal(figures.messages, 4031)
      assert.equal(figures.predictions, 4031)
      assert.equal(figures.deadLetters, 0)
      assert.equal(figures.ledger, 'balanced')
      assert.ok((figures.accuracy as number) >= 0.955, `accuracy ${figures.accuracy}`)
      assert.ok((figures.accuracy as number) > (figures.majorityAccuracy as number) + 0.1)
      assert.ok((figures.spamRecall as number) > 0.9)

      const weeks = await weeksIn(directory)
      assert.equal(weeks.length, 19)
      const mails = weeks.map((week) => (JSON.parse(week).value as { mails: number }).mails)
      assert.equal(
        mails.reduce((sum, count) => sum + count, 0),
        4031,
      )

      const again = await finish(await start(directory, '--until-caught-up', '--json'))
      assert.match(again.said, /all messages are consumed, by earlier runs; --fresh to replay/)
      assert.deepEqual(lasting(again.figures), lasting(figures))

      const random = seededRandom(20021)
      // On Kafka each start waits until the group gives up the killed one, up to ten seconds.
      const kills = isOnKafka() ? 4 : 12
      for (let kill = 0; kill < kills; kill++) {
        const child = await start(directory, '--speed', '600', ...(kill === 0 ? ['--fresh'] : []))
        const ended = once(child, 'close')
        child.stderr!.on('data', (text) => {
          // Trained and running: from here on anything may happen.
          if (!String(text).includes('Ctrl-C stops')) return
          setTimeout(() => child.kill('SIGKILL'), random() * 1500)
        })
        await ended
      }
      context.diagnostic(`${kills} kills with -9`)
      const survived = await finish(await start(directory, '--until-caught-up', '--json'))
      assert.doesNotMatch(survived.said, /by earlier runs; --fresh/, 'something was left to do')
      assert.deepEqual(lasting(survived.figures), lasting(figures))
      assert.deepEqual(await weeksIn(directory), weeks)
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })

  it('drains at the first SIGTERM and exits with 0', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-spam-'))
    try {
      const child = await start(directory, '--speed', '200', '--json')
      child.stderr!.on('data', (text) => {
        if (String(text).includes('Ctrl-C stops')) setTimeout(() => child.kill('SIGTERM'), 1500)
      })
      const { figures, said } = await finish(child)
      assert.match(said, /stopping: what is under way is committed first/)
      assert.equal(figures.ledger, 'balanced')
      assert.ok((figures.messages as number) < 4031)
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })
})
