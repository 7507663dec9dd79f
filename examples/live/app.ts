/**
 * Posts as they are written, with their mood: Bluesky's public stream through a durable log and a
 * lexicon that needs no training. Without a network, made-up posts show the same.
 *
 *   npx millrace run examples/live/app.ts --source bluesky
 *   npx millrace run examples/live/app.ts
 */
import { fail, model, pipeline, summary, topic } from 'millrace'
import { lexiconSentiment, type Sentiment } from 'millrace/models'
import { gauge, panels, pie, table, timeLine } from 'millrace/panels'
import { bluesky } from 'millrace/sources'
import { tumbling } from 'millrace/transforms'
import { z } from 'zod'
import { madeUpPosts } from './posts.ts'

const sources = {
  'made-up': {
    about: 'live: 2,000 made-up posts, no network (--source bluesky reads the real ones)',
    from: madeUpPosts,
  },
  bluesky: {
    about: 'live: English posts of Bluesky, as they are written',
    // LIVE_JETSTREAM: another Jetstream than the public ones.
    from: () => bluesky({ languages: ['en'], url: process.env.LIVE_JETSTREAM }),
  },
}

const chosen = process.env.MILLRACE_SOURCE ?? 'made-up'
if (!Object.hasOwn(sources, chosen)) {
  const known = Object.keys(sources).join(', ')
  throw fail('OPTIONS_INVALID', `--source: there is no '${chosen}'; choose of ${known}`)
}
const source = sources[chosen as keyof typeof sources]

export const about = source.about

const Post = z.object({
  uri: z.string(),
  author: z.string(),
  text: z.string(),
  createdAt: z.string(),
})

export const posts = topic('posts', { schema: Post, key: (post) => post.author })
export const scored = topic<Scored>('posts.scored', { key: (post) => post.author })

export const minutes = topic<Minute>('posts.by-minute')

interface Scored extends z.output<typeof Post> {
  readonly sentiment: Sentiment
}

/** What the posts of one mood were in one minute. */
interface Minute {
  readonly key: string
  readonly start: string
  readonly end: string
  readonly posts: number
  readonly mood: number | null
}

export const ingest = pipeline('ingest')
  .from(source.from())
  .map('post', ({ uri, author, text, createdAt }) => ({ uri, author, text, createdAt }))
  .to(posts)

export const score = pipeline('score')
  .from(posts)
  .filter('has-words', (post) => /\p{L}|\p{Extended_Pictographic}/u.test(post.text))
  .predict('sentiment', model('vader', lexiconSentiment()), { input: (post) => post.text })
  .to(scored)

export const byMinute = pipeline('by-minute')
  .from(scored)
  .keyBy((post) => post.sentiment.label)
  .window(tumbling('1m', { lateness: '1m' }))
  .aggregate('minute', (over) => ({
    posts: over.count(),
    mood: over.mean((post) => post.sentiment.compound),
  }))
  .to(minutes)

export const mood = summary(scored, {
  start: () => ({ negative: 0, neutral: 0, positive: 0, compound: 0 }),
  add: (counts, { sentiment }) => {
    counts[sentiment.label]++
    counts.compound += sentiment.compound
  },
  figures: ({ negative, neutral, positive, compound }) => {
    const count = Math.max(1, negative + neutral + positive)
    return { negative, neutral, positive, mood: Number((compound / count).toFixed(4)) }
  },
  line: ({ negative, neutral, positive }) => {
    const count = Math.max(1, negative + neutral + positive)
    const share = (part: number) => `${Math.round((100 * part) / count)} %`
    return `positive ${share(positive)}, neutral ${share(neutral)}, negative ${share(negative)}`
  },
})

export const page = panels('Mood', [
  timeLine(minutes, {
    title: 'Posts by mood',
    note: 'by the minute in which they were written, once it is over',
    by: 'key',
    values: { posts: { sum: 'posts' } },
    every: '1m',
  }),
  timeLine(minutes, {
    title: 'How strong it is',
    note: 'the mean of a minute, from -1 to 1',
    by: 'key',
    values: { mood: { mean: 'mood' } },
    every: '1m',
  }),
  pie(scored, { title: 'Shares', by: 'sentiment.label' }),
  gauge(scored, {
    title: 'Mood',
    note: 'the mean of all posts, from -1 (negative) to 1 (positive)',
    value: { mean: 'sentiment.compound' },
    min: -1,
  }),
  table(scored, {
    title: 'The newest posts',
    columns: ['createdAt', 'text', 'sentiment.label', 'sentiment.compound'],
    newest: 10,
  }),
])
