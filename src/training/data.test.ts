import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { describe, it, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type LabelledOptions, readLabelled, readRowBatches, readRows } from './data.ts'
import { folderWith, refusedData, refusedOption } from './data-workshop.ts'

/** Reads one file of this name and content. */
function labelled(
  context: TestContext,
  name: string,
  content: string | Buffer,
  options?: LabelledOptions,
) {
  return readLabelled(folderWith(context, { [name]: content })(name), options)
}

const pairs = ({ texts, labels }: { texts: readonly string[]; labels: readonly string[] }) =>
  texts.map((text, row) => [text, labels[row]])

const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex')

describe('training data: CSV and TSV', () => {
  const csv =
    '\ufefflabel,text\r\nspam,"buy, now\r\nor ""never"""\r\nham,h\u00e9llo \u{1f600}\r\n\r\n0,"a\nb"\r\n'
  const expected = [
    ['buy, now\r\nor "never"', 'spam'],
    ['h\u00e9llo \u{1f600}', 'ham'],
    ['a\nb', '0'],
  ]

  for (const name of ['a.csv', 'a.csv.gz']) {
    it(`reads ${name}: byte order mark, CRLF, quoted newlines, blank lines`, async (t) => {
      const bytes = name.endsWith('.gz') ? gzipSync(csv) : Buffer.from(csv)
      const rows = await labelled(t, name, bytes)
      assert.deepEqual(pairs(rows), expected)
      const file = { name, sha256: sha256(bytes), sizeBytes: bytes.length }
      assert.deepEqual(rows.fingerprint, { files: [file], rows: 3, sha256: sha256(bytes) })
      assert.deepEqual(rows.skipped, { unlabelled: 0, textless: 0 })
      assert.deepEqual(rows.notes, [])
      assert.ok(!('timesMs' in rows))
    })
  }

  it('reads TSV without quotes', async (t) => {
    const rows = await labelled(t, 'a.tsv', 'text\tlabel\n"half\tx\nwhole, "with" quotes"\ty\n')
    assert.deepEqual(pairs(rows), [
      ['"half', 'x'],
      ['whole, "with" quotes"', 'y'],
    ])
  })

  it('takes columns for a file without header, and another delimiter', async (t) => {
    const options = { columns: ['label', 'text'], delimiter: ';', format: 'csv' } as const
    assert.deepEqual(pairs(await labelled(t, 'data.bin', '1;one\n2;two', options)), [
      ['one', '1'],
      ['two', '2'],
    ])
  })

  it('joins several text columns by a newline, without those that are empty', async (t) => {
    const csv = 'title,description,l\nA,b,1\n,c,0\n'
    const rows = await labelled(t, 'a.csv', csv, { text: 'title, description', label: 'l' })
    assert.deepEqual(rows.texts, ['A\nb', 'c'])
    const own = await labelled(t, 'b.tsv', 'a,b\tl\nx\ty\n', { text: 'a,b', label: 'l' })
    assert.deepEqual(own.texts, ['x'])
  })

  it('reads other encodings, and a NUL in a text', async (t) => {
    const latin = Buffer.from('text,label\ncaf\u00e9,1\n', 'latin1')
    const { texts } = await labelled(t, 'a.csv', latin, { encoding: 'windows-1252' })
    assert.deepEqual(texts, ['caf\u00e9'])
    await assert.rejects(labelled(t, 'a.csv', latin), refusedData(/a\.csv:2: .*not valid UTF-8/))
    const nul = `text,label\na\0b,1\n${'filler,0\n'.repeat(50)}`
    assert.equal((await labelled(t, 'b.csv', nul)).texts[0], 'a\0b')
  })

  it('names the line of a row that cannot be read, or hands it to who asks for it', async (t) => {
    const csv = 'text,label\n"a\nb",1\nc,2,3\nd,4\n'
    const expected = /a\.csv:4: it has 3 fields, not 2 as the columns say/
    await assert.rejects(labelled(t, 'a.csv', csv), refusedData(expected))
    const unreadable: string[] = []
    const onUnreadable = (reason: string) => unreadable.push(reason)
    const rows = await labelled(t, 'a.csv', csv, { onUnreadable })
    assert.deepEqual(rows.labels, ['1', '4'])
    assert.match(unreadable.join(), expected)
    await assert.rejects(
      labelled(t, 'b.csv', 'text,label\n"never closed,1\n'),
      refusedData(/b\.csv:2: a quote is opened and never closed/),
    )
  })

  it('names the columns there are, the nearest one, and a delimiter that was not guessed', async (t) => {
    await assert.rejects(
      labelled(t, 'a.csv', 'txet,label\nx,1\n'),
      refusedData(/a\.csv' has no column 'text', did you mean 'txet'\? \(columns: txet, label\)$/),
    )
    await assert.rejects(
      labelled(t, 'a.csv', 'text;label\nx;1\n'),
      refusedData(/columns: text;label\); is ';' its delimiter\?/),
    )
    await assert.rejects(
      labelled(t, 'a.csv', 'text,label\nx,1\n', { time: 'at' }),
      refusedData(/no column 'at'/),
    )
  })

  it('holds no rows', async (t) => {
    await assert.rejects(
      labelled(t, 'a.csv', ''),
      refusedData(/a\.csv' holds no rows: it is empty/),
    )
    await assert.rejects(labelled(t, 'a.csv', '\n\n'), refusedData(/holds no rows: .*no.*header/))
    await assert.rejects(
      labelled(t, 'a.csv', 'text,label\n'),
      refusedData(/a\.csv' holds no rows$/),
    )
    await assert.rejects(labelled(t, 'a.ndjson.gz', gzipSync('')), refusedData(/holds no rows/))
  })
})

describe('training data: NDJSON', () => {
  it('takes labels that are numbers or booleans as their strings', async (t) => {
    const labels = [0, 1, true, 1.5, 'x']
    const lines = labels.map((label) => JSON.stringify({ label, text: 't' })).join('\n')
    assert.deepEqual((await labelled(t, 'a.jsonl', lines)).labels, ['0', '1', 'true', '1.5', 'x'])
  })

  it('reads a text of 10 MB', async (t) => {
    const text = 'lorem ipsum "dolor"\n'.repeat(500_000)
    const lines = `${JSON.stringify({ text, label: 'long' })}\n{"text":"short","label":"short"}\n`
    const rows = await labelled(t, 'a.ndjson.gz', gzipSync(lines, { level: 1 }))
    assert.ok(rows.texts[0] === text)
    assert.deepEqual(rows.labels, ['long', 'short'])
  })

  it('names a line that is no JSON object, and shows its beginning', async (t) => {
    const start = '{"text":"a","label":"b"}\n'
    const long = `{"text": ${'x'.repeat(100)}`
    await assert.rejects(labelled(t, 'a.ndjson', start + long), (error: Error) => {
      assert.match(error.message, /a\.ndjson:2: it is not JSON but '\{"text": x{71}\.\.\.'/)
      return true
    })
    const array = labelled(t, 'a.ndjson', '[{"text":"a","label":"b"}]\n')
    await assert.rejects(array, refusedData(/a\.ndjson:1: .*without the array around/))
    await assert.rejects(labelled(t, 'a.ndjson', '5\n'), refusedData(/:1: it is no JSON object/))
  })

  it('names the row that lacks a field', async (t) => {
    const lines = '{"text":"a","label":1}\n{"text":"b","lable":1}\n'
    const expected =
      /a\.ndjson:2 has no field 'label', did you mean 'lable'\? \(columns: text, lable\)/
    await assert.rejects(labelled(t, 'a.ndjson', lines), refusedData(expected))
    const inherited = labelled(t, 'a.ndjson', '{"text":"a"}\n', { label: 'constructor' })
    await assert.rejects(inherited, refusedData(/no field 'constructor'/))
  })

  const gaps =
    '{"text":"a","label":"x"}\n{"text":"b","label":""}\n{"text":null,"label":"y"}\n{"text":"d","label":null}\n'

  it('refuses rows without label or text, naming the first and how many there are', async (t) => {
    await assert.rejects(
      labelled(t, 'a.ndjson', gaps),
      refusedData(
        /2 of 4 rows of '.*a\.ndjson' have no label in 'label' \(line 2, line 4\); .*'skip'/,
      ),
    )
    await assert.rejects(
      labelled(t, 'a.ndjson', gaps, { unlabelled: 'skip' }),
      refusedData(/1 of 4 rows of '.*' have no text in 'text' \(line 3\)/),
    )
    await assert.rejects(
      labelled(t, 'a.ndjson', '{"text":"a","label":{"x":1}}\n'),
      refusedData(/what cannot be a label \(line 1: \{"x":1\}\)/),
    )
    await assert.rejects(
      labelled(t, 'a.ndjson', '{"text":7,"label":"a"}\n'),
      refusedData(/1 of 1 rows .* have no text/),
    )
    const many = '{"text":"a","label":""}\n'.repeat(7)
    await assert.rejects(labelled(t, 'a.ndjson', many), refusedData(/line 5, \.\.\.\)/))
  })

  it('passes them over when told to, and counts them', async (t) => {
    const options = { unlabelled: 'skip', textless: 'skip' } as const
    const rows = await labelled(t, 'a.ndjson', gaps, options)
    assert.deepEqual(pairs(rows), [['a', 'x']])
    assert.deepEqual(rows.skipped, { unlabelled: 2, textless: 1 })
    assert.equal(rows.fingerprint.rows, 4)
    await assert.rejects(
      labelled(t, 'a.ndjson', '{"text":"a","label":""}\n', options),
      refusedData(/holds no row with text and label: of 1, 1 have no label/),
    )
  })

  it('reads times, says how, and names those it cannot read', async (t) => {
    const of = (...times: unknown[]) =>
      times.map((at) => `${JSON.stringify({ text: '', label: 'a', at })}\n`).join('')
    const rows = await labelled(t, 'a.ndjson', of(1424806552, '1424806553.5'), { time: 'at' })
    assert.deepEqual([...rows.timesMs!], [1424806552000, 1424806553500])
    assert.deepEqual(rows.notes, [
      'times are numbers, read as seconds since 1970',
      'texts that are empty: 2',
    ])
    await assert.rejects(
      labelled(t, 'a.ndjson', of('2015-02-24', 'soon', null), { time: 'at' }),
      refusedData(
        /2 of 3 rows .* no time in 'at' .*\(line 2: 'soon', line 3: null\); known are 2015/,
      ),
    )
    await assert.rejects(
      labelled(t, 'a.ndjson', of('2015-02-24', 5), { time: 'at' }),
      refusedData(/numbers and dates mixed in 'at'/),
    )
  })
})

describe('training data: what is no data', () => {
  it('a file that is not there, with the nearest name', async (t) => {
    const at = folderWith(t, { 'tweets.csv': 'a' })
    await assert.rejects(
      readLabelled(at('twets.csv')),
      refusedData(/^data: '.*' does not exist: .* did you mean 'tweets\.csv'\?/),
    )
  })

  it('a binary file, an archive, UTF-16', async (t) => {
    const binary = Buffer.from([0x89, 0x50, 0, 0, 0, 0x0d, 0xff, 0xfe, 0, 1, 2, 3])
    await assert.rejects(labelled(t, 'a.csv', binary), refusedData(/does not look like text/))
    const zip = Buffer.from('PK\x03\x04 and so on')
    await assert.rejects(labelled(t, 'a.csv', zip), refusedData(/is a zip archive/))
    await assert.rejects(labelled(t, 'a.csv', gzipSync('a')), refusedData(/is gzipped/))
    await assert.rejects(
      labelled(t, 'a.csv', Buffer.from('PAR1')),
      refusedData(/Parquet file: set/),
    )
    const wide = Buffer.from('text,label\na,b\n', 'utf16le')
    await assert.rejects(labelled(t, 'a.csv', wide), refusedData(/UTF-16, set encoding/))
    const { texts } = await labelled(t, 'a.csv', wide, { encoding: 'utf-16le' })
    assert.deepEqual(texts, ['a'])
  })

  it('a gzip file that is cut short, or none at all', async (t) => {
    const bytes = gzipSync(`text,label\n${'abc def,x\n'.repeat(2000)}`)
    for (const length of [bytes.length - 4, bytes.length - 30, 12]) {
      const part = labelled(t, 'a.csv.gz', bytes.subarray(0, length))
      await assert.rejects(part, refusedData(/a\.csv\.gz' is cut short/))
    }
    const none = labelled(t, 'a.csv.gz', 'text,label\na,b\n')
    await assert.rejects(none, refusedData(/a\.csv\.gz' cannot be read: incorrect header/))
  })

  it('a file whose name says nothing, and options that mean nothing', async (t) => {
    const unknown = labelled(t, 'a.data', 'text,label\na,b\n')
    await assert.rejects(
      unknown,
      refusedOption(/'.*a\.data' does not tell .* csv, tsv, ndjson, parquet/),
    )
    const ndjson = labelled(t, 'a.ndjson', '{}', { columns: ['a'] })
    await assert.rejects(ndjson, refusedOption(/'columns' means nothing for NDJSON/))
    const latin = labelled(t, 'a.csv', 'a', { encoding: 'latin-1' })
    await assert.rejects(latin, refusedOption(/windows-1252/))
  })
})

describe('training data: row by row', () => {
  const csv = `text,label,more\n${Array.from({ length: 2500 }, (_, row) => `t${row},x,y\n`).join('')}`

  it('gives rows with where they are, a bounded number at a time', async (t) => {
    const path = folderWith(t, { 'a.csv': csv })('a.csv')
    const rows = []
    for await (const row of readRows(path)) rows.push(row)
    assert.equal(rows.length, 2500)
    assert.deepEqual(rows[0], { where: `${path}:2`, values: { text: 't0', label: 'x', more: 'y' } })
    for await (const batch of readRowBatches(path, { select: ['text'] })) {
      assert.ok(batch.length <= 1000)
      assert.deepEqual(batch[0]!.values, { text: `t${Number(batch[0]!.where.split(':')[1]) - 2}` })
    }
    const wrong = readRowBatches(path, { select: ['texts'] }).next()
    await assert.rejects(wrong, refusedData(/no column 'texts', did you mean 'text'/))
  })

  it('refuses a file that was changed while it was read', async (t) => {
    const path = folderWith(t, { 'a.ndjson': '{"text":"a","label":"b"}\nno\n' })('a.ndjson')
    const onUnreadable = () => appendFileSync(path, '{"text":"c","label":"d"}\n')
    await assert.rejects(readLabelled(path, { onUnreadable }), refusedData(/was changed while/))
  })
})
