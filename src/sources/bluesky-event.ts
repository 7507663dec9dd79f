/**
 * What a frame of Jetstream says, and what of it becomes a message: the format is that of
 * https://github.com/bluesky-social/jetstream, `/subscribe`.
 */
import { createHash } from 'node:crypto'
import type { Unreadable } from './source.ts'

/** A post of Bluesky (or another record, with an empty text) as a message's value. */
export interface BlueskyPost {
  /** Its address: `at://<author>/<collection>/<key>`. */
  readonly uri: string
  /** The account's DID, which stays when its handle changes. */
  readonly author: string
  readonly collection: string
  readonly text: string
  /** The first language that the post says it is in, such as `en` or `pt-BR`. */
  readonly language: string | null
  readonly languages: readonly string[]
  /** The message's time, in ISO 8601: see the source. */
  readonly createdAt: string
  /** The address of the post that it answers. */
  readonly replyTo: string | null
  /** The record as its author's server keeps it. */
  readonly record: unknown
}

/** One creation, change or removal of a record. */
export interface Entry {
  /** The id of the message: the same for a post and for its removal. */
  readonly id: string
  /** The same wherever and whenever the same change comes again, and another for each change. */
  readonly change: string
  readonly timeUs: number
  readonly author: string
  /** Null: the record was removed. */
  readonly json: string | null
  readonly timeMs: number
  readonly unreadable?: Unreadable
}

export interface EventFilter {
  readonly collections: readonly string[]
  /** Undefined: every text. */
  readonly words: RegExp | undefined
  /** Undefined: every language; else their first subtags, in lower case. */
  readonly languages: ReadonlySet<string> | undefined
}

/** What a frame came to. Without an entry it is of no interest, or filtered out. */
export interface Frame {
  /** When Jetstream saw it, in microseconds since the epoch; undefined where it cannot be read. */
  readonly timeUs: number | undefined
  readonly entry: Entry | undefined
}

const postCollection = 'app.bsky.feed.post'
/** What is kept of a frame that cannot be read. */
const maxRawBytes = 64 * 1024
/** A post is at most a few kilobytes; beyond this a frame is not parsed. */
export const maxFrameChars = 1024 * 1024
/** A post may be dated back; what says that it is older was imported, and is dated when it came. */
const longestDelayMs = 24 * 60 * 60_000

type Json = { readonly [field: string]: unknown }

/** Reads one frame. What is no event becomes an unreadable entry: its neighbours go on. */
export function readFrame(data: unknown, filter: EventFilter): Frame {
  if (typeof data !== 'string') {
    return unreadable(Buffer.from(data as ArrayBuffer), 'a binary frame; Jetstream sends text')
  }
  if (data.length > maxFrameChars) {
    return unreadable(data, `a frame of ${data.length} characters: no event is that long`)
  }
  let event: unknown
  try {
    event = JSON.parse(data)
  } catch (error) {
    return unreadable(data, `not JSON: ${(error as Error).message}`)
  }
  if (!isObject(event) || typeof event.did !== 'string' || !Number.isSafeInteger(event.time_us)) {
    return unreadable(data, "no event of Jetstream: 'did' and 'time_us' are expected")
  }
  const timeUs = event.time_us as number
  if (event.kind !== 'commit') return { timeUs, entry: undefined }
  const { commit } = event
  if (!isObject(commit) || typeof commit.collection !== 'string' || typeof commit.rkey !== 'string')
    return unreadable(data, "a commit without 'collection' and 'rkey'", timeUs)
  if (!filter.collections.some((wanted) => covers(wanted, commit.collection as string)))
    return { timeUs, entry: undefined }
  if (commit.operation !== 'delete' && !isObject(commit.record))
    return unreadable(data, `a commit (${String(commit.operation)}) without a record`, timeUs)
  return { timeUs, entry: entryOf(event.did, timeUs, commit, filter) }
}

/** `app.bsky.feed.*` covers every collection that starts so. */
const covers = (wanted: string, collection: string) =>
  wanted === collection || (wanted.endsWith('.*') && collection.startsWith(wanted.slice(0, -1)))

function entryOf(
  author: string,
  timeUs: number,
  commit: Json,
  filter: EventFilter,
): Entry | undefined {
  const { collection, rkey, operation, rev } = commit as { readonly [field: string]: string }
  const place =
    collection === postCollection ? `${author}/${rkey}` : `${author}/${collection}/${rkey}`
  const identity = {
    id: `bluesky:${place}`,
    change: `${place} ${rev ?? ''} ${operation}`,
    ...{ timeUs, author },
  }
  // Whether what is gone was of interest, nobody can tell any more: every removal goes on.
  if (operation === 'delete') return { ...identity, json: null, timeMs: Math.floor(timeUs / 1000) }
  const record = commit.record as Json
  const text = typeof record.text === 'string' ? record.text : ''
  const languages = textsOf(record.langs)
  if (!isWanted(text, languages, filter)) return undefined
  const timeMs = timeOf(record.createdAt, timeUs)
  const post: BlueskyPost = {
    uri: `at://${author}/${collection}/${rkey}`,
    ...{ author, collection: collection!, text, language: languages[0] ?? null, languages },
    createdAt: new Date(timeMs).toISOString(),
    replyTo: replyOf(record),
    record,
  }
  return { ...identity, json: JSON.stringify(post), timeMs }
}

function isWanted(text: string, languages: readonly string[], filter: EventFilter): boolean {
  const { words, languages: wanted } = filter
  if (wanted !== undefined && !languages.some((one) => wanted.has(firstSubtag(one)))) return false
  return words === undefined || words.test(text.normalize('NFC'))
}

/** `en` of `en-GB`. */
export const firstSubtag = (language: string) => language.toLowerCase().split(/[-_]/)[0]!

/**
 * One expression for all words or phrases: whole words, whatever their case, any white space
 * between them.
 */
export function wordsPattern(words: readonly string[]): RegExp {
  const alternatives = words.map((word) =>
    word
      .normalize('NFC')
      .trim()
      .split(/\s+/u)
      .map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, (sign) => `\\${sign}`))
      .join('\\s+'),
  )
  const inWord = '[\\p{L}\\p{M}\\p{N}_]'
  return new RegExp(`(?<!${inWord})(?:${alternatives.join('|')})(?!${inWord})`, 'iu')
}

/**
 * What the author's client says, where that can be: not after Jetstream saw it, nor more than a day
 * before; else when Jetstream saw it.
 */
function timeOf(createdAt: unknown, timeUs: number): number {
  const seenMs = Math.floor(timeUs / 1000)
  const said = typeof createdAt === 'string' ? Date.parse(createdAt) : Number.NaN
  return said <= seenMs && said >= seenMs - longestDelayMs ? said : seenMs
}

function replyOf(record: Json): string | null {
  const parent = isObject(record.reply) ? record.reply.parent : undefined
  return isObject(parent) && typeof parent.uri === 'string' ? parent.uri : null
}

const textsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function unreadable(data: string | Buffer, reason: string, timeUs?: number): Frame {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data
  const id = `bluesky:unreadable/${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}`
  return { timeUs, entry: letter(id, bytes, reason, timeUs ?? 0) }
}

/** An entry that can only be a dead letter. */
export function letter(id: string, raw: Buffer, reason: string, timeUs: number): Entry {
  return {
    ...{ id, change: id, timeUs, author: '', json: null, timeMs: 0 },
    unreadable: { id, raw: raw.subarray(0, maxRawBytes), reason },
  }
}
