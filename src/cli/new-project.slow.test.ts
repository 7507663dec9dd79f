/** A new project as processes: run, looked into, pipes that close, signals. On Kafka too. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { logVariables } from '../log/log-testing.ts'

const root = path.resolve(import.meta.dirname, '../..')
const bin = path.join(root, 'bin', 'millrace.js')

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

describe('a new project', () => {
  let folder = ''
  let project = ''

  async function start(words: readonly string[], cwd = project): Promise<ChildProcess> {
    const env: NodeJS.ProcessEnv = { ...process.env, ...(await logVariables(project)) }
    delete env.MILLRACE_DIR
    delete env.NODE_TEST_CONTEXT
    return spawn(process.execPath, [bin, ...words], { cwd, env })
  }

  function ended(child: ChildProcess): Promise<Ended> {
    let stdout = ''
    let stderr = ''
    child.stdout!.on('data', (data) => {
      stdout += data
    })
    child.stderr!.on('data', (data) => {
      stderr += data
    })
    return new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code) => resolve({ code, stdout, stderr }))
    })
  }

  const runInProject = async (...words: string[]) => ended(await start(words))

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'millrace-bin-'))
    project = path.join(folder, 'shop')
    const made = await ended(await start(['init', 'shop'], folder))
    assert.equal(made.code, 0, made.stderr)
    mkdirSync(path.join(project, 'node_modules'))
    symlinkSync(root, path.join(project, 'node_modules', 'millrace'), 'dir')
    const zod = path.join(root, 'node_modules', 'zod')
    symlinkSync(zod, path.join(project, 'node_modules', 'zod'), 'dir')
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  test('is run, and looked into', async () => {
    const ran = await runInProject('run', 'app.ts', '--until-caught-up', '--json')
    assert.equal(ran.code, 0, ran.stderr)
    const figures = JSON.parse(ran.stdout)
    assert.equal(figures.ledger, 'balanced')
    assert.equal(figures.messages, 2000)
    const asked = await runInProject('sql', 'SELECT count(*) AS n FROM large_orders', '--json')
    assert.deepEqual(JSON.parse(asked.stdout).rows, [[figures.largeOrders]])
    const topics = JSON.parse((await runInProject('topics', 'list', '--json')).stdout)
    assert.deepEqual(
      topics.map(({ name, messages }: { name: string; messages: number }) => [name, messages]),
      [
        ['orders', 2000],
        ['orders.large', figures.largeOrders],
      ],
    )
    const doctor = await runInProject('doctor')
    assert.equal(doctor.code, 0, doctor.stdout)
    assert.doesNotMatch(doctor.stdout, /^fail/m)
  })

  test('ends quietly when nobody reads on', async () => {
    const child = await start(['topics', 'tail', 'orders', '--from', 'start', '--json'])
    const end = ended(child)
    child.stdout!.once('data', () => child.stdout!.destroy())
    const { code, stderr } = await end
    assert.deepEqual([code, stderr], [0, ''])
  })

  test('follows a topic until it is interrupted', async () => {
    const child = await start(['topics', 'tail', 'orders', '--from', 'start', '--follow'])
    const end = ended(child)
    child.stdout!.once('data', () => child.kill('SIGINT'))
    const { code, stderr } = await end
    assert.deepEqual([code, stderr], [0, ''])
  })
})
