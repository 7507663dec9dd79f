/** The work of bench/kafka.ts as an application; topics and group are named by the environment. */
import { classifier, pipeline, topic } from 'millrace'
import { sentiments, type Tweet, trainSentiment } from './tweets.ts'

interface Scored extends Tweet {
  readonly sentiment: { readonly label: (typeof sentiments)[number]; readonly score: number }
}

const named = (name: string) => {
  const value = process.env[name]
  if (value === undefined) throw new Error(`bench: ${name} is not set; run npm run bench:kafka`)
  return value
}

const raw = topic<Tweet>(named('BENCH_INPUT'))
const scored = topic<Scored>(named('BENCH_OUTPUT'))

export const score = pipeline(named('BENCH_GROUP'))
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
