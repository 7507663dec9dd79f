import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { logVariables } from '../../src/log/log-testing.ts'
import { JetstreamServer, jetstreamEvent } from '../../src/sources/bluesky-testing.ts'

const bin = fileURLToPath(new URL('../../bin/millrace.js', import.meta.url))
const app = fileURLToPath(new URL('./app.ts', import.meta.url))

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly said: string
}

class Run {
  readonly child: ChildProcess
  out = ''
  said = ''

  static start(directory: string, flags: readonly string[], jetstream = ''): Promise<Run> {
    return Run.of(directory, ['run', app, '--json', ...flags], jetstream)
  }

  static async of(directory: string, words: readonly string[], jetstream = ''): Promise<Run> {
    const { MILLRACE_SOURCE: _, ...environment } = process.env
    const own = { MILLRACE_DIR: directory, LIVE_JETSTREAM: jetstream }
    const env = { ...environment, ...own, ...(await logVariables(directory)) }
    return new Run(
      spawn(process.execPath, [bin, ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] }),
    )
  }

  private constructor(child: ChildProcess) {
    this.child = child
    this.child.stdout!.on('data', (text) => {
      this.out += text
    })
    this.child.stderr!.on('data', (text) => {
      this.said += text
    })
  }

  async ended(): Promise<Ended> {
    const [code] = (await once(this.child, 'close')) as [number | null]
    return { code, out: this.out, said: this.said }
  }
}

interface Minute {
  readonly key: string
  readonly start: string
  readonly posts: number
}

/** What the windows told. */
async function minutesIn(directory: string): Promise<readonly Minute[]> {
  const words = ['topics', 'tail', 'posts.by-minute', '--json', '--limit', '1000']
  const { out } = await (await Run.of(directory, words)).ended()
  return out
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { value: Minute }).value)
}

async function inDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-live-'))
  try {
    await work(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const until = async (what: string, holds: () => boolean) => {
  for (let waits = 0; !holds(); waits++) {
    assert.ok(waits < 1500, what)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

describe('examples/live', () => {
  it('replays made-up posts without a network, the same on every run', async () => {
    await inDirectory(async (directory) => {
      const { code, out, said } = await (await Run.start(directory, ['--until-caught-up'])).ended()
      assert.equal(code, 0, said)
      assert.match(said, /2,000 made-up posts, no network \(--source bluesky reads the real ones\)/)
      const figures = JSON.parse(out)
      assert.equal(figures.messages, 2000)
      assert.equal(figures.ledger, 'balanced')
      const { positive, neutral, negative } = figures
      assert.equal(positive + neutral + negative, 2000)
      assert.ok(Math.min(positive, neutral, negative) > 300, out)
      const minutes = await minutesIn(directory)
      const posts = new Map<string, number>()
      for (const minute of minutes) {
        posts.set(minute.key, (posts.get(minute.key) ?? 0) + minute.posts)
      }
      assert.deepEqual(Object.fromEntries(posts), { positive, neutral, negative })
      assert.equal(new Set(minutes.map(({ start }) => start)).size, 34)
    })
  })

  it('reads a live stream: killed and restarted, every post is scored once', async () => {
    const startUs = (Date.now() - 5000) * 1000
    const event = (index: number) =>
      jetstreamEvent({
        timeUs: startUs + index * 2000,
        text: index % 3 === 0 ? 'I love this!' : index % 3 === 1 ? 'horrible' : 'the table',
        did: `did:plc:author${index % 7}`,
      })
    const server = await JetstreamServer.start({ events: [] })
    let pushed = 0
    const pushing = setInterval(() => {
      if (server.connections.length > 0 && pushed < 900) server.push(event(pushed++))
    }, 5)
    try {
      await inDirectory(async (directory) => {
        const flags = ['--source', 'bluesky']
        for (const share of [300, 600]) {
          const taken = server.connections.length
          const run = await Run.start(directory, flags, server.url)
          await until('it is connected', () => server.connections.length > taken)
          await until('posts were pushed', () => pushed >= share)
          // Long enough that some of them are committed, and not all.
          await new Promise((resolve) => setTimeout(resolve, 300))
          run.child.kill('SIGKILL')
          await run.ended()
        }
        await until('all were pushed', () => pushed >= 900)
        const run = await Run.start(directory, [...flags, '--until-caught-up'], server.url)
        const last = await run.ended()
        assert.equal(last.code, 0, last.said)
        assert.match(last.said, /English posts of Bluesky/)
        const figures = JSON.parse(last.out)
        assert.equal(figures.ledger, 'balanced')
        assert.equal(figures.deadLetters, 0)
        const { positive, neutral, negative } = figures
        assert.deepEqual([positive, negative, neutral], [300, 300, 300])
      })
    } finally {
      clearInterval(pushing)
      await server.stop()
    }
  })

  it('without a network it says so in words and does not end with 0', async () => {
    const gone = await JetstreamServer.start({ events: [] })
    const { url } = gone
    await gone.stop()
    await inDirectory(async (directory) => {
      const { code, said } = await (
        await Run.start(directory, ['--source', 'bluesky'], url)
      ).ended()
      assert.equal(code, 1, said)
      assert.match(said, /source bluesky: gave up after 6 tries.*ECONNREFUSED.*check the network/)
      assert.match(said, /SOURCE_UNREACHABLE/)
    })
  })

  it('names the sources there are when it is asked for another', async () => {
    await inDirectory(async (directory) => {
      const { code, said } = await (await Run.start(directory, ['--source', 'twitter'])).ended()
      assert.equal(code, 1)
      assert.match(said, /there is no 'twitter'; choose of made-up, bluesky/)
    })
  })
})
