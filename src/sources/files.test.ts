import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { messagesOf } from '../core/message.ts'
import { type FilesOptions, filesPart } from './files.ts'
import { type Contents, lines, readAll, refused, workshop, write } from './files-workshop.ts'
import { sourceContract } from './source.contract.ts'

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
