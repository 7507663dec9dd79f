/** The page beside a run, as processes: read, killed, started again, asked by two, ended in order. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { logVariables } from '../log/log-testing.ts'
import type { History, State } from './state.ts'

const root = path.resolve(import.meta.dirname, '../..')
const bin = path.join(root, 'bin', 'millrace.js')
const promtool = path.resolve(root, '../shared/services/prometheus.sh')

const app = `
import { pipeline, topic } from 'millrace'
import { generate } from 'millrace/sources'
export const about = 'numbers for a test'
const numbers = topic('numbers')
const counter = generate({ name: 'counter', count: 1000000, ratePerSecond: 300, value: (n) => ({ n }), id: ({ n }) => String(n) })
export const make = pipeline('make').from(counter).to(numbers)
export const even = pipeline('even').from(numbers).filter('even', ({ n }) => n % 2 === 0).to(topic('numbers.even'))
`

interface Life {
  readonly child: ChildProcess
  readonly url: string
  readonly words: () => string
  readonly ended: Promise<number | null>
}

describe('the server beside a run', () => {
  let folder = ''
  const children: ChildProcess[] = []

  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'millrace-serve-'))
    mkdirSync(path.join(folder, 'node_modules'))
    symlinkSync(root, path.join(folder, 'node_modules', 'millrace'), 'dir')
    writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}')
    writeFileSync(path.join(folder, 'app.js'), app)
  })
  after(() => {
    for (const child of children) child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })

  /** Starts a command and waits until it says where its page is, or ends. */
  async function start(words: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Life> {
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      ...(await logVariables(folder)),
      ...more,
    }
    delete env.MILLRACE_DIR
    delete env.NODE_TEST_CONTEXT
    const child = spawn(process.execPath, [bin, ...words], { cwd: folder, env })
    children.push(child)
    let said = ''
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
    const url = await new Promise<string>((resolve) => {
      child.stderr!.on('data', (data) => {
        said += data
        const found = /the page: (http:\/\/\S+?)\/?(\s|$)/.exec(said)
        if (found !== null) resolve(found[1]!)
      })
      void ended.then(() => resolve(''))
    })
    return { child, url, words: () => said, ended }
  }

  const json = async <Answer>(url: string) => (await (await fetch(url)).json()) as Answer

  async function until(what: string, test: () => Promise<boolean>): Promise<void> {
    for (let tries = 0; tries < 300; tries++) {
      if (await test().catch(() => false)) return
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    assert.fail(`did not come: ${what}`)
  }

  const taken = (state: State) =>
    state.pipelines.find(({ name }) => name === 'even')?.steps[0]?.in ?? 0

  it('shows a run, also after kill -9, and lets a client go on where it was', async () => {
    const first = await start(['run', 'app.js', '--port', '0'])
    assert.notEqual(first.url, '', first.words())
    await until('messages', async () => taken(await json(`${first.url}/api/state`)) > 300)
    const events = await fetch(`${first.url}/api/events`)
    const reader = events.body!.getReader()
    const text = Buffer.from((await reader.read()).value!).toString()
    const lastId = /^id: (\d+)$/m.exec(text)![1]!
    const before = await json<State>(`${first.url}/api/state`)
    assert.deepEqual([before.about, before.pipelines.length], ['numbers for a test', 2])
    first.child.kill('SIGKILL')
    await first.ended
    await assert.rejects(async () => {
      while (!(await reader.read()).done);
    })

    const second = await start(['run', 'app.js', '--port', new URL(first.url).port])
    assert.equal(second.url, first.url, second.words())
    await until('more messages', async () => {
      return taken(await json(`${second.url}/api/state`)) > taken(before)
    })
    const state = await json<State>(`${second.url}/api/state`)
    assert.ok(state.pipelines.every(({ isBalanced }) => isBalanced))
    const { points } = await json<History>(`${second.url}/api/history`)
    assert.ok(points[0]!.atMs < before.atMs, 'charts show what was before the kill')
    // A rate needs two looks of this server.
    await until('a rate', async () => {
      const history = await json<History>(`${second.url}/api/history`)
      return history.points.some((point) => (point.messagesPerSecond.even ?? 0) > 0)
    })
    const headers = { 'last-event-id': lastId }
    const resumed = await fetch(`${second.url}/api/events`, { headers })
    const again = resumed.body!.getReader()
    assert.match(
      Buffer.from((await again.read()).value!).toString(),
      /event: history\ndata: \{"points":\[\{/,
    )

    // The stream is still open: it may not hold the end up.
    second.child.kill('SIGINT')
    assert.equal(await second.ended, 0, second.words())
  })

  it('stands beside other processes, each on its own port, and refuses a port of others', async () => {
    const run = await start(['run', 'app.js', '--port', '0'])
    const port = new URL(run.url).port
    const refused = await start(['serve', '--port', port])
    assert.equal(await refused.ended, 1)
    assert.match(refused.words(), new RegExp(`port ${port} is taken; --port ${Number(port) + 1}`))
    const alone = await start(['serve', '--port', '0'])
    await until('the run, seen from beside', async () => {
      const { processes, pipelines } = await json<State>(`${alone.url}/api/state`)
      return processes.some(({ pid }) => pid === run.child.pid) && pipelines[0]!.members === 1
    })
    run.child.kill('SIGTERM')
    assert.equal(await run.ended, 0, run.words())
    await until('its end', async () => {
      const { processes } = await json<State>(`${alone.url}/api/state`)
      return processes.length === 0
    })
    alone.child.kill('SIGINT')
    assert.equal(await alone.ended, 0, alone.words())
  })

  it('wants a token away from loopback, and writes it into no log', async () => {
    const open = await start(['serve', '--host', '0.0.0.0', '--port', '0'])
    assert.notEqual(open.url, '', open.words())
    const { port } = new URL(open.url)
    const ask = (headers: Record<string, string> = {}) =>
      fetch(`http://127.0.0.1:${port}/api/state`, { headers }).then(({ status }) => status)
    const token = readFileSync(path.join(folder, '.millrace', 'token'), 'utf8').trim()
    assert.deepEqual([await ask(), await ask({ authorization: `Bearer ${token}` })], [401, 200])
    open.child.kill('SIGINT')
    assert.equal(await open.ended, 0, open.words())
    assert.ok(!open.words().includes(token), 'stderr is a pipe here')
  })

  it('takes the next port where a process on the same directory has the first', async (t) => {
    if (!(await isFree(4280))) {
      t.diagnostic('port 4280 is taken by another program: this was checked up to its refusal')
      const refused = await start(['serve'])
      refused.child.kill('SIGINT')
      await refused.ended
      return
    }
    const one = await start(['serve'])
    const two = await start(['serve'])
    assert.equal(one.url, 'http://127.0.0.1:4280', one.words())
    assert.match(two.words(), /port 4280 is taken by another process on this directory/)
    assert.notEqual(two.url, one.url)
    for (const { child, ended } of [two, one]) {
      child.kill('SIGINT')
      assert.equal(await ended, 0)
    }
  })

  it('has metrics that promtool finds nothing wrong with', async (t: TestContext) => {
    if (!existsSync(promtool)) {
      const message = `SKIPPED: ${promtool} is not there, so the metrics were NOT checked`
      console.error(message)
      t.diagnostic(message)
      assert.ok(process.env.CI !== 'true', message)
      return
    }
    const alone = await start(['serve', '--port', '0'])
    const text = await (await fetch(`${alone.url}/metrics`)).text()
    const check = spawn(promtool, ['promtool', 'check', 'metrics'])
    let said = ''
    check.stdout.on('data', (data) => {
      said += data
    })
    check.stderr.on('data', (data) => {
      said += data
    })
    check.stdin.end(text)
    const code = await new Promise((resolve) => check.once('close', resolve))
    assert.equal(code, 0, said)
    alone.child.kill('SIGINT')
    assert.equal(await alone.ended, 0)
  })
})

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}
