/** The command line as a process: exit codes, help, suggestions, pipes that close, signals. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

const root = path.resolve(import.meta.dirname, '../..')
const bin = path.join(root, 'bin', 'millrace.js')

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

describe('the command line', () => {
  let folder = ''
  let project = ''

  function start(words: readonly string[], cwd = folder): ChildProcess {
    const env: NodeJS.ProcessEnv = { ...process.env }
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

  const run = (...words: string[]) => ended(start(words))
  const runInProject = (...words: string[]) => ended(start(words, project))

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'millrace-bin-'))
    project = path.join(folder, 'shop')
    const made = await run('init', 'shop')
    assert.equal(made.code, 0, made.stderr)
    mkdirSync(path.join(project, 'node_modules'))
    symlinkSync(root, path.join(project, 'node_modules', 'millrace'), 'dir')
    const zod = path.join(root, 'node_modules', 'zod')
    symlinkSync(zod, path.join(project, 'node_modules', 'zod'), 'dir')
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  test('tells its version', async () => {
    const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
    const { code, stdout } = await run('--version')
    assert.deepEqual([code, stdout], [0, `${manifest.version}\n`])
  })

  test('has help with an example for every command', async () => {
    const seen: string[] = []
    const visit = async (words: readonly string[]): Promise<void> => {
      const { code, stdout, stderr } = await run(...words, '--help')
      assert.equal(code, 0, stderr)
      assert.match(stdout, /\nExamples?:\n {2}millrace /, `millrace ${words.join(' ')}`)
      seen.push(words.join(' '))
      const commands = stdout.split('\nCommands:\n')[1]?.split('\n\n')[0] ?? ''
      const names = [...commands.matchAll(/^ {2}([a-z-]+)/gm)].map((match) => match[1]!)
      await Promise.all(
        names.filter((name) => name !== 'help').map((name) => visit([...words, name])),
      )
    }
    await visit([])
    for (const name of ['run', 'plan', 'topics tail', 'groups reset', 'dead-letters replay']) {
      assert.ok(seen.includes(name), `${name} is among ${seen.join(', ')}`)
    }
    assert.ok(seen.length >= 22, String(seen.length))
  })

  test('suggests what a wrong word may have meant, and exits with 2', async () => {
    const wrong: readonly (readonly [string[], RegExp])[] = [
      [['topic'], /Did you mean topics\?/],
      [['topics', 'lits'], /Did you mean list\?/],
      [['topics', 'list', '--jsno'], /Did you mean --json\?/],
      [['topics', 'delete', 'orders'], /no state of Millrace yet/],
      [['groups', 'reset', 'score'], /--to/],
    ]
    for (const [words, expected] of wrong) {
      const { code, stdout, stderr } = await run(...words)
      assert.match(stderr, expected)
      assert.equal(stdout, '')
      assert.equal(code, words[1] === 'delete' ? 1 : 2, words.join(' '))
    }
    assert.equal(existsSync(path.join(folder, '.millrace')), false)
  })

  test('runs a new project, and looks into it', async () => {
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
    const child = start(['topics', 'tail', 'orders', '--from', 'start', '--json'], project)
    const end = ended(child)
    child.stdout!.once('data', () => child.stdout!.destroy())
    const { code, stderr } = await end
    assert.deepEqual([code, stderr], [0, ''])
  })

  test('follows a topic until it is interrupted', async () => {
    const child = start(['topics', 'tail', 'orders', '--from', 'start', '--follow'], project)
    const end = ended(child)
    child.stdout!.once('data', () => child.kill('SIGINT'))
    const { code, stderr } = await end
    assert.deepEqual([code, stderr], [0, ''])
  })
})
