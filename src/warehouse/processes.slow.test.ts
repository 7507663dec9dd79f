/** One DuckDB file and several processes: who is kept out, who answers, what a kill -9 leaves. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { describe, type TestContext, test } from 'node:test'
import { openWarehouseFile } from '../sinks/duckdb-file.ts'
import { query } from './index.ts'

const program = `
import { BatchBuilder } from './src/core/batch-builder.ts'
import { systemClock } from './src/core/clock.ts'
import { duckdb } from './src/sinks/duckdb.ts'
import { serveSink } from './src/warehouse/index.ts'

const { signal } = new AbortController()
const place = { position: undefined, partition: 0, directory: process.env.FOLDER, clock: systemClock, signal }
const sink = await duckdb({ table: 't' }).open(place)
await serveSink(sink)
for (let n = 0; n < 100; n++) {
  const builder = new BatchBuilder('numbers', 0)
  builder.append(String(n), JSON.stringify({ n }), 0, [{ key: 'millrace.id', value: Buffer.from('id ' + n) }])
  await sink.write(builder.build())
}
console.log('written')
process.stdin.on('end', () => sink.close()).resume()
`

/** A process that writes 100 rows, serves, and closes when its stdin does. */
async function writer(context: TestContext, folder: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: path.resolve(import.meta.dirname, '../..'),
    env: { ...process.env, FOLDER: folder },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  context.after(() => child.kill('SIGKILL'))
  const [line] = await once(createInterface(child.stdout!), 'line')
  assert.equal(line, 'written')
  return child
}

function folderOf(context: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-processes-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const sql = 'SELECT count(*) AS rows, sum(n) AS total FROM t'

describe('a warehouse and several processes', () => {
  test('another process is kept out, but its questions are answered', async (context) => {
    const folder = folderOf(context)
    const file = path.join(folder, 'warehouse.duckdb')
    const child = await writer(context, folder)
    await assert.rejects(openWarehouseFile(file), (error: Error & { waitMs?: number }) => {
      assert.equal((error as { code?: string }).code, 'SINK_BUSY')
      assert.match(error.message, new RegExp(`process ${child.pid} has it open`))
      assert.ok((error.waitMs ?? 0) > 0)
      return true
    })
    assert.deepEqual((await query(file, sql)).rows, [[100, 4950]])
    child.stdin!.end()
    const [code] = await once(child, 'exit')
    assert.equal(code, 0)
    assert.equal(existsSync(`${file}.owner.json`), false)
    assert.deepEqual((await query(file, sql)).rows, [[100, 4950]])
    await (await openWarehouseFile(file)).close()
  })

  test('after kill -9 everything written is there, and the note is passed over', async (context) => {
    const folder = folderOf(context)
    const file = path.join(folder, 'warehouse.duckdb')
    const child = await writer(context, folder)
    child.kill('SIGKILL')
    await once(child, 'exit')
    assert.equal(existsSync(`${file}.owner.json`), true)
    assert.deepEqual((await query(file, sql)).rows, [[100, 4950]])
    const next = await writer(context, folder)
    assert.deepEqual((await query(file, sql)).rows, [[100, 4950]])
    next.stdin!.end()
    await once(next, 'exit')
  })

  test('a process that holds the file and does not serve is named', async (context) => {
    const folder = folderOf(context)
    const file = path.join(folder, 'warehouse.duckdb')
    const child = await writer(context, folder)
    rmSync(`${file}.owner.json`)
    await assert.rejects(query(file, sql), { code: 'SINK_BUSY' })
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
})
