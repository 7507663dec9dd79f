import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { crc32, gzipSync } from 'node:zlib'
import { systemClock } from '../core/clock.ts'
import { codeOf, messageOf } from '../core/errors.ts'
import { messagesOf } from '../core/message.ts'
import { seededRandom } from '../core/random.ts'
import { type FilesOptions, files, filesPart } from './files.ts'
import { sourceContract } from './source.contract.ts'

type Contents = Readonly<Record<string, string | Buffer>>

function write(directory: string, contents: Contents): void {
  for (const [name, content] of Object.entries(contents)) {
    const path = join(directory, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
  }
}

const lines = (from: number, to: number) =>
  Array.from(
    { length: to - from },
    (_, index) => `{"n":${from + index},"text":"line é ${index}"}\n`,
  )

/** A case of the contract: some files, then options with paths in the folder that holds them. */
function fileCase(
  name: string,
  messages: number,
  contents: Contents,
  more: Partial<FilesOptions> & { unreadable?: number } = {},
) {
  const { unreadable = 0, path = '.', ...options } = more
  return {
    name,
    messages,
    unreadable,
    options(directory: string) {
      write(directory, contents)
      const paths = typeof path === 'string' ? [path] : path
      return { ...options, path: paths.map((one) => join(directory, one)) }
    },
  }
}

const csv = [
  'id,text,note\r\n',
  '1,"hello, ""you""",x\r\n',
  '2,"two\r\nlines\n\nand more",\r\n',
  '\r\n',
  '3,too,many,fields\r\n',
  '4,"closed" wrongly,x\r\n',
  '5,5" pipe,x\r\n',
  '6,"",""\r\n',
  '7,few\r\n',
  '8,last,"row"',
].join('')

const binary = Buffer.concat([
  Buffer.from('{"ok":1}\n{"bad":"'),
  Buffer.from([0xff, 0xfe, 0x80]),
  Buffer.from('"}\n\n   \r\nnot json at all\r\n{"ok":2}'),
])

sourceContract(filesPart, [
  fileCase('ndjson', 20, { 'a.ndjson': lines(0, 20).join('') }, { path: 'a.ndjson' }),
  fileCase('ndjson with odd bytes', 4, { 'a.ndjson': binary }),
  fileCase('csv', 5, { 'a.csv': csv }, { unreadable: 3 }),
  fileCase(
    'csv.gz with a byte order mark',
    5,
    { 'a.csv.gz': gzipSync(`\ufeff${csv}`) },
    { unreadable: 3 },
  ),
  fileCase(
    'tsv without header',
    3,
    { 'a.tsv': '1\t"a\n2\tb"\n3\tc\n4\n' },
    { columns: ['n', 'text'], unreadable: 1 },
  ),
  fileCase(
    'text in windows-1252',
    3,
    { 'a.txt': Buffer.from('caf\xe9\n\nna\xefve\n\x80 5\n', 'latin1') },
    { encoding: 'windows-1252' },
  ),
  fileCase('a folder of all', 30, {
    'b/2.ndjson.gz': Buffer.concat([
      gzipSync(lines(10, 15).join('')),
      gzipSync(lines(15, 20).join('')),
    ]),
    'b/1.jsonl': lines(0, 10).join(''),
    'b/empty.ndjson': '',
    'b/.hidden.ndjson': 'x\n',
    'c.csv': `n,text\n${Array.from({ length: 10 }, (_, n) => `${n},x\n`).join('')}`,
    'notes.md': 'not data\n',
  }),
  fileCase(
    'a glob',
    7,
    { 'x/a.log': 'a\nb\n', 'x/y/b.log': 'c\nd\n', 'x/y/z/c.log': 'e\nf\ng' },
    { path: 'x/**/*.log' },
  ),
  fileCase('nothing in it', 0, { 'a.csv': '' }),
])

/** Opens a source in a folder with these files; everything is gone after the test. */
function workshop(context: TestContext, contents: Contents) {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-files-'))
  const controller = new AbortController()
  context.after(() => {
    controller.abort()
    rmSync(directory, { recursive: true, force: true })
  })
  write(directory, contents)
  const open = (options: Partial<FilesOptions> = {}, position?: unknown) => {
    const { path = '.', ...others } = options
    const paths = typeof path === 'string' ? [path] : path
    const use = files({ ...others, path: paths.map((one) => join(directory, one)) })
    return use.open({ position, clock: systemClock, signal: controller.signal })
  }
  return { directory, open, controller }
}

async function readAll(opening: ReturnType<ReturnType<typeof workshop>['open']>) {
  const reader = await opening
  const values: string[] = []
  const ids: string[] = []
  const unreadable: string[] = []
  let position: unknown
  for (;;) {
    const batch = await reader.read(1000)
    if (batch === undefined) break
    position = batch.position
    for (const message of messagesOf(batch.batch)) {
      values.push(message.value!.toString())
      ids.push(message.id)
    }
    unreadable.push(...batch.unreadable.map(({ reason }) => reason))
  }
  await reader.close()
  return { values, ids, unreadable, position }
}

const refused =
  (pattern: RegExp, code = 'SOURCE_UNREADABLE') =>
  (error: unknown) => {
    assert.equal(codeOf(error), code)
    assert.match(messageOf(error), pattern)
    return true
  }

describe('files: what rows become', () => {
  test('csv: objects of strings, in the order of the columns; bad rows say why', async (context) => {
    const { open } = workshop(context, { 'a.csv': `\ufeff${csv}` })
    const { values, ids, unreadable } = await readAll(open())
    assert.deepEqual(
      values.map((value) => JSON.parse(value)),
      [
        { id: '1', text: 'hello, "you"', note: 'x' },
        { id: '2', text: 'two\r\nlines\n\nand more', note: '' },
        { id: '5', text: '5" pipe', note: 'x' },
        { id: '6', text: '', note: '' },
        { id: '8', text: 'last', note: 'row' },
      ],
    )
    assert.deepEqual(
      ids.map((id) => id.split(':').at(-1)),
      ['2', '3', '10', '11', '13'],
    )
    assert.match(unreadable[0]!, /a\.csv:8: it has 4 fields, not 3/)
    assert.match(unreadable[1]!, /a\.csv:9: there is text behind a closing quote/)
    assert.match(unreadable[2]!, /a\.csv:12: it has 2 fields, not 3/)
  })

  test('csv: a quote that never closes spoils its own line only', async (context) => {
    const { open } = workshop(context, { 'a.csv': 'a,b\n1,"open\n2,x\n3,y\n' })
    const { values, unreadable } = await readAll(open())
    assert.deepEqual(values, ['{"a":"2","b":"x"}', '{"a":"3","b":"y"}'])
    assert.match(unreadable.join(), /:2: a quote is opened and never closed/)
  })

  test('csv: bytes that are not UTF-8 spoil their own row only', async (context) => {
    const bytes = Buffer.concat([
      Buffer.from('a\nx\n'),
      Buffer.from([0xff, 10]),
      Buffer.from('y\n'),
    ])
    const { open } = workshop(context, { 'a.csv': bytes })
    const { values, unreadable } = await readAll(open())
    assert.deepEqual(values, ['{"a":"x"}', '{"a":"y"}'])
    assert.match(unreadable.join(), /not valid UTF-8.*'encoding'/)
  })

  test('ndjson: bytes as they are, blank lines passed over', async (context) => {
    const { open } = workshop(context, { 'a.ndjson': binary })
    const reader = await open()
    const values: string[] = []
    for (let batch = await reader.read(10); batch !== undefined; batch = await reader.read(10)) {
      values.push(...messagesOf(batch.batch).map(({ value }) => value!.toString('latin1')))
    }
    assert.deepEqual(values, ['{"ok":1}', '{"bad":"\xff\xfe\x80"}', 'not json at all', '{"ok":2}'])
    await reader.close()
  })

  test('utf-16 is named when it is met, and read when it is asked for', async (context) => {
    const { open } = workshop(context, { 'a.csv': Buffer.from('\ufeffa,b\nß,2\n', 'utf16le') })
    await assert.rejects(readAll(open()), refused(/is not UTF-8: set encoding: 'utf-16le'/))
    assert.deepEqual((await readAll(open({ encoding: 'utf-16le' }))).values, ['{"a":"ß","b":"2"}'])
  })

  test('a line of more than 64 MiB is unreadable, its neighbours are not', async (context) => {
    const huge = Buffer.alloc(65 * 1024 * 1024, 'x')
    const content = Buffer.concat([Buffer.from('1\n'), huge, Buffer.from('\n2\n3')])
    const { open } = workshop(context, { 'a.ndjson': content })
    const { values, ids, unreadable } = await readAll(open())
    assert.deepEqual([values.length, values.at(0), values.at(-1)], [3, '1', '3'])
    assert.match(ids.at(-1)!, /:4$/)
    assert.match(unreadable.join(), /a\.ndjson:2: it is longer than 64 MiB/)
  })

  test('files come in the order of code points, not of UTF-16 units', async (context) => {
    const { open } = workshop(context, { '\u{1f600}.txt': 'emoji', '\uff5e.txt': 'tilde' })
    assert.deepEqual((await readAll(open())).values, ['"tilde"', '"emoji"'])
  })
})

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
