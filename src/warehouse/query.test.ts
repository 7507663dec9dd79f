import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { openWarehouseFile, type WarehouseFile } from '../sinks/duckdb-file.ts'
import { query, serveWarehouse } from './index.ts'

async function openedIn(context: TestContext): Promise<WarehouseFile> {
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-warehouse-'))
  const file = await openWarehouseFile(path.join(folder, 'w.duckdb'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  const connection = await file.connect()
  await connection.run(
    "CREATE TABLE posts AS SELECT i AS n, 'post ' || i AS text FROM range(5) r(i)",
  )
  connection.closeSync()
  return file
}

interface Note {
  readonly pid: number
  readonly port: number
  readonly token: string
}

const noteOf = (file: WarehouseFile) =>
  JSON.parse(readFileSync(`${file.path}.owner.json`, 'utf8')) as Note

describe('query', () => {
  test('asks the owner while the file is open, and the file itself afterwards', async (context) => {
    const file = await openedIn(context)
    await serveWarehouse(file)
    const sql = 'SELECT count(*) AS posts, max(text) AS last FROM posts'
    const wanted = {
      columns: [
        { name: 'posts', type: 'BIGINT' },
        { name: 'last', type: 'VARCHAR' },
      ],
      rows: [[5, 'post 4']],
      truncated: false,
    }
    assert.deepEqual(await query(file.path, sql), wanted)
    await file.close()
    assert.equal(existsSync(`${file.path}.owner.json`), false)
    assert.deepEqual(await query(file.path, sql), wanted)
    const shown = await query(file.path, 'SHOW TABLES')
    assert.deepEqual(shown.rows, [['posts']])
  })

  test('values of every kind come as JSON', async (context) => {
    const file = await openedIn(context)
    await file.close()
    const cases: [string, unknown][] = [
      ['12345678901234567890::HUGEINT', '12345678901234567890'],
      ['9007199254740991', 9_007_199_254_740_991],
      ['9007199254740993', '9007199254740993'],
      ['-42::TINYINT', -42],
      ['1.50::DECIMAL(10,2)', 1.5],
      ['-0.05::DECIMAL(10,2)', -0.05],
      ['12345678901234567.25::DECIMAL(30,2)', '12345678901234567.25'],
      ["'nan'::DOUBLE", 'NaN'],
      ['NULL', null],
      ["DATE '2024-05-01'", '2024-05-01'],
      ["TIMESTAMP '2024-05-01 12:30:00'", '2024-05-01 12:30:00'],
      ['[1, NULL, 3]', [1, null, 3]],
      ["{'a': 1, 'b': {'c': [DATE '2024-05-01']}}", { a: 1, b: { c: ['2024-05-01'] } }],
      ["MAP {'x': 1}", { x: 1 }],
      ['MAP {1: true}', [[1, true]]],
      [`'{"a":[1,{"b":null}]}'::JSON`, { a: [1, { b: null }] }],
      ["'{}'", '{}'],
      ["union_value(k := 'v')", 'v'],
    ]
    const sql = `SELECT ${cases.map(([expression]) => expression).join(', ')}`
    const { rows } = await query(file.path, sql)
    assert.deepEqual(
      rows[0],
      cases.map(([, wanted]) => wanted),
    )
    assert.doesNotThrow(() => JSON.stringify(rows))
  })

  test('only one statement, and only questions, also through the owner', async (context) => {
    const file = await openedIn(context)
    await serveWarehouse(file)
    const refusals: [string, RegExp][] = [
      ['DELETE FROM posts', /statement is DELETE/],
      ['COMMIT; DROP TABLE posts', /2 statements/],
      ['', /no statement/],
      ['/* a */ -- b\n;', /no statement/],
      ['SELEC 1', /Parser Error.*SELEC/s],
      ['SELECT * FROM postz', /Did you mean "posts"/],
      ['EXPLAIN ANALYZE DELETE FROM posts', /read-only/],
      ["COPY posts TO 'x.csv'", /statement is COPY/],
      ['SELECT 1/0, error($$own words$$)', /own words/],
    ]
    const refuse = async () => {
      for (const [sql, message] of refusals) {
        await assert.rejects(query(file.path, sql), { code: 'SQL_INVALID', message }, sql)
      }
      assert.deepEqual((await query(file.path, 'SELECT count(*) FROM posts')).rows, [[5]])
    }
    await refuse()
    await file.close()
    await refuse()
  })

  test('answers are bounded in rows, bytes and time', async (context) => {
    const file = await openedIn(context)
    await file.close()
    const rows = await query(file.path, 'FROM range(100000)', { maxRows: 5000 })
    assert.equal(rows.rows.length, 5000)
    assert.equal(rows.truncated, true)
    const wide = await query(file.path, "SELECT repeat('x', 1000) FROM range(100)", {
      maxBytes: 10_050,
    })
    assert.equal(wide.rows.length, 10)
    assert.equal(wide.truncated, true)
    const endless =
      'SELECT count(*) FROM range(1000000000) a, range(1000000) b WHERE a.range = -b.range'
    await assert.rejects(query(file.path, endless, { timeoutMs: 100 }), {
      code: 'SQL_INVALID',
      message: /longer than 0\.1 s/,
    })
  })

  test('no warehouse yet is said in words', async () => {
    const missing = path.join(tmpdir(), 'millrace-no-such-folder', 'w.duckdb')
    await assert.rejects(query(missing, 'SELECT 1'), { code: 'WAREHOUSE_MISSING', message: /yet/ })
    assert.equal(existsSync(path.dirname(missing)), false)
  })

  test('a note of a dead owner is passed over, also when a stranger has its port', async (context) => {
    const file = await openedIn(context)
    await file.close()
    const stranger = createServer((_, response) => response.end('{"columns":[],"rows":[["no"]]}'))
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve))
    const { port } = stranger.address() as AddressInfo
    const note = { pid: 1, port, token: 'x'.repeat(64) }
    for (const content of [JSON.stringify(note), '{"pid":', JSON.stringify({ ...note, port: 1 })]) {
      writeFileSync(`${file.path}.owner.json`, content)
      assert.deepEqual((await query(file.path, 'SELECT n FROM posts LIMIT 1')).rows, [[0]])
    }
    await new Promise((resolve) => stranger.close(resolve))
  })
})

describe('owner', () => {
  test('its note is for its user only, and its door for who has the token', async (context) => {
    const file = await openedIn(context)
    const owner = await serveWarehouse(file)
    assert.equal(await serveWarehouse(file), owner)
    if (process.platform !== 'win32') {
      assert.equal(statSync(`${file.path}.owner.json`).mode & 0o777, 0o600)
    }
    const { port, token } = noteOf(file)
    const ask = (
      authorization: string | undefined,
      body: string,
      place = '/sql',
      method = 'POST',
    ) =>
      fetch(`http://127.0.0.1:${port}${place}`, {
        method,
        headers: authorization === undefined ? {} : { authorization },
        ...(method === 'POST' ? { body } : {}),
      }).then(async (answer) => ({ status: answer.status, text: await answer.text() }))
    const question = JSON.stringify({ sql: 'SELECT 1' })
    const bearer = `Bearer ${token}`
    assert.equal((await ask(bearer, question)).status, 200)
    for (const wrong of [undefined, 'Bearer', `Bearer ${'0'.repeat(64)}`, `Basic ${token}`]) {
      assert.equal((await ask(wrong, question)).status, 401)
    }
    assert.equal((await ask(bearer, question, '/')).status, 404)
    assert.equal((await ask(bearer, '', '/sql', 'GET')).status, 404)
    assert.equal((await ask(bearer, 'not JSON')).status, 400)
    assert.equal((await ask(bearer, '{"sql":1}')).status, 400)
    const large = await ask(bearer, JSON.stringify({ sql: 'x'.repeat(2 ** 21) })).catch(() => null)
    assert.ok(large === null || large.status === 413)
    await file.close()
    await assert.rejects(ask(bearer, question))
  })

  test('closing the file ends a question that runs', { timeout: 10_000 }, async (context) => {
    const file = await openedIn(context)
    await serveWarehouse(file)
    const endless =
      'SELECT count(*) FROM range(1000000000) a, range(1000000) b WHERE a.range = -b.range'
    const asking = query(file.path, endless)
    asking.catch(() => {})
    await new Promise((resolve) => setTimeout(resolve, 200))
    await file.close()
    await assert.rejects(asking)
  })

  test('an owner that closes leaves the note of the next one alone', async (context) => {
    const file = await openedIn(context)
    const owner = await serveWarehouse(file)
    const next = { ...noteOf(file), token: 'y'.repeat(64) }
    writeFileSync(`${file.path}.owner.json`, JSON.stringify(next))
    await owner.close()
    await owner.close()
    assert.deepEqual(noteOf(file), next)
    await file.close()
  })
})
