import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { createMemoryLog } from '../log/memory.ts'
import { pipeline } from '../pipeline/pipeline.ts'
import type { FoundState } from '../pipeline/state-reader.ts'
import { appendAll, runUntilCaughtUp } from '../pipeline/testing.ts'
import { topic } from '../pipeline/topic.ts'
import { tumbling } from '../transforms/window.ts'
import { type TestServerOptions, testServer } from './server-testing.ts'
import type { ApiError } from './state.ts'

const counts = pipeline('by-author')
  .from(topic<{ author: string }>('posts', { partitions: 2 }))
  .keyBy((post) => post.author)
  .window(tumbling('1m'))
  .aggregate('counts', (over) => ({ posts: over.count() }))
  .to(topic('counted'))

async function served(options: TestServerOptions = {}) {
  const log = createMemoryLog()
  await log.createTopic('posts', { partitions: 2 })
  const authors = ['a/b', 'ü ü', 'zoé', 'a/b']
  const posts = authors.map((author, index) => ({
    partition: index % 2,
    value: { author },
    time: 5,
  }))
  await appendAll(log, 'posts', posts)
  await runUntilCaughtUp(log, [counts])
  return testServer({ log, pipelines: [counts['~pipeline']], ...options })
}

const place = '/pipelines/by-author/state/counts'

describe('keyed state by HTTP', () => {
  it('is that of a key, or of keys in order, as the document says', async () => {
    const { json } = await served()
    const document = await json<{ paths: Record<string, Paths> }>('/openapi.json')
    const checkOf = (path: string) => {
      const { schema } = document.paths[path]!.get.responses[200]!.content['application/json']!
      return z.fromJSONSchema(schema)
    }
    const own = await json<FoundState>(`${place}/a%2Fb`)
    checkOf('/pipelines/{pipeline}/state/{step}/{key}').parse(own)
    const [{ partition, ...entry }] = own.entries as [FoundState['entries'][number]]
    assert.ok(partition < 2)
    assert.deepEqual(entry, {
      ...{ key: 'a/b', start: '1970-01-01T00:00:00.000Z', end: '1970-01-01T00:01:00.000Z' },
      ...{ revision: 2, value: { posts: 2 } },
    })
    assert.deepEqual((await json<FoundState>(`${place}/nobody`)).entries, [])
    const keysOf = async (query: string) => {
      const found = await json<FoundState>(`${place}${query}`)
      checkOf('/pipelines/{pipeline}/state/{step}').parse(found)
      return found.entries.map(({ key }) => key)
    }
    assert.deepEqual(await keysOf(''), ['a/b', 'zoé', 'ü ü'])
    assert.deepEqual(await keysOf('?from=b&limit=1'), ['zoé'])
  })

  it('is refused in words: another name, no application, no token, a wrong question', async () => {
    const { ask } = await served()
    const refused = async (answer: Promise<Response>, status: number, words: RegExp) => {
      const { status: seen, ...response } = await answer.then(async (one) => ({
        status: one.status,
        ...((await one.json()) as ApiError),
      }))
      assert.equal(seen, status)
      assert.match(`${response.code}: ${response.message}`, words)
    }
    await refused(ask('/pipelines/x/state/counts/k'), 404, /STEP_UNKNOWN: .*by-author/)
    await refused(ask('/pipelines/by-author/state/cuonts/k'), 404, /did you mean 'counts'/)
    await refused(ask(`${place}?limit=0`), 400, /REQUEST_INVALID: query limit/)
    const alone = await served({ pipelines: undefined })
    await refused(alone.ask(`${place}/k`), 404, /APP_WANTED: this server knows no application/)
    const locked = await served({ token: 'a-token-for-a-test-0123456789' })
    await refused(locked.ask(`${place}/k`), 401, /TOKEN_WANTED/)
    await refused(locked.ask(place), 401, /TOKEN_WANTED/)
    const headers = { authorization: 'Bearer a-token-for-a-test-0123456789' }
    assert.equal((await locked.ask(place, { headers })).status, 200)
  })
})

interface Paths {
  readonly get: {
    readonly responses: Record<
      number,
      {
        readonly content: Record<
          string,
          { readonly schema: Parameters<typeof z.fromJSONSchema>[0] }
        >
      }
    >
  }
}
