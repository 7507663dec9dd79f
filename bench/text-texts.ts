/**
 * The texts of the text benchmark: 20 Newsgroups, whole posts in the official split, where that data
 * is; otherwise posts made from a seed, of about the same number, length and vocabulary.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { type Random, seededRandom } from 'millrace'
import { tweet } from './tweets.ts'

export interface LabelledList {
  readonly texts: readonly string[]
  readonly labels: readonly string[]
}

export interface BenchTexts {
  /** What they are, for the heading of the table. */
  readonly name: string
  readonly train: LabelledList
  readonly test: LabelledList
}

const labels = 20
const trainPosts = 11_314
const testPosts = 7_532
const tweetsAPost = 14

/** At most `most` posts to learn from, taken evenly from all; the test shrinks alike. */
export function benchTexts(most = trainPosts): BenchTexts {
  const found = newsgroups() ?? generated()
  if (most >= found.train.texts.length) return found
  const step = found.train.texts.length / most
  return { ...found, train: everyOf(found.train, step), test: everyOf(found.test, step) }
}

function newsgroups(): BenchTexts | undefined {
  const data =
    process.env.MILLRACE_DATA ?? fileURLToPath(new URL('../../shared/data', import.meta.url))
  const directory = join(data, '20newsgroups')
  if (!existsSync(directory)) return undefined
  const read = (split: string): LabelledList => {
    const lines = gunzipSync(readFileSync(join(directory, `${split}.ndjson.gz`))).toString()
    const posts = lines.trimEnd().split('\n')
    const rows = posts.map((line) => JSON.parse(line) as { text: string; category: string })
    return { texts: rows.map(({ text }) => text), labels: rows.map(({ category }) => category) }
  }
  return { name: '20 Newsgroups, whole posts', train: read('train'), test: read('test') }
}

function generated(): BenchTexts {
  const random = seededRandom(11)
  const name = 'generated posts (20 Newsgroups is not there: set MILLRACE_DATA)'
  return { name, train: posts(trainPosts, random), test: posts(testPosts, random) }
}

/** Every post has some words of its label's own, so that there is something to learn. */
function posts(count: number, random: Random): LabelledList {
  const names = Array.from({ length: count }, (_, index) => `topic${index % labels}`)
  const texts = names.map((label) =>
    Array.from({ length: tweetsAPost }, (_, index) => {
      const { text } = tweet(index, random)
      return random() < 0.3 ? `${text} ${label}x${Math.floor(random() * 500)}` : text
    }).join('\n'),
  )
  return { texts, labels: names }
}

function everyOf({ texts, labels }: LabelledList, step: number): LabelledList {
  const rows = Array.from({ length: Math.floor(texts.length / step) }, (_, index) =>
    Math.floor(index * step),
  )
  return { texts: rows.map((row) => texts[row]!), labels: rows.map((row) => labels[row]!) }
}
