import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { readRows } from './data.ts'
import { checkRowsFile, writeRowsFile } from './data-write.ts'

describe('a file of rows', () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-rows-'))
  const path = (name: string) => join(directory, name)
  after(() => rmSync(directory, { recursive: true, force: true }))

  const rows = [
    { id: 1, "it's": 0.5, big: 2 ** 40, is: true, text: 'a "b"\nc', inner: { x: [1] }, gone: null },
    { id: -2, "it's": 3, big: 1, is: false, text: '2025-01-02', inner: null, gone: null },
    { id: 3, "it's": null, big: null, is: null, text: null, inner: 'x', more: 1 },
  ]
  async function* given() {
    yield* rows
  }
  const read = async (name: string) =>
    Array.fromAsync(readRows(path(name)), ({ values }) => ({ ...values }))

  it('is read as it was written, packed or not', async () => {
    for (const name of ['a.ndjson', 'a.jsonl.gz']) {
      assert.equal(await writeRowsFile(path(name), given()), 3)
      assert.deepEqual(await read(name), rows)
    }
  })

  it('has a type for each column, as Parquet', async () => {
    assert.equal(await writeRowsFile(path('a.parquet'), given()), 3)
    const found = await read('a.parquet')
    const whole = rows.map((row) => ({ ...row, gone: null, more: 'more' in row ? row.more : null }))
    // What is of no one kind is JSON.
    assert.deepEqual(found, whole)
  })

  it('is there whole or not at all', async () => {
    async function* broken() {
      yield { id: 1 }
      throw new RangeError('no more')
    }
    for (const name of ['b.ndjson', 'b.parquet']) {
      await assert.rejects(writeRowsFile(path(name), broken()), { message: 'no more' })
    }
    async function* none() {}
    await assert.rejects(writeRowsFile(path('b.parquet'), none()), { code: 'OPTIONS_INVALID' })
    assert.deepEqual(
      readdirSync(directory).filter((name) => name.startsWith('b')),
      [],
    )
    assert.throws(() => checkRowsFile('b.csv'), { code: 'OPTIONS_INVALID' })
    checkRowsFile('b.parquet')
  })

  it('is refused, by its path, where no file can be', async () => {
    await writeRowsFile(path('c.ndjson'), given())
    mkdirSync(path('folder.ndjson'))
    const refused: [string, RegExp][] = [
      ...['none/c.ndjson', 'none/c.ndjson.gz', 'none/c.parquet', 'c.ndjson/c.ndjson'].map(
        (name): [string, RegExp] => [name, /there is no folder .*(none|c.ndjson) to write it to/],
      ),
      ['folder.ndjson', /folder.ndjson: it is a folder/],
      // The name is allowed, that of the part of it is too long.
      [`${'c'.repeat(247)}.ndjson`, /ccc.ndjson.*: it cannot be written: ENAMETOOLONG/],
      [`${'c'.repeat(244)}.ndjson.gz`, /ccc.ndjson.gz.*: it cannot be written: ENAMETOOLONG/],
    ]
    for (const [name, message] of refused) {
      await assert.rejects(writeRowsFile(path(name), given()), { code: 'OPTIONS_INVALID', message })
    }
  })
})
