/** What tests of the Bluesky source read with, against a server of their own. For tests only. */
import assert from 'node:assert/strict'
import { type Clock, systemClock } from '../core/clock.ts'
import { codeOf, messageOf } from '../core/errors.ts'
import { messagesOf } from '../core/message.ts'
import { type BlueskyOptions, type BlueskyPost, bluesky } from './bluesky.ts'
import { JetstreamServer, type JetstreamServerSettings, jetstreamEvent } from './bluesky-testing.ts'
import type { SourceReader, Unreadable } from './source.ts'

export const startUs = 1_760_000_000_000_000
export const secondUs = 1_000_000
/** Posts, so many microseconds apart. */
export const posts = (count: number, apartUs: number) =>
  Array.from({ length: count }, (_, index) => jetstreamEvent({ timeUs: startUs + index * apartUs }))

export const quick = { retryWaitMs: 1, cursor: startUs, maxTries: 3 }

interface Got {
  readonly ids: string[]
  readonly posts: (BlueskyPost | null)[]
  readonly times: number[]
  readonly unreadable: Unreadable[]
  readonly away: string[]
  position: unknown
}

/** Reads until so many messages and unreadable frames came; what it waited for is told in `away`. */
export async function readUntil(
  reader: SourceReader,
  count: number,
  maxMessages = 100,
): Promise<Got> {
  const got: Got = { ids: [], posts: [], times: [], unreadable: [], away: [], position: undefined }
  const endAt = Date.now() + 5000
  while (got.ids.length + got.unreadable.length < count) {
    assert.ok(Date.now() < endAt, `${got.ids.length} messages, ${got.away.join()}`)
    try {
      const batch = await reader.read(maxMessages)
      if (batch === undefined) break
      for (const { id, key, value, time } of messagesOf(batch.batch)) {
        got.ids.push(id)
        got.posts.push(value === null ? null : JSON.parse(value.toString()))
        got.times.push(time)
        assert.match(key!.toString(), /^did:/)
      }
      got.unreadable.push(...batch.unreadable)
      got.position = JSON.parse(JSON.stringify(batch.position))
    } catch (error) {
      if (codeOf(error) !== 'SOURCE_AWAY') throw error
      got.away.push(messageOf(error))
    }
  }
  return got
}

interface Opened {
  readonly server: JetstreamServer
  readonly clock: Clock & { aheadMs: number }
  open(options?: BlueskyOptions, position?: unknown, untilEnd?: boolean): Promise<SourceReader>
}

/** Runs a test against a server of its own, with all given back behind it. */
export async function withServer(
  settings: JetstreamServerSettings,
  run: (opened: Opened) => Promise<void>,
): Promise<void> {
  const server = await JetstreamServer.start(settings)
  const readers: SourceReader[] = []
  const clock = { ...systemClock, aheadMs: 0, now: () => Date.now() + clock.aheadMs }
  try {
    await run({
      ...{ server, clock },
      async open(options, position, untilEnd = false) {
        const context = { position, clock, signal: new AbortController().signal }
        const use = bluesky({ url: server.url, ...quick, ...options })
        const reader = await use.open({ ...context, untilEnd })
        readers.push(reader)
        return reader
      },
    })
  } finally {
    for (const reader of readers) await reader.close()
    await server.stop()
  }
}

export const idsOf = (count: number, first = 0, apartUs = 1000) =>
  Array.from(
    { length: count },
    (_, index) =>
      `bluesky:did:plc:abcdefghijklmnopqrstuvwx/3k${startUs + (first + index) * apartUs}`,
  )
