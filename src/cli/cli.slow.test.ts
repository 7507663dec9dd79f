/** The command line as a process: exit codes, help, suggestions. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
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

  function start(words: readonly string[]): ChildProcess {
    const env: NodeJS.ProcessEnv = { ...process.env }
    delete env.MILLRACE_DIR
    delete env.NODE_TEST_CONTEXT
    return spawn(process.execPath, [bin, ...words], { cwd: folder, env })
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

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'millrace-bin-'))
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
})
