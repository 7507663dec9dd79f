/**
 * Tweets as load: about 250 bytes of JSON each, made from a seed, with words as frequent as words
 * are (Zipf), so that a vocabulary of 12,000 terms is met as in real text.
 */
import { type Random, seededRandom } from 'millrace'
import { textClassifier } from 'millrace/models'

const words = 30_000
const syllables = 'ka lo mi ter ne sa ro vi den pu shi ma to gra li bo che ran fo wu'.split(' ')

/** Cumulative weights of Zipf's law, for a search by halving. */
const cumulative = new Float64Array(words)
for (let rank = 0, sum = 0; rank < words; rank++) {
  sum += 1 / (rank + 2.7)
  cumulative[rank] = sum
}

function wordOf(rank: number): string {
  let word = ''
  for (let rest = rank + 20; rest > 0; rest = Math.floor(rest / syllables.length)) {
    word += syllables[rest % syllables.length]
  }
  return word
}

const vocabulary = Array.from({ length: words }, (_, rank) => wordOf(rank))

function pickWord(random: Random): string {
  const goal = random() * cumulative[words - 1]!
  let low = 0
  let high = words - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (cumulative[middle]! < goal) low = middle + 1
    else high = middle
  }
  return vocabulary[low]!
}

export interface Tweet {
  readonly id: string
  readonly author: string
  readonly at: string
  readonly language: string
  readonly text: string
}

export function tweet(index: number, random: Random): Tweet {
  let text = ''
  while (text.length < 140) text += `${text === '' ? '' : ' '}${pickWord(random)}`
  return {
    id: String(1_700_000_000_000_000 + index),
    author: `user${Math.floor(random() * 50_000)}`,
    at: new Date(1_700_000_000_000 + index * 10).toISOString(),
    language: 'en',
    text,
  }
}

export const sentiments = ['negative', 'neutral', 'positive'] as const

/** What the model learns from; the labels mean nothing, only the work counts. */
export function sentimentRows() {
  const random = seededRandom(7)
  return Array.from({ length: 20_000 }, (_, index) => {
    const { text } = tweet(index, random)
    return { text, label: sentiments[(text.charCodeAt(0) + text.length) % 3]! }
  })
}

/** Tf-idf and naive Bayes on 12,000 terms, three classes. */
export function trainSentiment() {
  const rows = sentimentRows()
  const texts = rows.map((row) => row.text)
  const labels = rows.map((row) => row.label)
  return textClassifier({ features: { maxFeatures: 12_000 }, tfidf: true }).fit(texts, labels)
}
