import assert from 'node:assert/strict'
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { codeOf } from '../core/errors.ts'
import { loadApp } from '../pipeline/app.ts'
import { planOf } from '../pipeline/plan.ts'
import { openWorkshop, type Workshop } from './cli-testing.ts'
import { initCommand } from './init.ts'
import { initFiles } from './init-files.ts'

describe('millrace init', () => {
  let shop: Workshop
  const run = (...words: string[]) =>
    shop.run(
      initCommand(() => shop.context().output),
      ...words,
    )

  before(async () => {
    shop = await openWorkshop()
  })
  after(() => shop.close())

  test('makes a project whose pipelines can be planned', async () => {
    const folder = join(shop.directory, 'My-App')
    const { files } = JSON.parse(await run(folder, '--json'))
    assert.deepEqual(files, ['package.json', 'app.ts', 'tsconfig.json', '.gitignore', 'README.md'])
    assert.match(shop.said.join('\n'), /npm install\n +npm start$/)
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    assert.equal(manifest.name, 'my-app')
    assert.equal(manifest.scripts.start, 'millrace run app.ts')
    const root = join(import.meta.dirname, '../..')
    await mkdir(join(folder, 'node_modules'))
    symlinkSync(root, join(folder, 'node_modules', 'millrace'), 'dir')
    symlinkSync(join(root, 'node_modules', 'zod'), join(folder, 'node_modules', 'zod'), 'dir')
    const plan = planOf((await loadApp(join(folder, 'app.ts'))).pipelines)
    assert.deepEqual(
      plan.pipelines.map(({ name }) => name),
      ['ingest', 'pick', 'keep'],
    )
  })

  test('asks for the versions of the package that made it', () => {
    const texts = initFiles('shop', { millrace: '1.2.3', zod: '4.5.6' })
    const { dependencies } = JSON.parse(texts['package.json']!)
    assert.deepEqual(dependencies, { millrace: '1.2.3', zod: '4.5.6' })
    assert.match(texts['.gitignore']!, /^\.millrace\/$/m)
  })

  test('touches nothing that is there already', async () => {
    const unusable = (error: unknown) => codeOf(error) === 'FOLDER_UNUSABLE'
    const folder = join(shop.directory, 'full')
    await mkdir(folder)
    writeFileSync(join(folder, 'notes.txt'), 'mine')
    await assert.rejects(run(folder), unusable)
    await assert.rejects(run(join(folder, 'notes.txt')), unusable)
    await assert.rejects(run(join(folder, 'notes.txt', 'below')), unusable)
    const named = run(join(shop.directory, 'no good'))
    await assert.rejects(named, (error) => codeOf(error) === 'NAME_INVALID')
    await mkdir(join(shop.directory, 'empty'))
    await run(join(shop.directory, 'empty'))
  })
})
