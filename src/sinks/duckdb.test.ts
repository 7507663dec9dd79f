import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import type { Batch } from '../core/batch.ts'
import { BatchBuilder } from '../core/batch-builder.ts'
import { systemClock } from '../core/clock.ts'
import { codeOf, type Refusal } from '../core/errors.ts'
import { idHeader, versionHeader } from '../core/identity.ts'
import { type DuckdbSink, duckdb, duckdbPart } from './duckdb.ts'
import { openWarehouseFile } from './duckdb-file.ts'
import { sinkContract } from './sink.contract.ts'

/** What the table holds, read through the file of its own or a sink's open one. */
async function rowsOf(file: string, sql: string): Promise<unknown[][]> {
  const warehouse = await openWarehouseFile(file)
  const connection = await warehouse.connect()
  try {
    return (await connection.runAndReadAll(sql)).getRowsJson()
  } finally {
    connection.closeSync()
    await warehouse.close()
  }
}

sinkContract(duckdbPart, [
  {
    name: 'a file in MILLRACE_DIR',
    options: () => ({ table: 'samples' }),
    async values(directory) {
      const rows = await rowsOf(
        path.join(directory, 'warehouse.duckdb'),
        'SELECT key, n FROM samples',
      )
      return rows.map(([key, n]) => ({ key, n }))
    },
    refused: '{"key":1,"n":"not a number"}',
  },
  {
    name: 'a path and declared columns',
    options: (directory) => ({
      table: 'samples',
      path: path.join(directory, 'elsewhere', 'own.duckdb'),
      columns: { key: 'VARCHAR' as const, n: 'BIGINT' as const },
    }),
    async values(directory) {
      const file = path.join(directory, 'elsewhere', 'own.duckdb')
      const rows = await rowsOf(file, 'SELECT key, n::DOUBLE FROM samples')
      return rows.map(([key, n]) => ({ key, n }))
    },
    refused: 'not JSON',
  },
])

function folderOf(context: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-duckdb-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function opened(
  context: TestContext,
  options: Parameters<typeof duckdb>[0],
  directory = folderOf(context),
): Promise<DuckdbSink> {
  const { signal } = new AbortController()
  const place = { position: undefined, partition: 0, directory, clock: systemClock, signal }
  const sink = (await duckdb(options).open(place)) as DuckdbSink
  context.after(() => sink.close())
  return sink
}

/** Messages as [id, version, value]. */
function batchOf(...messages: [string, number | string, unknown][]): Batch {
  const builder = new BatchBuilder('messages', 0)
  for (const [id, version, value] of messages) {
    builder.append(`key of ${id}`, value === null ? null : JSON.stringify(value), 1_000_000, [
      { key: idHeader, value: Buffer.from(id) },
      { key: versionHeader, value: Buffer.from(String(version)) },
    ])
  }
  return builder.build()
}

async function refusedBy(writing: Promise<unknown>): Promise<readonly Refusal[]> {
  try {
    await writing
    return []
  } catch (error) {
    assert.equal(codeOf(error), 'SINK_REFUSED', String(error))
    return (error as { refused: readonly Refusal[] }).refused
  }
}

describe('duckdb', () => {
  test('infers types, keeps id, version, time and key', async (context) => {
    const sink = await opened(context, { table: 't' })
    await sink.write(
      batchOf([
        'a',
        3,
        { text: 'x', n: 1.5, yes: true, none: null, deep: { a: [1, 'é'] }, list: [] },
      ]),
    )
    assert.deepEqual(await rowsOf(sink.warehouse.path, 'FROM t'), [
      ['a', '3', '1970-01-01 00:16:40', 'key of a', 'x', 1.5, true, '{"a":[1,"é"]}', '[]'],
    ])
    const types = 'SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = $$t$$'
    assert.deepEqual((await rowsOf(sink.warehouse.path, types)).slice(4), [
      ['text', 'VARCHAR'],
      ['n', 'DOUBLE'],
      ['yes', 'BOOLEAN'],
      ['deep', 'JSON'],
      ['list', 'JSON'],
    ])
  })

  test('a new field adds a column, a missing one is null, also after a restart', async (context) => {
    const directory = folderOf(context)
    const first = await opened(context, { table: 't' }, directory)
    await first.write(batchOf(['a', 1, { x: 1 }]))
    await first.close()
    const second = await opened(context, { table: 't' }, directory)
    await second.write(batchOf(['b', 1, { 'a "new" one': 'y' }], ['c', 1, { X: 3 }]))
    assert.deepEqual(
      await rowsOf(second.warehouse.path, 'SELECT _id, x, "a ""new"" one" FROM t ORDER BY 1'),
      [
        ['a', 1, null],
        ['b', null, 'y'],
        ['c', 3, null],
      ],
    )
  })

  test('declared types take what fits them, and refuse the rest one by one', async (context) => {
    const columns = { big: 'BIGINT', at: 'TIMESTAMP', any: 'JSON' } as const
    const sink = await opened(context, { table: 't', columns })
    const refused = await refusedBy(
      sink.write(
        batchOf(
          ['a', 1, { big: '9223372036854775807', at: '2024-05-01T12:00:00+02:00', any: 'text' }],
          ['b', 1, { big: 1.5 }],
          ['c', 1, { big: 7, at: 86_400_000, any: null }],
          ['d', 1, { big: '9223372036854775808' }],
          ['e', 1, { at: 'yesterday' }],
          ['f', 1, { at: '2024-05-01' }],
        ),
      ),
    )
    assert.deepEqual(
      refused.map(({ index }) => index),
      [1, 3, 4],
    )
    assert.match(refused[0]!.reason, /field 'big' is 1.5.*BIGINT/)
    assert.deepEqual(
      await rowsOf(sink.warehouse.path, 'SELECT _id, big, "at", "any" FROM t ORDER BY 1'),
      [
        ['a', '9223372036854775807', '2024-05-01 10:00:00', '"text"'],
        ['c', '7', '1970-01-02 00:00:00', null],
        ['f', null, '2024-05-01 00:00:00', null],
      ],
    )
  })

  test('what can be no row is refused, and adds no column', async (context) => {
    const sink = await opened(context, { table: 't' })
    const refused = await refusedBy(
      sink.write(
        batchOf(
          ['a', 1, { ok: 1, _ID: 2 }],
          ['b', 1, { more: 1, More: 2 }],
          ['c', 1, { '': 1 }],
          ['d', 'no number', { ok: 1 }],
          ['e', 1, { ok: 'fits: the first that is kept decides' }],
          ['f', 1, Object.fromEntries(Array.from({ length: 1001 }, (_, n) => [`f${n}`, 1]))],
        ),
      ),
    )
    assert.deepEqual(
      refused.map(({ index }) => index),
      [0, 1, 2, 3, 5],
    )
    assert.deepEqual(await rowsOf(sink.warehouse.path, 'SELECT * EXCLUDE (_time, _key) FROM t'), [
      ['e', '1', 'fits: the first that is kept decides'],
    ])
  })

  test('values that are no records go to a column of their own; odd text survives', async (context) => {
    const sink = await opened(context, { table: 't' })
    await sink.write(batchOf(['a', 1, [1, 2]], ['b', 1, 'NUL \0 and lone \ud800 end']))
    await sink.write(batchOf(['c', 1, { text: 'NUL \0 end' }]))
    assert.deepEqual(
      await rowsOf(sink.warehouse.path, 'SELECT _id, value::VARCHAR, text FROM t ORDER BY 1'),
      [
        ['a', '[1,2]', null],
        ['b', '"NUL \\u0000 and lone \\ud800 end"', null],
        ['c', null, 'NUL \0 end'],
      ],
    )
  })

  test('a delete is remembered: an older message does not bring the row back', async (context) => {
    const directory = folderOf(context)
    const sink = await opened(context, { table: 't' }, directory)
    await sink.write(batchOf(['a', 1, { x: 1 }], ['b', 1, { x: 1 }]))
    await sink.write(batchOf(['a', 5, null], ['b', 0, null], ['never there', 5, null]))
    await sink.close()
    const again = await opened(context, { table: 't' }, directory)
    await again.write(batchOf(['a', 4, { x: 4 }], ['never there', 4, { x: 4 }]))
    const ids = () => rowsOf(again.warehouse.path, 'SELECT _id, x FROM t ORDER BY _id')
    assert.deepEqual(await ids(), [['b', 1]])
    await again.write(batchOf(['a', 6, { x: 6 }]))
    assert.deepEqual(await ids(), [
      ['a', 6],
      ['b', 1],
    ])
  })

  test('within one batch the newest version of an id wins, whatever the order', async (context) => {
    const sink = await opened(context, { table: 't' })
    await refusedBy(
      sink.write(
        batchOf(
          ['a', 2, { x: 2 }],
          ['a', 1, { x: 1 }],
          ['b', 2, null],
          ['b', 1, { x: 1 }],
          ['c', 1, { x: 1 }],
          ['c', 2, { x: 'refused' }],
        ),
      ),
    )
    assert.deepEqual(await rowsOf(sink.warehouse.path, 'SELECT _id, x FROM t ORDER BY _id'), [
      ['a', 2],
      ['c', 1],
    ])
  })

  test('two sinks share a file and even a table, with writes at once', async (context) => {
    const directory = folderOf(context)
    const first = await opened(context, { table: 't' }, directory)
    const second = await opened(context, { table: 't' }, directory)
    assert.equal(first.warehouse, second.warehouse)
    await Promise.all([
      first.write(batchOf(['a', 1, { x: 1 }])),
      second.write(batchOf(['b', 1, { y: 'z', x: 2 }])),
      first.write(batchOf(['c', 1, { z: true }])),
      second.write(batchOf(['d', 1, null])),
      first.write(batchOf(['d', 0, { x: 1 }])),
    ])
    await first.close()
    assert.deepEqual(
      await rowsOf(`${directory}/warehouse.duckdb`, 'SELECT _id,x,y,z FROM t ORDER BY 1'),
      [
        ['a', 1, null, null],
        ['b', 2, 'z', null],
        ['c', null, null, true],
      ],
    )
  })

  test('20,000 rows are one quick write', async (context) => {
    const sink = await opened(context, { table: 't' })
    const messages = Array.from({ length: 20_000 }, (_, n): [string, number, unknown] => [
      `id ${n}`,
      1,
      { n, text: `text ${n}`, nested: { n } },
    ])
    const began = performance.now()
    await sink.write(batchOf(...messages))
    const tookMs = performance.now() - began
    context.diagnostic(`20,000 rows in ${tookMs.toFixed(0)} ms`)
    assert.ok(tookMs < 5000, `${tookMs} ms`)
    assert.deepEqual(await rowsOf(sink.warehouse.path, 'SELECT count(*), sum(n) FROM t'), [
      ['20000', 199_990_000],
    ])
  })

  test('a file or a table of something else is refused in words', async (context) => {
    const directory = folderOf(context)
    const junk = path.join(directory, 'junk.duckdb')
    const code = (wanted: string, words: RegExp) => (error: Error) => {
      assert.equal(codeOf(error), wanted, error.message)
      assert.match(error.message, words)
      return true
    }
    for (const content of [
      '',
      'hello',
      `SQLite format 3\0${'x'.repeat(5000)}`,
      `12345678DUCK${'x'.repeat(20_000)}`,
    ]) {
      writeFileSync(junk, content)
      const opening = opened(context, { table: 't', path: junk }, directory)
      await assert.rejects(opening, code('SINK_UNUSABLE', /junk\.duckdb/))
    }
    await assert.rejects(
      opened(context, { table: 't', path: directory }, directory),
      code('SINK_UNUSABLE', /not a DuckDB file/),
    )
    await assert.rejects(
      opened(context, { table: 't', path: path.join(junk, 'below', 'a.duckdb') }, directory),
      code('SINK_UNUSABLE', /choose another path/),
    )
    await rowsOf(path.join(directory, 'own.duckdb'), 'CREATE TABLE t (a INTEGER)')
    await assert.rejects(
      opened(context, { table: 't', path: path.join(directory, 'own.duckdb') }, directory),
      code('SINK_UNUSABLE', /the table t is not one of this sink/),
    )
  })

  test('another thread of the process is kept out, and let in afterwards', async (context) => {
    const directory = folderOf(context)
    const sink = await opened(context, { table: 't' }, directory)
    const other = new URL('./duckdb-file.ts', import.meta.url).href
    const attempt = async () => {
      const code = `
        const { parentPort, workerData } = require('node:worker_threads')
        import(workerData.other).then(async ({ openWarehouseFile }) => {
          const file = await openWarehouseFile(workerData.path)
          await file.close()
          return 'opened'
        }).catch((error) => error.code).then((answer) => parentPort.postMessage(answer))`
      const workerData = { other, path: sink.warehouse.path }
      const worker = new Worker(code, { eval: true, workerData })
      const answer = await new Promise((resolve) => worker.once('message', resolve))
      await worker.terminate()
      return answer
    }
    assert.equal(await attempt(), 'SINK_BUSY')
    await sink.close()
    assert.equal(await attempt(), 'opened')
  })

  test('options that cannot be are refused', () => {
    const impossible: Parameters<typeof duckdb>[0][] = [
      { table: 'a b' },
      { table: 't', columns: { _id: 'VARCHAR' } },
      { table: 't', columns: { a: 'VARCHAR', A: 'VARCHAR' } },
    ]
    for (const options of impossible) {
      assert.throws(() => duckdb(options), { code: 'OPTIONS_INVALID' })
    }
  })
})
