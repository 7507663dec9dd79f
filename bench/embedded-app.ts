/** Topic to topic through a compiled tf-idf naive Bayes: the work that bench/embedded.ts measures. */
import { classifier, pipeline, topic } from 'millrace'
import { sentiments, type Tweet, trainSentiment } from './tweets.ts'

interface Scored extends Tweet {
  readonly sentiment: { readonly label: (typeof sentiments)[number]; readonly score: number }
}

export const raw = topic<Tweet>('raw')
const scored = topic<Scored>('scored')

export const score = pipeline('score')
  .from(raw)
  .predict(
    'sentiment',
    classifier('bench-sentiment', {
      labels: sentiments,
      train: async () => ({ classifier: trainSentiment(), details: {} }),
    }),
    { input: (tweet) => tweet.text },
  )
  .to(scored)
