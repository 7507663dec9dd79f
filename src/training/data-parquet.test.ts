import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { after, describe, it, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { readLabelled, readRowBatches, readRows } from './data.ts'
import { folderWith, refusedData, refusedOption } from './data-workshop.ts'

let database: DuckDBInstance | undefined
after(() => database?.closeSync())

/** Writes the rows of a query as Parquet, by DuckDB: another implementation than the reader's. */
async function parquet(context: TestContext, query: string, settings = ''): Promise<string> {
  const path = folderWith(context, { keep: '' })('a.parquet')
  database ??= await DuckDBInstance.create(':memory:')
  const connection = await database.connect()
  await connection.run(`COPY (${query}) TO '${path}' (FORMAT parquet ${settings})`)
  connection.closeSync()
  return path
}

const numbered =
  "SELECT 'text ' || i || ' caf\u00e9' AS text, i % 3 AS label, i > 4 AS flag, i AS more FROM range(5000) t(i)"

describe('training data: Parquet', () => {
  for (const codec of ['uncompressed', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4_raw']) {
    it(`reads ${codec}, row group by row group`, async (t) => {
      const path = await parquet(t, numbered, `, COMPRESSION ${codec}, ROW_GROUP_SIZE 2048`)
      const { texts, labels, fingerprint } = await readLabelled(path)
      assert.equal(texts.length, 5000)
      assert.equal(texts[4999], 'text 4999 caf\u00e9')
      assert.deepEqual(labels.slice(0, 4), ['0', '1', '2', '0'])
      assert.equal(fingerprint.sha256.length, 64)
      const places = []
      for await (const { where } of readRows(path)) places.push(where)
      assert.equal(places[0], `${path} row 1`)
      assert.equal(places[4999], `${path} row 5000`)
    })
  }

  it('reads a gzipped file, booleans as labels, only the columns that are wanted', async (t) => {
    const path = await parquet(t, numbered)
    const zipped = `${path}.gz`
    writeFileSync(zipped, gzipSync(readFileSync(path)))
    const { labels } = await readLabelled(zipped, { label: 'flag' })
    assert.deepEqual(labels.slice(4, 6), ['false', 'true'])
    for await (const batch of readRowBatches(path, { select: ['more'] })) {
      assert.ok(batch.length <= 1000)
      assert.deepEqual(Object.keys(batch[0]!.values), ['more'])
    }
    writeFileSync(zipped, readFileSync(zipped).subarray(0, 500))
    await assert.rejects(readLabelled(zipped), refusedData(/cannot be read: unexpected end/))
  })

  it('reads timestamps, and names rows without label or text', async (t) => {
    const query =
      "SELECT 'a' AS text, 'x' AS label, TIMESTAMP '2015-02-24 11:35:52' AS at, DATE '2015-02-24' AS day UNION ALL SELECT NULL, NULL, NULL, NULL"
    const path = await parquet(t, query)
    const skip = { unlabelled: 'skip' } as const
    const { timesMs } = await readLabelled(path, { ...skip, time: 'at' })
    assert.deepEqual([...timesMs!], [Date.UTC(2015, 1, 24, 11, 35, 52)])
    const { timesMs: days } = await readLabelled(path, { ...skip, time: 'day' })
    assert.deepEqual([...days!], [Date.UTC(2015, 1, 24)])
    await assert.rejects(readLabelled(path), refusedData(/1 of 2 rows .*no label.*\(row 2\)/))
    const nan = await parquet(t, "SELECT 'a' AS text, 'nan'::DOUBLE AS label")
    await assert.rejects(readLabelled(nan), refusedData(/1 of 1 rows .*no label/))
    await assert.rejects(
      readLabelled(path, { text: 'txt' }),
      refusedData(/no column 'txt', did you mean 'text'\? \(columns: text, label, at, day\)/),
    )
  })

  it('says what is wrong with a file', async (t) => {
    const path = await parquet(t, numbered)
    const whole = readFileSync(path)
    writeFileSync(path, whole.subarray(0, whole.length - 20))
    await assert.rejects(readLabelled(path), refusedData(/is no whole Parquet file: /))
    writeFileSync(path, 'text,label\n')
    await assert.rejects(readLabelled(path), refusedData(/is no whole Parquet file: /))
    writeFileSync(path, '')
    await assert.rejects(readLabelled(path), refusedData(/is no whole Parquet file: /))
    const damaged = Buffer.from(whole)
    damaged.fill(0xff, 4, 2000)
    writeFileSync(path, damaged)
    await assert.rejects(readLabelled(path), refusedData(/row group 1: /))
    const columns = readLabelled(path, { columns: ['a'] })
    await assert.rejects(columns, refusedOption(/'columns' means nothing for Parquet/))
    const empty = await parquet(t, `${numbered} WHERE i < 0`)
    await assert.rejects(readLabelled(empty), refusedData(/holds no rows/))
  })
})
