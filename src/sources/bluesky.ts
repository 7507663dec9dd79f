/**
 * Brings in the public posts of Bluesky as they are written, and their removals, by Jetstream, which
 * wants no account. Replay overlaps, by a few seconds at each break; what comes again is left out.
 */
import { z } from 'zod'
import { usePart } from '../core/part.ts'
import { type BlueskyPost, firstSubtag, wordsPattern } from './bluesky-event.ts'
import { BlueskyReader } from './bluesky-reader.ts'
import { defineSource, type SourceUse } from './source.ts'

export type { BlueskyPost } from './bluesky-event.ts'

/** The public instances of Bluesky: the same events, dated a little differently. */
const publicUrls = ['2.us-east', '1.us-east', '2.us-west', '1.us-west'].map(
  (place) => `wss://jetstream${place}.bsky.network/subscribe`,
)

const address = z.url({ protocol: /^wss?$/, error: 'an address that begins with wss:// or ws://' })

const options = z.strictObject({
  track: z
    .array(z.string().regex(/[\p{L}\p{N}\p{S}\p{P}]/u, 'a word or a phrase'))
    .min(1)
    .optional()
    .describe(
      'Only posts whose text has one of these words or phrases: whole words, whatever their case. Default: all. Removals always come: what is gone cannot be asked for its words.',
    ),
  languages: z
    .array(z.string().min(2))
    .min(1)
    .optional()
    .describe(
      "Only posts that say they are in one of these languages: 'en' also means en-GB. Default: all.",
    ),
  collections: z
    .array(z.string().regex(/^[a-zA-Z0-9.-]+(\.\*)?$/, 'a name such as app.bsky.feed.post'))
    .min(1)
    .max(100)
    .default(['app.bsky.feed.post'])
    .describe("Which records: collections of the AT Protocol, or 'app.bsky.feed.*'."),
  url: z
    .union([address, z.array(address).min(1)])
    .default(publicUrls)
    .describe('The Jetstream to read from, or several: when one fails, the next is taken.'),
  cursor: z
    .int()
    .min(0)
    .optional()
    .describe(
      'Where the very first run begins, in microseconds since the epoch; Jetstream keeps about a day. Default: now. Later runs go on where the last one stopped.',
    ),
  silenceMs: z
    .int()
    .min(10)
    .default(30_000)
    .describe('Without any event for so long, a connection counts as broken.'),
  retryWaitMs: z
    .int()
    .min(1)
    .default(500)
    .describe('Wait after a broken connection; it doubles with each, up to 30 s.'),
  maxTries: z
    .int()
    .min(1)
    .default(6)
    .describe(
      'When nothing could be reached yet, it gives up after so many connections. Once it was reached, it tries for 15 minutes.',
    ),
  maxQueued: z
    .int()
    .min(10)
    .default(10_000)
    .describe(
      'Events that wait in memory. With more it disconnects, and goes on from its cursor when there is room.',
    ),
})

export type BlueskyOptions = z.input<typeof options>

export const blueskyPart = defineSource({
  name: 'bluesky',
  summary:
    'Reads the public posts of Bluesky as they are written, by words and languages, with their removals as deletes.',
  options,
  example: { track: ['kafka', 'stream processing'], languages: ['en'] },
  replay: 'overlap',
  async open(settings, context) {
    const { track, languages, collections, url, cursor, ...bounds } = settings
    return new BlueskyReader(
      {
        ...bounds,
        urls: typeof url === 'string' ? [url] : url,
        cursorUs: cursor,
        filter: {
          collections,
          words: track === undefined ? undefined : wordsPattern(track),
          languages: languages === undefined ? undefined : new Set(languages.map(firstSubtag)),
        },
      },
      context,
    )
  },
})

/**
 * Posts of Bluesky as messages. The id is `bluesky:<author's DID>/<record key>` (with the collection
 * between them for other records than posts), the key is the author's DID, and a removed post is a
 * message of the same id without a value. The time is the post's `createdAt`, where that is not
 * after Jetstream saw it, nor more than a day before; else when Jetstream saw it. Where the cursor is
 * older than what Jetstream keeps, a dead letter `bluesky:gap/...` says what is missing.
 * Throws `OPTIONS_INVALID`; when run, `SOURCE_AWAY` (it comes back) and `SOURCE_UNREACHABLE`.
 */
export function bluesky(settings: BlueskyOptions = {}): SourceUse<BlueskyPost> {
  return { ...usePart(blueskyPart, settings), kind: 'source', replay: blueskyPart.replay }
}
