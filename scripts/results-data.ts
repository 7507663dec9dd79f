/**
 * The data of docs/results.md as files that `millrace train` reads: official splits where there are
 * any. Made from a folder of public data sets that is no part of the package (`MILLRACE_DATA`).
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { readLabelled } from '../src/training/data.ts'
import { stratifiedFolds } from '../src/training/data-split.ts'
import { type LabelledTexts, selectLabelled } from '../src/training/labelled.ts'

export const dataSets = ['twenty', 'six', 'hate', 'airline', 'ag-news'] as const
export type DataSet = (typeof dataSets)[number]

/** Files to learn from and to be asked about; several where the rows are divided into folds. */
export interface Split {
  readonly train: string
  readonly test: string
}

export const airlineFolds = 5

const sixGroups = [
  'talk.politics.misc',
  'misc.forsale',
  'rec.motorcycles',
  'comp.sys.mac.hardware',
  'sci.med',
  'talk.religion.misc',
]

/** By name, files named from `work`, which they are written to. Undefined: that data is not there. */
export async function prepare(
  data: string,
  work: string,
): Promise<Record<DataSet, readonly Split[] | undefined>> {
  return {
    ...(await newsgroups(data, work)),
    hate: await hate(data, work),
    airline: await airline(data, work),
    'ag-news': await agNews(data, work),
  }
}

async function newsgroups(data: string, work: string) {
  const folder = join(data, '20newsgroups')
  if (!existsSync(folder)) return { twenty: undefined, six: undefined }
  const [train, test] = await Promise.all(
    ['train', 'test'].map((split) =>
      readLabelled(join(folder, `${split}.ndjson.gz`), { label: 'category' }),
    ),
  )
  const isOfSix = (rows: LabelledTexts) =>
    Int32Array.from(rows.labels.keys()).filter((row) => sixGroups.includes(rows.labels[row]!))
  const six = (rows: LabelledTexts) => selectLabelled(rows, isOfSix(rows))
  return {
    twenty: [write(work, 'twenty', train!, test!)],
    six: [write(work, 'six', six(train!), six(test!))],
  }
}

async function hate(data: string, work: string): Promise<readonly Split[] | undefined> {
  const folder = join(data, 'tweeteval', 'hate')
  if (!existsSync(folder)) return undefined
  const read = (split: string): LabelledTexts => ({
    texts: lines(join(folder, `${split}_text.txt.gz`)),
    labels: lines(join(folder, `${split}_labels.txt.gz`)),
  })
  return [write(work, 'hate', read('train'), read('test'))]
}

async function airline(data: string, work: string): Promise<readonly Split[] | undefined> {
  const file = join(data, 'airline-tweets', 'Tweets.csv.gz')
  if (!existsSync(file)) return undefined
  const rows = await readLabelled(file, { label: 'airline_sentiment' })
  return stratifiedFolds(rows.labels, airlineFolds, 0).map(({ train, test }, fold) =>
    write(work, `airline-${fold + 1}`, selectLabelled(rows, train), selectLabelled(rows, test)),
  )
}

async function agNews(data: string, work: string): Promise<readonly Split[] | undefined> {
  const folder = join(data, 'ag-news')
  if (!existsSync(folder)) return undefined
  const train = await readLabelled(join(folder, 'train_subset.csv.gz'), { label: 'class' })
  const test = await readLabelled(join(folder, 'test.csv.gz'), {
    columns: ['class', 'title', 'description'],
    text: ['title', 'description'],
    label: 'class',
  })
  return [write(work, 'ag-news', train, test)]
}

function write(work: string, name: string, train: LabelledTexts, test: LabelledTexts): Split {
  const file = (part: string, { texts, labels }: LabelledTexts) => {
    const rows = texts.map((text, row) => JSON.stringify({ label: labels[row], text }))
    writeFileSync(join(work, `${name}-${part}.ndjson`), `${rows.join('\n')}\n`)
    return `${name}-${part}.ndjson`
  }
  return { train: file('train', train), test: file('test', test) }
}

function lines(file: string): string[] {
  const text = gunzipSync(readFileSync(file)).toString()
  return text.replace(/\n$/, '').split('\n')
}
