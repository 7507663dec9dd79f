/** Holds the guide to testing: its application and its tests have types, run, and can fail. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { root, textOf } from './house.ts'

const page = textOf('docs/guide/testing.md')
const marker =
  /<!-- checked by test\/testing-guide\.slow\.test\.ts: ([\w.]+) -->\n```ts\n(.*?)```/gs
const files = new Map([...page.matchAll(marker)].map(([, name, code]) => [name!, code!]))

/** What `node --test` and the compiler say of the files, changed as given. */
function outcomeOf(change: (code: string, name: string) => string = (code) => code) {
  // Inside the repository, so that its imports resolve as a user's would.
  const folder = mkdtempSync(join(root, 'test', 'testing-guide-'))
  try {
    for (const [name, code] of files) writeFileSync(join(folder, name), change(code, name))
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ extends: '../../tsconfig.json', include: ['*.ts'], exclude: [] }),
    )
    const { NODE_TEST_CONTEXT: _, ...environment } = process.env
    const env = { ...environment, MILLRACE_DIR: join(folder, '.millrace'), MILLRACE_LOG: '' }
    const run = (command: string, ...args: string[]) =>
      spawnSync(command, args, { cwd: folder, env, encoding: 'utf8', timeout: 120_000 })
    const tests = run(process.execPath, '--test', 'app.test.ts')
    const types = run(process.execPath, join(root, 'node_modules', '.bin', 'tsc'), '-p', '.')
    return { tests, types }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

describe('docs/guide/testing.md', () => {
  it('shows an application and tests of it that pass', () => {
    assert.deepEqual([...files.keys()], ['app.ts', 'app.test.ts'])
    const { tests, types } = outcomeOf()
    assert.equal(tests.status, 0, tests.stdout)
    assert.match(tests.stdout, /^. pass 6$/m)
    assert.equal(types.status, 0, types.stdout)
  })

  it('and the tests fail where the application is wrong, with words that help', () => {
    const wrong = (code: string, name: string) =>
      name === 'app.ts' ? code.replace("=== 'spam')", "=== 'ham')") : code
    const { tests } = outcomeOf(wrong)
    assert.equal(tests.status, 1)
    assert.match(tests.stdout, /what came to topic senders is not what was expected; it holds 0/)
    assert.match(tests.stdout, /pipeline count took in 2; spam-only: 2 filtered/)
  })

  it('and a value that does not fit does not compile', () => {
    const wrong = (code: string, name: string) =>
      name === 'app.test.ts'
        ? code.replace("{ id: '1', from: 'ann',", "{ id: 1, from: 'ann',")
        : code
    const { tests, types } = outcomeOf(wrong)
    assert.match(
      types.stdout,
      /app\.test\.ts.*\n(.*\n)*.*Type 'number' is not assignable to type 'string'/,
    )
    assert.match(
      tests.stdout,
      /push to mails: value 0 does not fit its schema: id: .*it is \{"id":1,/,
    )
  })
})
