import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { systemClock } from '../core/clock.ts'
import { codeOf } from '../core/errors.ts'
import { type BlueskyOptions, bluesky, blueskyPart } from './bluesky.ts'
import { JetstreamServer, jetstreamEvent, type PostSettings } from './bluesky-testing.ts'
import {
  idsOf,
  posts,
  quick,
  readUntil,
  secondUs,
  startUs,
  withServer,
} from './bluesky-testing-reader.ts'
import { sourceContract } from './source.contract.ts'

const servers: { [name: string]: JetstreamServer } = {}
before(async () => {
  servers.dense = await JetstreamServer.start({ events: posts(40, 1000) })
  servers.sparse = await JetstreamServer.start({ events: posts(25, 4 * secondUs) })
  const bad = ['{"did":', '[]', 'null', '{"did":"did:plc:a","time_us":"soon"}']
  const events = posts(20, 1000)
  servers.mixed = await JetstreamServer.start({
    events,
    behave(connection, server) {
      server.replay(connection)
      for (const text of bad) connection.send(text)
      connection.send({ did: 'did:plc:a', time_us: startUs + 21_000, kind: 'identity' })
    },
  })
})
after(async () => {
  for (const server of Object.values(servers)) await server.stop()
})

const from = (name: string): BlueskyOptions => ({ url: servers[name]!.url, cursor: startUs })

sourceContract(blueskyPart, [
  { name: 'dense', messages: 40, endless: true, options: () => from('dense') },
  { name: 'sparse', messages: 25, endless: true, options: () => from('sparse') },
])

describe('bluesky', () => {
  test('asks for its collections, and for what is to come where there is no cursor', async () => {
    await withServer({ events: posts(3, 1000) }, async ({ server, open }) => {
      const reader = await open({ cursor: undefined })
      await reader.read(10)
      while (server.connections.length === 0) await reader.read(10)
      const { query, cursor } = server.connections[0]!
      assert.deepEqual(query.getAll('wantedCollections'), ['app.bsky.feed.post'])
      assert.equal(cursor, undefined)
      server.push(jetstreamEvent({ timeUs: startUs + 9000 }))
      assert.deepEqual((await readUntil(reader, 1)).ids, idsOf(1, 9))
    })
  })

  test('gives posts with author, text, languages, and a time that can be', async () => {
    const day = 86_400_000
    const seenMs = startUs / 1000
    const at = (ms: number) => new Date(ms).toISOString()
    const events: PostSettings[] = [
      { timeUs: startUs, text: 'hé 😀', langs: ['pt-BR', 'en'], createdAt: at(seenMs - 1500) },
      { timeUs: startUs + 1000, createdAt: at(seenMs + day) },
      { timeUs: startUs + 2000, createdAt: at(seenMs - 3 * 365 * day) },
      { timeUs: startUs + 3000, createdAt: 'yesterday', operation: 'update' },
    ]
    await withServer({ events: events.map(jetstreamEvent) }, async ({ open }) => {
      const { posts: got, times } = await readUntil(await open(), 4)
      assert.deepEqual(times, [seenMs - 1500, seenMs + 1, seenMs + 2, seenMs + 3])
      const { record, ...first } = got[0]!
      assert.equal((record as { text: string }).text, 'hé 😀')
      assert.deepEqual(first, {
        uri: `at://did:plc:abcdefghijklmnopqrstuvwx/app.bsky.feed.post/3k${startUs}`,
        author: 'did:plc:abcdefghijklmnopqrstuvwx',
        ...{ collection: 'app.bsky.feed.post', text: 'hé 😀', language: 'pt-BR' },
        languages: ['pt-BR', 'en'],
        createdAt: at(seenMs - 1500),
        replyTo: null,
      })
    })
  })

  test('a removal is a delete of the same id, whatever the words; a change comes again', async () => {
    const rkey = '3kone'
    const events: PostSettings[] = [
      { timeUs: startUs, rkey, text: 'About KAFKA.' },
      { timeUs: startUs + 1, rkey, text: 'about kafka!', operation: 'update' },
      { timeUs: startUs + 2, rkey, operation: 'delete' },
      { timeUs: startUs + 3, rkey: 'never-seen', operation: 'delete' },
    ]
    await withServer({ events: events.map(jetstreamEvent) }, async ({ open }) => {
      const { ids, posts: got } = await readUntil(await open({ track: ['kafka'] }), 4)
      assert.equal(new Set(ids.slice(0, 3)).size, 1)
      assert.deepEqual(
        got.map((post) => post?.text ?? null),
        ['About KAFKA.', 'about kafka!', null, null],
      )
    })
  })

  test('takes whole words and phrases in any case, and languages with their regions', async () => {
    const texts = ['Kafkaesque', '#KAFKA', 'harley  DAVIDSON!', 'cafe\u0301', 'cafes', 'c++ (c++)']
    const events: object[] = texts.map((text, index) =>
      jetstreamEvent({ timeUs: startUs + index, text, langs: ['en-GB'] }),
    )
    events.push(jetstreamEvent({ timeUs: startUs + 10, text: 'kafka', langs: ['de'] }))
    events.push(jetstreamEvent({ timeUs: startUs + 11, text: 'kafka', langs: [] }))
    events.push(jetstreamEvent({ timeUs: startUs + 12, text: 'kafka', langs: ['de', 'EN'] }))
    const track = ['kafka', 'harley davidson', 'CAFÉ', 'c++']
    await withServer({ events }, async ({ open }) => {
      const { posts: got } = await readUntil(await open({ track, languages: ['en'] }), 5)
      const kept = got.map((post) => post!.text)
      assert.deepEqual(kept, ['#KAFKA', 'harley  DAVIDSON!', 'cafe\u0301', 'c++ (c++)', 'kafka'])
    })
  })

  test('what cannot be read is a dead letter each, once, and its neighbours go on', async () => {
    const { url } = servers.mixed!
    const use = bluesky({ url, ...quick })
    const signal = new AbortController().signal
    const reader = await use.open({ position: undefined, clock: systemClock, signal })
    const got = await readUntil(reader, 24)
    await reader.close()
    assert.deepEqual(got.ids, idsOf(20))
    assert.equal(new Set(got.unreadable.map(({ id }) => id)).size, 4)
    assert.match(got.unreadable[0]!.reason, /not JSON/)
    assert.match(got.unreadable[1]!.reason, /no event of Jetstream/)
  })

  test('a frame far too long is kept as its beginning', async () => {
    const long = jetstreamEvent({ timeUs: startUs + 1, text: 'x'.repeat(2_000_000) })
    await withServer({ events: [...posts(1, 1), long] }, async ({ open }) => {
      const { ids, unreadable } = await readUntil(await open(), 2)
      assert.equal(ids.length, 1)
      assert.equal(unreadable[0]!.raw.length, 64 * 1024)
      assert.match(unreadable[0]!.reason, /2000\d+ characters/)
    })
  })

  test('a cursor that is too old is told, once, and it goes on with the oldest', async () => {
    await withServer({ events: posts(5, 1000) }, async ({ open }) => {
      const cursor = startUs - 3 * 86_400 * secondUs
      const { ids, unreadable, position } = await readUntil(await open({ cursor }), 6)
      assert.deepEqual(ids, idsOf(5))
      assert.match(unreadable[0]!.reason, /nothing came of the time from 2025-10-06T.* cursor/)
      assert.match(unreadable[0]!.id, /^bluesky:gap\//)
      const again = await open({ cursor }, position)
      assert.equal((await again.read(10))!.batch.count, 0)
    })
  })

  test('out of order, twice, and again after a restart: each post once', async () => {
    const events = [3, 1, 2, 2, 0, 5, 4, 5, 3].map((index) =>
      jetstreamEvent({ timeUs: startUs + index * 1000 }),
    )
    await withServer({ events }, async ({ open }) => {
      const got: string[] = []
      let position: unknown
      for (let restarts = 0; restarts < 8 && got.length < 6; restarts++) {
        const reader = await open({}, position)
        const part = await readUntil(reader, 1, 1)
        await reader.close()
        got.push(...part.ids)
        position = part.position
      }
      assert.deepEqual([...got].sort(), idsOf(6))
    })
  })

  test('with untilEnd it ends at what was there when it began', async () => {
    const later = jetstreamEvent({ timeUs: (Date.now() + 3_600_000) * 1000 })
    await withServer({ events: [...posts(5, 1000), later] }, async ({ open, server }) => {
      const reader = await open({}, undefined, true)
      assert.deepEqual((await readUntil(reader, 6)).ids, idsOf(5))
      assert.equal(await reader.read(1), undefined)
      while (server.open > 0) await new Promise((resolve) => setTimeout(resolve, 5))
    })
  })

  test('what it is told wrong is refused before it starts', () => {
    const wrong: BlueskyOptions[] = [
      { url: 'https://example.com' },
      { track: [] },
      { track: [' '] },
      { collections: ['app bsky'] },
      { cursor: -1 },
    ]
    for (const settings of wrong) {
      assert.throws(
        () => bluesky(settings),
        (error) => codeOf(error) === 'OPTIONS_INVALID',
      )
    }
  })
})
