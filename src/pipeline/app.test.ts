import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { loadApp } from './app.ts'

const here = fileURLToPath(new URL('.', import.meta.url))

/** An application in a file inside the repository, so that its imports resolve as a user's would. */
async function load(code: string) {
  const folder = mkdtempSync(join(here, 'app-'))
  try {
    const path = join(folder, 'app.ts')
    writeFileSync(path, code)
    return await loadApp(path)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

describe('loading an application', () => {
  it('finds what it exports, each pipeline once', async () => {
    const app = await load(`
      import { pipeline, summary, topic } from 'millrace'
      const a = topic('a'), b = topic('b')
      export const about = 'copies'
      export const copy = pipeline('copy').from(a).to(b)
      export const again = copy
      export const count = summary(b, { start: () => ({ n: 0 }), add: (s) => { s.n++ }, figures: (s) => s, line: () => '' })
    `)
    assert.deepEqual(
      app.pipelines.map(({ name }) => name),
      ['copy'],
    )
    assert.equal(app.about, 'copies')
    assert.equal(app.summaries.length, 1)
  })

  it('says that a file is not there, exports nothing to run, or does not parse', async () => {
    await assert.rejects(loadApp('no-such.ts'), {
      code: 'APP_UNUSABLE',
      message: /no-such.ts: there is no such file/,
    })
    await assert.rejects(load('export const x = 1'), {
      code: 'APP_UNUSABLE',
      message: /exports x, but no pipeline/,
    })
    await assert.rejects(load('export const = 1'), { code: 'APP_UNUSABLE' })
  })

  it('says in which line a mistake is, with its own code', async () => {
    const code = `import { pipeline, topic } from 'millrace'
import { files } from 'millrace/sources'

export const bad = pipeline('bad').from(files({ pat: 'x.csv' })).to(topic('t'))`
    await assert.rejects(load(code), {
      code: 'OPTIONS_INVALID',
      message:
        /app.ts:4: source files: option 'path' is missing; unknown option 'pat', did you mean 'path'\?/,
    })
    await assert.rejects(load(`\n\nthrow new RangeError('not today')`), {
      code: 'APP_UNUSABLE',
      message: /app.ts:3: not today/,
    })
  })
})
