import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { codeOf } from '../core/errors.ts'
import { openWarehouseFile } from '../sinks/duckdb-file.ts'
import { openWorkshop, type Workshop } from './cli-testing.ts'
import { sqlCommand } from './sql.ts'

describe('millrace sql', () => {
  let shop: Workshop
  const run = (...words: string[]) => shop.run(sqlCommand(shop.context), ...words)

  before(async () => {
    shop = await openWorkshop()
    const missing = run('SELECT 1')
    await assert.rejects(missing, (error) => codeOf(error) === 'WAREHOUSE_MISSING')
    const file = await openWarehouseFile(join(shop.directory, 'warehouse.duckdb'))
    const connection = await file.connect()
    await connection.run(`CREATE TABLE mails AS
      SELECT * FROM (VALUES (2002, 'ham', NULL), (12345678, 'spam', 'x')) AS t(year, label, note)`)
    connection.closeSync()
    await file.close()
  })
  after(() => shop.close())

  test('prints a table for people', async () => {
    const text = await run('SELECT * FROM mails ORDER BY year')
    assert.equal(text, '    year  label  note\n    2002  ham    -\n12345678  spam   x')
    assert.deepEqual(shop.said, ['2 rows'])
  })

  test('prints one line of JSON', async () => {
    const text = await run('SELECT label, count(*) AS n FROM mails GROUP BY 1 ORDER BY 1', '--json')
    const { columns, rows } = JSON.parse(text)
    assert.deepEqual(
      columns.map(({ name }: { name: string }) => name),
      ['label', 'n'],
    )
    assert.deepEqual(rows, [
      ['ham', 1],
      ['spam', 1],
    ])
  })

  test('asks another file, and passes on what is wrong', async () => {
    const path = join(shop.directory, 'warehouse.duckdb')
    assert.equal(await run('SELECT 42 AS n', '--path', path), ' n\n42')
    await assert.rejects(run('SELEC 1'), (error) => codeOf(error) === 'SQL_INVALID')
    await assert.rejects(run('DROP TABLE mails'), (error) => codeOf(error) === 'SQL_INVALID')
  })
})
