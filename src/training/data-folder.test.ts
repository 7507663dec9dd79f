import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { readLabelled, readRows } from './data.ts'
import { folderWith, refusedData, refusedOption } from './data-workshop.ts'

const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex')

describe('training data: a folder GROUP/ID', () => {
  const latin = Buffer.from('caf\u00e9 \u0085', 'latin1')

  it('orders by path, code point by code point', async (t) => {
    const at = folderWith(t, {
      'd/ham/1': 'b',
      'd/ham.x/1': 'a',
      'd/\uffee/1': 'c',
      'd/\u{1f600}/1': 'd',
    })
    assert.deepEqual((await readLabelled(at('d'))).texts, ['a', 'b', 'c', 'd'])
  })

  it('takes the folder as label, UTF-8 where it is valid, Latin-1 where it is not', async (t) => {
    const at = folderWith(t, {
      'data/ham/2': '\ufeffh\u00e9llo\r\n',
      'data/ham/10': latin,
      'data/ham/.DS_Store': 'hidden',
      'data/a b/1.txt': '',
      'data/README': 'beside',
    })
    const { texts, labels, notes, fingerprint } = await readLabelled(at('data'))
    assert.deepEqual(texts, ['', 'caf\u00e9 \u0085', 'h\u00e9llo\r\n'])
    assert.deepEqual(labels, ['a b', 'ham', 'ham'])
    assert.deepEqual(notes, [
      'files beside the folders were passed over: 1',
      'files that are not UTF-8 were read as Latin-1: 1',
      'texts that are empty: 1',
    ])
    const files = [
      { name: 'a b/1.txt', sha256: sha256(''), sizeBytes: 0 },
      { name: 'ham/10', sha256: sha256(latin), sizeBytes: 6 },
      { name: 'ham/2', sha256: sha256('\ufeffh\u00e9llo\r\n'), sizeBytes: 11 },
    ]
    const lines = files.map((file) => `${file.sha256}  ${file.name}\n`).join('')
    assert.deepEqual(fingerprint, { files, rows: 3, sha256: sha256(lines) })
    for await (const row of readRows(at('data'))) {
      assert.deepEqual(row, {
        where: at('data/a b/1.txt'),
        values: { text: '', label: 'a b', id: 'a b/1.txt' },
      })
      break
    }
  })

  it('reads all files in an encoding that is forced', async (t) => {
    const at = folderWith(t, { 'd/x/1': latin, 'd/y/1': 'h\u00e9' })
    const forced = async (encoding: 'latin-1' | 'windows-1252') =>
      (await readLabelled(at('d'), { encoding })).texts
    assert.deepEqual(await forced('latin-1'), ['caf\u00e9 \u0085', 'h\u00c3\u00a9'])
    assert.deepEqual(await forced('windows-1252'), ['caf\u00e9 \u2026', 'h\u00c3\u00a9'])
    const strict = readLabelled(at('d'), { encoding: 'utf-8' })
    await assert.rejects(strict, refusedData(/d\/x\/1' is not valid utf-8/))
  })

  it('says what is wrong with a folder', async (t) => {
    const at = folderWith(t, {
      'flat/train.csv': 'a',
      'flat/test.csv': 'a',
      'deep/train/pos/1': 'a',
      'images/cat/1.png': Buffer.from([0x89, 0x50, 0, 0, 0xff]),
    })
    for (const name of ['empty', 'hollow/group']) mkdirSync(at(name), { recursive: true })
    await assert.rejects(readLabelled(at('empty')), refusedData(/empty' holds no files$/))
    await assert.rejects(
      readLabelled(at('hollow')),
      refusedData(/hollow' holds no rows: its folders/),
    )
    await assert.rejects(
      readLabelled(at('flat')),
      refusedData(/GROUP\/ID.* name it \(.*train\.csv/),
    )
    await assert.rejects(
      readLabelled(at('deep')),
      refusedData(/deep\/train' holds the folder 'pos'.*; is '.*deep\/train' the folder to name\?/),
    )
    await assert.rejects(readLabelled(at('images')), refusedData(/cat\/1\.png' does not look like/))
    await assert.rejects(readLabelled(at('fl\u00e4t')), refusedData(/did you mean 'flat'\?/))
    const columns = readLabelled(at('deep/train'), { columns: ['a'] })
    await assert.rejects(columns, refusedOption(/'columns' means nothing for a folder/))
  })
})

describe('training data: files of lines', () => {
  const texts = 'one "quoted, text\r\n\r\nh\u00e9llo\u2028there'
  const labels = '0\n1\n2\n'

  for (const ending of ['', '.gz']) {
    it(`pairs line n with line n${ending === '' ? '' : ', gzipped'}`, async (t) => {
      const pack = (text: string) => (ending === '' ? text : gzipSync(text))
      const names = [`texts.txt${ending}`, `labels.txt${ending}`] as const
      const at = folderWith(t, { [names[0]]: pack(texts), [names[1]]: pack(labels) })
      const files = { textFile: at(names[0]), labelFile: at(names[1]) }
      const rows = await readLabelled(files)
      assert.deepEqual(rows.texts, ['one "quoted, text', '', 'h\u00e9llo\u2028there'])
      assert.deepEqual(rows.labels, ['0', '1', '2'])
      assert.deepEqual(
        rows.fingerprint.files.map(({ name }) => name),
        names,
      )
      const places = []
      for await (const { where } of readRows(files)) places.push(where)
      assert.deepEqual(
        places,
        [1, 2, 3].map((line) => `${files.textFile}:${line}`),
      )
    })
  }

  it('refuses files of unequal length, with the counts of both', async (t) => {
    const at = folderWith(t, { five: 'x\n'.repeat(5), many: 'x\n'.repeat(2500), none: '\n' })
    const counts = (textFile: string, labelFile: string, expected: RegExp) =>
      assert.rejects(
        readLabelled({ textFile: at(textFile), labelFile: at(labelFile) }),
        refusedData(expected),
      )
    await counts('five', 'many', /five' has 5 lines, '.*many' 2500: line n/)
    await counts('many', 'five', /many' has 2500 lines, '.*five' 5:/)
    await counts('none', 'five', /none' has 1 lines/)
    await counts('five', 'fiv', /did you mean 'five'/)
  })

  it('reads texts alone, to predict; to learn needs labels', async (t) => {
    const at = folderWith(t, { 'a.txt': 'x\n\ny' })
    const read = []
    for await (const { values } of readRows(at('a.txt'))) read.push(values)
    assert.deepEqual(read, [{ text: 'x' }, { text: '' }, { text: 'y' }])
    await assert.rejects(
      readLabelled(at('a.txt')),
      refusedData(/no column 'label' \(columns: text\)/),
    )
  })

  it('names the line without label, and the line that is not UTF-8', async (t) => {
    const at = folderWith(t, { t: 'x\ny\n', l: '1\n\n', bad: Buffer.from('a\nb\xff\n', 'latin1') })
    await assert.rejects(
      readLabelled({ textFile: at('t'), labelFile: at('l') }),
      refusedData(/1 of 2 rows of '.*' have no label in 'label' \(line 2\)/),
    )
    await assert.rejects(
      readLabelled({ textFile: at('bad'), labelFile: at('t') }),
      refusedData(/bad:2: it is not valid UTF-8/),
    )
  })
})
