import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createMemoryLog } from '../log/memory.ts'
import { file } from '../sinks/index.ts'
import { generate } from '../sources/index.ts'
import { pipeline } from './pipeline.ts'
import { planOf } from './plan.ts'
import { startOver } from './prepare.ts'
import { readAll, runUntilCaughtUp } from './testing.ts'
import { topic } from './topic.ts'

const numbers = topic<{ n: number }>('numbers')

async function inFolder(work: (folder: string) => Promise<void>) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-prepare-'))
  try {
    await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function application(folder: string) {
  const source = generate({ name: 'n', count: 5, value: (n) => ({ n }) })
  return [
    pipeline('ingest').from(source).to(numbers),
    pipeline('keep')
      .from(numbers)
      .to(file({ path: join(folder, 'out.ndjson') })),
  ]
}

describe('starting over', () => {
  it('forgets topics, positions and what the sinks wrote, and comes to the same', () =>
    inFolder(async (folder) => {
      const log = createMemoryLog()
      const pipelines = application(folder)
      const definitions = pipelines.map((one) => one['~pipeline'])
      await runUntilCaughtUp(log, pipelines, folder)
      const first = readFileSync(join(folder, 'out.ndjson'), 'utf8')
      await startOver(log, definitions, planOf(definitions), folder)
      assert.deepEqual(await log.groups(), [])
      assert.equal(readFileSync(join(folder, 'out.ndjson'), 'utf8'), '')
      const { audits } = await runUntilCaughtUp(log, pipelines, folder)
      const again = readFileSync(join(folder, 'out.ndjson'), 'utf8')
      assert.deepEqual(again.split('\n').sort(), first.split('\n').sort())
      assert.equal((await readAll(log, 'numbers')).length, 5)
      assert.deepEqual(audits.get('keep')!.imbalances, [])
    }))

  it('leaves a file alone that the pipeline never wrote to', () =>
    inFolder(async (folder) => {
      const log = createMemoryLog()
      const definitions = application(folder).map((one) => one['~pipeline'])
      writeFileSync(join(folder, 'out.ndjson'), 'mine\n')
      await startOver(log, definitions, planOf(definitions), folder)
      assert.equal(readFileSync(join(folder, 'out.ndjson'), 'utf8'), 'mine\n')
      assert.ok(existsSync(join(folder, 'out.ndjson')))
    }))
})

describe('a pipeline that is changed', () => {
  it('goes on with a balanced ledger, and its finished source is not read twice', () =>
    inFolder(async (folder) => {
      const log = createMemoryLog()
      const source = generate({ name: 'n', count: 5, value: (n) => ({ n }) })
      const one = pipeline('p')
        .from(source)
        .filter('odd', ({ n }) => n % 2 === 1)
        .to(numbers)
      await runUntilCaughtUp(log, [one], folder)
      const more = generate({ name: 'n', count: 9, value: (n) => ({ n }) })
      const two = pipeline('p')
        .from(more)
        .map('same', (value) => value)
        .filter('even', ({ n }) => n % 2 === 0)
        .to(numbers, { name: 'out' })
        .to(file({ path: join(folder, 'even.ndjson') }))
      const { audits } = await runUntilCaughtUp(log, [two], folder)
      const found = (await readAll(log, 'numbers')).map(
        (message) => JSON.parse(String(message.value)).n,
      )
      assert.deepEqual(found.sort(), [1, 3, 6, 8])
      assert.deepEqual(audits.get('p')!.imbalances, [])
      const again = await runUntilCaughtUp(log, [two], folder)
      assert.deepEqual(again.audits.get('p')!.imbalances, [])
      assert.equal(readFileSync(join(folder, 'even.ndjson'), 'utf8'), '{"n":6}\n{"n":8}\n')
    }))
})
