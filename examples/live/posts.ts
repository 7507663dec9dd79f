/** Made-up posts in the form of Bluesky's, the same on every run. */
import type { Random } from 'millrace'
import { type BlueskyPost, generate } from 'millrace/sources'

const openings = [
  'Just saw',
  'Thinking about',
  'Finally fixed',
  'Waiting for',
  'Back from',
  'Still on',
]
const things = ['the new release', 'my commute', 'this bug', 'the concert', 'that meeting', 'lunch']
const verdicts = [
  'I love it',
  'not bad at all',
  'it was AMAZING!!!',
  'so happy 😀',
  'kind of boring',
  'this is horrible',
  'worst day ever :(',
  'I am really angry',
  'nothing more to say',
  'see you tomorrow',
]

const pick = <T>(from: readonly T[], random: Random): T => from[Math.floor(random() * from.length)]!

const firstMs = Date.UTC(2025, 0, 1)

function madeUpPost(index: number, random: Random): BlueskyPost {
  const author = `did:example:author${Math.floor(random() * 200)}`
  const text = `${pick(openings, random)} ${pick(things, random)}, ${pick(verdicts, random)}`
  const createdAt = new Date(firstMs + index * 1000).toISOString()
  const collection = 'app.bsky.feed.post'
  const uri = `at://${author}/${collection}/${index}`
  const languages = ['en']
  return {
    uri,
    author,
    collection,
    text,
    language: 'en',
    languages,
    createdAt,
    replyTo: null,
    record: null,
  }
}

/** 2,000 posts, 50 a second unless told otherwise. */
export const madeUpPosts = () =>
  generate({
    name: 'made-up-posts',
    count: 2000,
    ratePerSecond: 50,
    value: madeUpPost,
    key: ({ author }) => author,
    time: ({ createdAt }) => Date.parse(createdAt),
  })
