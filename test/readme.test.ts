import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { optionsOf } from '../src/panels/panel-options.ts'
import { type App, loadApp } from '../src/pipeline/app.ts'
import { planOf } from '../src/pipeline/plan.ts'
import { rolling } from '../src/pipeline/rolling-feature.ts'
import { over } from '../src/transforms/over.ts'

/** The application that a page shows. */
async function appIn(page: string): Promise<App> {
  const code = /<!-- checked by test\/readme.test.ts -->\n```ts\n(.*?)```/s.exec(page)![1]!
  // Inside the repository, so that its imports resolve as a user's would.
  const folder = mkdtempSync(join(root, 'test', 'readme-'))
  try {
    writeFileSync(join(folder, 'app.ts'), code)
    return await loadApp(join(folder, 'app.ts'))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const isPanelKind = (kind: string) => kind !== 'panels'

const root = fileURLToPath(new URL('..', import.meta.url))
const readme = readFileSync(join(root, 'README.md'), 'utf8')

describe('README', () => {
  it('shows a pipeline that can be planned', async () => {
    const { pipelines } = await appIn(readme)
    const names = planOf(pipelines).pipelines.map(({ name }) => name)
    assert.deepEqual(names, ['ingest', 'count', 'keep'])
  })

  it('and the guide to panels shows an application that has them', async () => {
    const guide = readFileSync(join(root, 'docs', 'guide', 'panels.md'), 'utf8')
    const { panels } = await appIn(guide)
    const kinds = panels[0]!.panels.map(({ kind }) => kind)
    assert.deepEqual([...new Set(kinds)].sort(), Object.keys(optionsOf).filter(isPanelKind).sort())
  })

  it('and the guide to time and state names all that can be reckoned', () => {
    const guide = readFileSync(join(root, 'docs', 'guide', 'time-and-state.md'), 'utf8')
    const [windows, features] = guide.split('## Features from history') as [string, string]
    const missing = (text: string, names: readonly string[], word: (name: string) => string) =>
      names.filter((name) => !text.includes(word(name)))
    assert.deepEqual(
      missing(windows, Object.keys(over()), (name) => `\`${name}(`),
      [],
    )
    assert.deepEqual(
      missing(windows, Object.keys(over()), (name) => `over.${name}(`),
      [],
    )
    assert.deepEqual(
      missing(features, Object.keys(rolling), (name) => `\`${name}\``),
      [],
    )
  })

  it('names only files and scripts that are there', () => {
    const scripts = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts
    for (const [, path] of readme.matchAll(/\]\(([^)#:]+)\)/g)) readFileSync(join(root, path!))
    for (const [, script] of readme.matchAll(/npm run ([\w:]+)/g))
      assert.ok(script! in scripts, script)
  })
})
