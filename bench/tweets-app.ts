/** Topic to topic through a compiled tf-idf naive Bayes: the work that both benchmarks of a log measure. */
import { classifier, pipeline, type Topic, topic } from 'millrace'
import { sentiments, type Tweet, trainSentiment } from './tweets.ts'

interface Scored extends Tweet {
  readonly sentiment: { readonly label: (typeof sentiments)[number]; readonly score: number }
}

/** The pipeline `name`, from `raw` to the topic `output`. */
export const scoring = (name: string, raw: Topic<Tweet>, output: string) =>
  pipeline(name)
    .from(raw)
    .predict(
      'sentiment',
      classifier('bench-sentiment', {
        labels: sentiments,
        train: async () => ({ classifier: trainSentiment(), details: {} }),
      }),
      { input: (tweet) => tweet.text },
    )
    .to(topic<Scored>(output))
