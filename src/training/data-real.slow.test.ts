/** Real files as people publish them: each format, its row counts and its labels. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { readLabelled, readRowBatches, readRows } from './data.ts'
import { duplicatesAcross, holdout, timeFolds } from './data-split.ts'
import { folderWith } from './data-workshop.ts'

const directory =
  process.env.MILLRACE_DATA ?? fileURLToPath(new URL('../../../shared/data', import.meta.url))
const at = (name: string) => join(directory, name)

/** False, loudly, where the data is not; in CI that fails. */
function isThere(t: TestContext, name: string): boolean {
  if (existsSync(at(name))) return true
  const message = `SKIPPED: ${at(name)} is not there (set MILLRACE_DATA), so reading it was NOT checked`
  console.error(message)
  t.diagnostic(message)
  assert.ok(process.env.CI !== 'true', message)
  return false
}

function counts(labels: readonly string[]): Record<string, number> {
  const found: Record<string, number> = {}
  for (const label of labels) found[label] = (found[label] ?? 0) + 1
  return found
}

describe('training data: real files', () => {
  it('20 Newsgroups as NDJSON, and the same as a folder GROUP/ID', async (t) => {
    if (!isThere(t, '20newsgroups')) return
    const path = at('20newsgroups/train.ndjson.gz')
    const rows = await readLabelled(path, { label: 'category' })
    assert.equal(rows.texts.length, 11_314)
    assert.equal(Object.keys(counts(rows.labels)).length, 20)
    assert.equal(counts(rows.labels)['sci.med'], 594)
    const some: Record<string, string> = {}
    const texts: string[] = []
    for await (const { values } of readRows(path)) {
      if (Number(values.id) % 10 !== 0) continue
      some[`20news/${values.category}/${values.id}`] = values.text as string
      texts.push(values.text as string)
    }
    const folder = await readLabelled(folderWith(t, some)('20news'))
    assert.ok(texts.length > 1000)
    assert.deepEqual(folder.texts.toSorted(), texts.toSorted())
  })

  it('Criteo as Parquet, by snappy and by zstd', async (t) => {
    if (!isThere(t, 'criteo')) return
    for (const codec of ['snappy', 'zstd']) {
      const path = at(`criteo/criteo_first_8000.${codec}.parquet`)
      const rows = await readLabelled(path, { text: ['C1', 'C2', 'C3'] })
      assert.deepEqual(counts(rows.labels), { 0: 8000 - 1728, 1: 1728 })
      assert.match(rows.texts[0]!, /^[0-9a-f]{8}\n[0-9a-f]{8}\n[0-9a-f]{8}$/)
    }
    const columns = ['label', ...Array.from({ length: 39 }, (_, index) => `c${index}`)]
    const tsv = await readLabelled(at('criteo/criteo_first_8000.tsv.gz'), {
      columns,
      text: ['c13', 'c14', 'c15'],
    })
    const parquet = await readLabelled(at('criteo/criteo_first_8000.zstd.parquet'), {
      text: ['C1', 'C2', 'C3'],
    })
    assert.deepEqual(tsv.texts, parquet.texts)
    assert.deepEqual(tsv.labels, parquet.labels)
  })

  it('airline tweets as CSV with quoted newlines, and their times', async (t) => {
    if (!isThere(t, 'airline-tweets')) return
    const path = at('airline-tweets/Tweets.csv.gz')
    const rows = await readLabelled(path, { label: 'airline_sentiment', time: 'tweet_created' })
    assert.deepEqual(counts(rows.labels), { negative: 9178, neutral: 3099, positive: 2363 })
    assert.equal(rows.timesMs![0], Date.parse('2015-02-24T19:35:52Z'))
    assert.ok(rows.texts.some((text) => text.includes('\n')))
    assert.equal(timeFolds(rows.timesMs!, 5).length, 5)
    const { train, test } = holdout(rows.labels, 0.2, 1)
    assert.equal(test.length, 2928)
    const [learnt, tried] = [train, test].map((side) => Array.from(side, (row) => rows.texts[row]!))
    assert.ok(duplicatesAcross(learnt!, tried!) > 0)
  })

  it('TweetEval as parallel files of lines', async (t) => {
    if (!isThere(t, 'tweeteval')) return
    const read = (name: string) =>
      readLabelled({
        textFile: at(`tweeteval/${name}_text.txt.gz`),
        labelFile: at(`tweeteval/${name}_labels.txt.gz`),
      })
    assert.deepEqual(counts((await read('hate/train')).labels), { 0: 5217, 1: 3783 })
    const { labels } = await read('sentiment/train_rebuilt')
    assert.deepEqual(counts(labels), { 0: 7392, 1: 21_228, 2: 18_756 })
  })

  it('AG News as CSV without header, title and description joined', async (t) => {
    if (!isThere(t, 'ag-news')) return
    const columns = ['class', 'title', 'description']
    const options = { columns, label: 'class', text: 'title,description' }
    const rows = await readLabelled(at('ag-news/test.csv.gz'), options)
    assert.deepEqual(counts(rows.labels), { 1: 1900, 2: 1900, 3: 1900, 4: 1900 })
    assert.match(rows.texts[0]!, /^Fears for T N pension after talks\nUnions/)
  })
})

describe('training data: large files', () => {
  it('reads a CSV of 10 MB in one field', async (t) => {
    const text = 'lorem ipsum "dolor"\n'.repeat(500_000)
    const csv = `text,label\n"${text.replaceAll('"', '""')}",long\nshort,short\n`
    const rows = await readLabelled(folderWith(t, { 'a.csv': csv })('a.csv'))
    assert.ok(rows.texts[0] === text)
    assert.deepEqual(rows.labels, ['long', 'short'])
  })

  it('passes rows by within bounded memory', async (t) => {
    const row = `{"text":"${'x'.repeat(990)}"}\n`
    const packed = gzipSync(row.repeat(100_000))
    const contents = { 'a.ndjson.gz': Buffer.concat([packed, packed, packed, packed]) }
    const path = folderWith(t, contents)('a.ndjson.gz')
    let rows = 0
    let most = 0
    for await (const batch of readRowBatches(path)) {
      rows += batch.length
      most = Math.max(most, process.memoryUsage().heapUsed)
    }
    assert.equal(rows, 400_000)
    t.diagnostic(`400 MB of rows passed by with at most ${(most / 1e6).toFixed(0)} MB of heap`)
    assert.ok(most < 250e6, `${most}`)
  })
})
