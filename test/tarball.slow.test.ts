/**
 * What a user gets: the packed package, installed in an empty folder elsewhere, checks the types of
 * an app and runs it.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { stagePackage } from '../scripts/build.ts'
import { textOf } from './house.ts'

const app = `import { pipeline, topic } from 'millrace'
import { file } from 'millrace/sinks'
import { files } from 'millrace/sources'
import { z } from 'zod'

const Post = z.object({ author: z.string(), likes: z.number() })
const posts = topic('posts', { schema: Post, key: (post) => post.author })
const loud = topic('posts.loud', { schema: Post.extend({ shout: z.string() }) })

export const ingest = pipeline('ingest').from(files<z.input<typeof Post>>({ path: 'posts.ndjson' })).to(posts)

export const shout = pipeline('shout')
  .from(posts)
  .filter('liked', (post) => post.likes > 1)
  .map('shout', (post) => ({ ...post, shout: post.author.toUpperCase() }))
  .to(loud)

export const keep = pipeline('keep').from(loud).to(file({ path: 'loud.ndjson' }))
`

const ofApp = `import { test } from 'node:test'
import { pipelineTest } from 'millrace/testing'

test('posts that are liked are shouted', pipelineTest(new URL('./app.ts', import.meta.url), async (t) => {
  await t.push('posts', [{ author: 'ann', likes: 2 }, { author: 'ben', likes: 1 }])
  await t.crash('written')
  await t.restart()
  await t.run()
  await t.expectOutputs('posts.loud', [{ author: 'ann', likes: 2, shout: 'ANN' }])
}))
`

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

describe('the packed package in an empty folder', () => {
  let folder = ''

  /** Runs a command there, with the Node that runs this test first in the PATH. */
  function run(command: string, ...args: string[]): Promise<Ended> {
    const nodeFolder = path.dirname(process.execPath)
    const env: NodeJS.ProcessEnv = { ...process.env }
    env.PATH = `${nodeFolder}${path.delimiter}${process.env.PATH}`
    delete env.MILLRACE_DIR
    delete env.NODE_TEST_CONTEXT
    // Of the npm that runs this test: `npm exec -c` would be the call of every npx below.
    for (const name of Object.keys(env)) if (name.startsWith('npm_')) delete env[name]
    return new Promise((resolve) => {
      execFile(command, args, { cwd: folder, env, timeout: 180_000 }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
        resolve({ code, stdout, stderr })
      })
    })
  }

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'millrace-tarball-'))
    const packed = await run(
      'npm',
      'pack',
      '--silent',
      '--pack-destination',
      folder,
      stagePackage(),
    )
    assert.equal(packed.code, 0, packed.stderr)
    const tarball = packed.stdout.trim()
    const { devDependencies } = JSON.parse(textOf('package.json')) as {
      devDependencies: Record<string, string>
    }
    const tools = ['typescript', '@types/node'].map((name) => `${name}@${devDependencies[name]}`)
    writeFileSync(path.join(folder, 'package.json'), '{ "type": "module", "private": true }\n')
    const options = ['--prefer-offline', '--no-audit', '--no-fund', '--silent']
    const installed = await run('npm', 'install', ...options, path.join(folder, tarball), ...tools)
    assert.equal(installed.code, 0, installed.stderr)
    const compilerOptions = {
      strict: true,
      noEmit: true,
      target: 'es2024',
      module: 'nodenext',
      types: ['node'],
    }
    writeFileSync(
      path.join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, include: ['*.ts'] }),
    )
    const rows = [1, 2, 3].map((likes) => JSON.stringify({ author: `author ${likes}`, likes }))
    writeFileSync(path.join(folder, 'posts.ndjson'), `${rows.join('\n')}\n`)
  })

  after(() => rmSync(folder, { recursive: true, force: true }))

  test('holds no source, no test and no development', async () => {
    const listed = await run('npm', 'ls', '--all', '--json')
    assert.equal(listed.code, 0, listed.stderr)
    const manifest = JSON.parse(
      readFileSync(path.join(folder, 'node_modules/millrace/package.json'), 'utf8'),
    ) as Record<string, unknown>
    assert.equal(manifest.devDependencies, undefined)
    assert.equal(manifest.scripts, undefined)
  })

  test("a user's app has types", async () => {
    writeFileSync(path.join(folder, 'app.ts'), app)
    const checked = await run('npx', '--no-install', 'tsc', '-p', '.')
    assert.equal(checked.stdout, '')
    assert.equal(checked.code, 0)
  })

  test('a misspelt field is a compile error', async () => {
    writeFileSync(path.join(folder, 'app.ts'), app.replace('post.likes > 1', 'post.lieks > 1'))
    const checked = await run('npx', '--no-install', 'tsc', '-p', '.')
    assert.notEqual(checked.code, 0)
    assert.match(checked.stdout, /lieks/)
  })

  test('a test of the app runs, on a log in memory', async () => {
    writeFileSync(path.join(folder, 'app.ts'), app)
    writeFileSync(path.join(folder, 'app.test.ts'), ofApp)
    const checked = await run('npx', '--no-install', 'tsc', '-p', '.')
    assert.equal(checked.stdout, '')
    const ended = await run('node', '--test', 'app.test.ts')
    assert.equal(ended.code, 0, ended.stdout)
    writeFileSync(path.join(folder, 'app.test.ts'), ofApp.replace("'ANN'", "'ann'"))
    const wrong = await run('node', '--test', 'app.test.ts')
    assert.equal(wrong.code, 1)
    assert.match(wrong.stdout, /what came to topic posts.loud is not what was expected/)
    rmSync(path.join(folder, 'app.test.ts'))
  })

  test('the app runs and says what it did on one line', async () => {
    writeFileSync(path.join(folder, 'app.ts'), app)
    const args = ['--no-install', 'millrace', 'run', 'app.ts', '--until-caught-up', '--json']
    const ended = await run('npx', ...args)
    assert.equal(ended.code, 0, ended.stderr)
    const lines = ended.stdout.trim().split('\n')
    assert.equal(lines.length, 1, ended.stdout)
    const figures = JSON.parse(lines[0]!) as Record<string, unknown>
    assert.equal(figures.ledger, 'balanced')
    assert.equal(figures.deadLetters, 0)
    const written = readFileSync(path.join(folder, 'loud.ndjson'), 'utf8').trim().split('\n')
    assert.equal(written.length, 2)
    assert.deepEqual(written.map((line) => (JSON.parse(line) as { shout: string }).shout).sort(), [
      'AUTHOR 2',
      'AUTHOR 3',
    ])
  })
})
