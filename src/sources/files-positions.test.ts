import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { crc32, gzipSync } from 'node:zlib'
import { seededRandom } from '../core/random.ts'
import { lines, readAll, refused, workshop, write } from './files-workshop.ts'

describe('files: more than is read at once', () => {
  const random = seededRandom(7)
  const words = ['a', 'é', '"', '\n', '\r\n', ',', ' ', '\u{1f600}', '']
  const field = () => {
    const length = Math.floor(random() * 60)
    return Array.from({ length }, () => words[Math.floor(random() * words.length)]).join('')
  }
  const rows = Array.from({ length: 20_000 }, (_, n) => ({ n: String(n), a: field(), b: field() }))
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
  const asCsv = rows.map(({ n, a, b }) => `${n},${quoted(a)},${quoted(b)}\r\n`).join('')
  const asNdjson = rows.map((row) => `${JSON.stringify(row)}\n`).join('')
  const expected = rows.map((row) => JSON.stringify(row))

  for (const [name, content] of [
    ['a.csv', `n,a,b\n${asCsv}`],
    ['a.csv.gz', gzipSync(`n,a,b\n${asCsv}`)],
    ['a.ndjson', asNdjson],
  ] as const) {
    test(`${name}: every row, also from the middle`, async (context) => {
      const { open } = workshop(context, { [name]: content })
      const all = await readAll(open())
      assert.equal(all.values.join('\n') === expected.join('\n'), true)
      const reader = await open()
      let count = 0
      let position: unknown
      while (count < 15_000) {
        const batch = await reader.read(777)
        count += batch!.batch.count
        position = batch!.position
      }
      await reader.close()
      const rest = await readAll(open({}, position))
      assert.equal(rest.values.join('\n') === expected.slice(count).join('\n'), true)
      assert.deepEqual(rest.ids, all.ids.slice(count))
    })
  }
})

describe('files: positions', () => {
  test('each tells what lies before it, also right behind the edge of a read', async (context) => {
    const bytes = Buffer.from(lines(0, 40_000).join(''))
    const { open } = workshop(context, { 'a.ndjson': bytes })
    const reader = await open()
    for (let batch = await reader.read(1); batch !== undefined; batch = await reader.read(1)) {
      const { mark } = batch.position as { mark: { offset: number; checksum: number } }
      const before = bytes.subarray(Math.max(0, mark.offset - 256), mark.offset)
      assert.equal(mark.checksum, crc32(before), `at ${mark.offset}`)
    }
    await reader.close()
  })
})

describe('files: what cannot be read', () => {
  test('a missing path names the nearest one', async (context) => {
    const { open } = workshop(context, { 'data/tweets.csv': 'a\n' })
    await assert.rejects(open({ path: 'data/tweet.csv' }), refused(/did you mean 'tweets.csv'/))
    await assert.rejects(open({ path: 'date/tweets.csv' }), refused(/did you mean 'data'/))
    await assert.rejects(open({ path: '*.csv' }), refused(/nothing matches/))
  })

  test('an unknown extension asks for the format', async (context) => {
    const { open } = workshop(context, { 'a.dat': '1\n' })
    const reader = await open({ path: 'a.dat' })
    await assert.rejects(reader.read(1), refused(/set format/, 'OPTIONS_INVALID'))
    await assert.rejects(open(), refused(/holds no file to read/))
    assert.deepEqual((await readAll(open({ format: 'lines' }))).values, ['"1"'])
  })

  test('a header that names a column twice', async (context) => {
    const { open } = workshop(context, { 'a.csv': 'a,b,a\n1,2,3\n' })
    await assert.rejects(readAll(open()), refused(/the column 'a' twice/))
  })

  test('a gzip file that is cut short or damaged; rows before it come', async (context) => {
    const whole = gzipSync(lines(0, 20_000).join(''))
    const damaged = Buffer.from(whole)
    damaged.writeUInt32LE(0, damaged.length - 8)
    const { open } = workshop(context, {
      'cut.ndjson.gz': whole.subarray(0, whole.length - 1000),
      'damaged.ndjson.gz': damaged,
    })
    for (const [path, pattern] of [
      ['cut.ndjson.gz', /cut short/],
      ['damaged.ndjson.gz', /cannot be read/],
    ] as const) {
      const reader = await open({ path })
      let rows = 0
      const all = async () => {
        for (;;) rows += (await reader.read(1000))?.batch.count ?? 0
      }
      await assert.rejects(all(), refused(pattern))
      assert.ok(rows > 1000, `${rows} rows`)
      await reader.close()
    }
  })
})

describe('files: what changed since', () => {
  test('lines that were added come, with the ids that follow', async (context) => {
    const { directory, open } = workshop(context, { 'a.ndjson': '1\n2\n' })
    const { position } = await readAll(open())
    write(directory, { 'a.ndjson': '1\n2\n3\n' })
    const { values, ids } = await readAll(open({}, position))
    assert.deepEqual(values, ['3'])
    assert.match(ids[0]!, /:3$/)
  })

  test('a file that shrank, was replaced or is gone is refused', async (context) => {
    const { directory, open } = workshop(context, { 'a.ndjson': '{"a":1}\n{"a":2}\n' })
    const { position } = await readAll(open())
    write(directory, { 'a.ndjson': '{"a":1}\n' })
    await assert.rejects(open({}, position), refused(/ends at byte 8.*shrank or was replaced/))
    write(directory, { 'a.ndjson': '{"b":1}\n{"a":2}\n{"a":3}\n' })
    await assert.rejects(open({}, position), refused(/something else before byte 16/))
    rmSync(join(directory, 'a.ndjson'))
    write(directory, { 'b.ndjson': '1\n' })
    await assert.rejects(open({}, position), refused(/is not there now/))
  })

  test('a last line that was read before it was whole is refused, not given twice', async (context) => {
    const { directory, open } = workshop(context, { 'a.ndjson': '1\n2' })
    const { position } = await readAll(open())
    write(directory, { 'a.ndjson': '1\n234\n' })
    await assert.rejects(open({}, position), refused(/line 2\) was read before its end/))
    write(directory, { 'a.ndjson': '1\n2\n3\n' })
    assert.match((await readAll(open({}, position))).ids.join(), /:3$/)
  })

  test('a file that sorts before the one read is refused', async (context) => {
    const { directory, open } = workshop(context, { 'b.ndjson': '1\n2\n' })
    const { position } = await readAll(open())
    write(directory, { 'a.ndjson': '0\n', 'c.ndjson': '3\n' })
    await assert.rejects(open({}, position), refused(/appeared before '.*b.ndjson'/))
    rmSync(join(directory, 'a.ndjson'))
    assert.deepEqual((await readAll(open({}, position))).values, ['3'])
  })
})
