import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { loadApp } from '../src/pipeline/app.ts'
import { planOf } from '../src/pipeline/plan.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const readme = readFileSync(join(root, 'README.md'), 'utf8')

describe('README', () => {
  it('shows a pipeline that can be planned', async () => {
    const code = /<!-- checked by test\/readme.test.ts -->\n```ts\n(.*?)```/s.exec(readme)![1]!
    // Inside the repository, so that its imports resolve as a user's would.
    const folder = mkdtempSync(join(root, 'test', 'readme-'))
    try {
      writeFileSync(join(folder, 'app.ts'), code)
      const plan = planOf((await loadApp(join(folder, 'app.ts'))).pipelines)
      assert.deepEqual(
        plan.pipelines.map(({ name }) => name),
        ['ingest', 'count', 'keep'],
      )
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('names only files and scripts that are there', () => {
    const scripts = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts
    for (const [, path] of readme.matchAll(/\]\(([^)#:]+)\)/g)) readFileSync(join(root, path!))
    for (const [, script] of readme.matchAll(/npm run ([\w:]+)/g))
      assert.ok(script! in scripts, script)
  })
})
