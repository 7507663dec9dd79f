import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { z } from 'zod'
import type { Clock } from '../core/clock.ts'
import { fail } from '../core/errors.ts'
import { topic } from '../pipeline/topic.ts'
import { batchType, keptIn, linesType, withMemory } from './door-testing.ts'

const fixed: Clock = { now: () => 1_700_000_000_000, sleep: async () => {} }

describe('door: what is taken', () => {
  it('takes one value as it came', () =>
    withMemory(
      async (process) => {
        const text = ' {"id": 12345678901234567890, "messages": [{"value": 1}]}\n'
        const { status, body } = await process.post('/in?key=k', text)
        assert.equal(status, 200)
        const [kept, ...others] = await keptIn(process.log, 'in')
        assert.deepEqual(others, [])
        assert.equal(kept!.value, text.trim(), 'no digit lost, a field `messages` is no batch')
        assert.equal(kept!.key, 'k')
        assert.equal(kept!.time, fixed.now())
        assert.deepEqual(kept!.headers, [])
        const { partition, offset } = body.offsets![0]!
        assert.equal(kept!.place, `${partition}/${offset}`)
        assert.deepEqual(body, { accepted: 1, offsets: [{ partition, offset }], ids: [kept!.id] })
      },
      { clock: fixed },
    ))

  it('takes a batch: keys, times, headers and ids of the messages', () =>
    withMemory(async (process) => {
      const messages = [
        { value: { a: 1 }, key: 'k', time: 5, headers: { h: 'ü', none: null }, id: 'x/1' },
        { value: 'text', time: '2024-01-01T00:00:00Z' },
        { value: null, key: 'gone' },
      ]
      // The last of two fields of a name counts, an escaped name is a name, digits are kept.
      const raw = JSON.stringify({ messages }).replace('{"a":1}', '1,"v\\u0061lue":{"a" : 1.10}')
      const { status, body } = await process.post('/in', raw, { type: batchType })
      assert.equal(status, 200, JSON.stringify(body))
      assert.equal(body.accepted, 3)
      const kept = await keptIn(process.log, 'in')
      const find = (index: number) =>
        kept.find(
          ({ place }) =>
            place === `${body.offsets![index]!.partition}/${body.offsets![index]!.offset}`,
        )!
      assert.equal(find(0).value, '{"a" : 1.10}')
      assert.equal(find(0).time, 5)
      assert.deepEqual(find(0).headers, [
        ['millrace.id', 'http:x/1'],
        ['h', 'ü'],
        ['none', null],
      ])
      assert.equal(find(1).value, '"text"')
      assert.equal(find(1).time, Date.UTC(2024, 0, 1))
      assert.equal(find(1).key, null)
      assert.equal(find(2).value, null, 'a null is a delete')
      assert.deepEqual(body.ids, [find(0).id, find(1).id, find(2).id])
      assert.equal(body.ids![0], 'http:x/1')
    }))

  it('takes lines, gzip or not, and puts messages of one key in one partition, in order', () =>
    withMemory(async (process) => {
      const lines = Array.from({ length: 50 }, (_, index) => `{"n":${index}}\r\n`).join('\n')
      const headers = { 'Content-Encoding': 'gzip' }
      const knock = { type: linesType, headers }
      const { body } = await process.post('/in?key=same', gzipSync(lines), knock)
      assert.equal(body.accepted, 50)
      const kept = await keptIn(process.log, 'in')
      assert.deepEqual(
        kept.map(({ value }) => JSON.parse(value!).n),
        Array.from({ length: 50 }, (_, index) => index),
      )
      const minimal = { type: linesType, headers: { Prefer: 'return=minimal' } }
      const brief = await process.post('/in', '1\n2\n3', minimal)
      assert.deepEqual(brief.body, { accepted: 3 })
      const spread = (await keptIn(process.log, 'in')).filter(({ key }) => key === null)
      assert.equal(new Set(spread.map(({ place }) => place[0])).size, 2, 'without a key they turn')
    }))

  it('asks the topic of the application: schema, key and time', () => {
    const Post = z.object({
      author: z.string(),
      at: z.coerce.date(),
      deep: z.object({ n: z.int() }).optional(),
    })
    const posts = topic('in', { schema: Post, key: (one) => one.author, time: (one) => one.at })
    return withMemory(
      async (process) => {
        const good = { author: 'ann', at: '2024-05-05T00:00:00Z' }
        await process.post('/in', JSON.stringify(good))
        const [kept] = await keptIn(process.log, 'in')
        assert.equal(kept!.key, 'ann')
        assert.equal(kept!.time, Date.UTC(2024, 4, 5))
        assert.deepEqual(JSON.parse(kept!.value!), good, 'the input of the schema is stored')
        const bad = { ...good, deep: { n: 1.5 } }
        const lines = [good, good, bad].map((one) => JSON.stringify(one)).join('\n\n')
        const { status, body } = await process.post('/in', lines, { type: linesType })
        assert.equal(status, 400)
        assert.equal(body.index, 2)
        assert.equal(body.line, 5)
        assert.equal(body.path, 'deep.n')
        assert.equal((await keptIn(process.log, 'in')).length, 1, 'all or nothing')
        const other = await process.post('/in?key=bob', JSON.stringify(good))
        assert.equal(other.status, 400)
        assert.match(other.body.message!, /"ann".*"bob"/)
        const same = await process.post('/in?key=ann', JSON.stringify(good))
        assert.equal(same.status, 200)
      },
      { topics: [posts] },
    )
  })
})

describe('door: what is refused, and nothing is kept of it', () => {
  const refused: readonly [string, number, string, string, string?, Record<string, string>?][] = [
    ['an unknown topic', 404, '/im', '1'],
    ['an internal topic', 403, '/millrace.figures', '1'],
    ['dead letters', 403, '/x.dead-letters', '1'],
    ['a replay', 403, '/x.replay', '1'],
    ['a path in the name', 404, '/..%2fin', '1'],
    ['NUL in the name', 404, '/in%00', '1'],
    ['a broken escape', 404, '/in%zz', '1'],
    ['a long name', 404, `/${'n'.repeat(5000)}`, '1'],
    ['no type', 415, '/in', '1', ''],
    ['another type', 415, '/in', '1', 'text/plain'],
    ['a form', 415, '/in', 'a=1', 'application/x-www-form-urlencoded'],
    ['another charset', 415, '/in', '1', 'application/json; charset=latin1'],
    ['another encoding', 415, '/in', '1', 'application/json', { 'Content-Encoding': 'br' }],
    ['what is not gzip', 400, '/in', '1', 'application/json', { 'Content-Encoding': 'gzip' }],
    ['nothing', 400, '/in', ''],
    ['two values', 400, '/in', '1 2'],
    ['no lines', 400, '/in', '\n\n', linesType],
    ['an empty batch', 400, '/in', '{"messages":[]}', batchType],
    ['a value as a batch', 400, '/in', '[1]', batchType],
    ['an unknown field', 400, '/in', '{"messages":[{"value":1,"keys":"a"}]}', batchType],
    ['a field beside', 400, '/in', '{"messages":[{"value":1}],"topic":"a"}', batchType],
    ['no value', 400, '/in', '{"messages":[{"key":"a"}]}', batchType],
    ['a key that is a number', 400, '/in', '{"messages":[{"value":1,"key":1}]}', batchType],
    ['a key with half a pair', 400, '/in', '{"messages":[{"value":1,"key":"\\ud800"}]}', batchType],
    ['no date', 400, '/in', '{"messages":[{"value":1,"time":"soon"}]}', batchType],
    ['far away', 400, '/in', '{"messages":[{"value":1,"time":1e300}]}', batchType],
    [
      'our headers',
      400,
      '/in',
      '{"messages":[{"value":1,"headers":{"millrace.id":"x"}}]}',
      batchType,
    ],
    ['a delete without a key', 400, '/in', 'null'],
    ['too deep', 400, '/in', '['.repeat(100_000) + ']'.repeat(100_000)],
    ['too large', 413, '/in', JSON.stringify('m'.repeat(1000))],
    ['an id for many', 400, '/in?id=a', '1\n2', linesType],
    ['a bad key', 400, '/in', '1', 'application/json', { 'Idempotency-Key': 'k'.repeat(300) }],
  ]
  for (const [what, status, path, text, type, headers = {}] of refused) {
    it(`${what}: ${status}`, () =>
      withMemory(async (process) => {
        const knock = { type: type === '' ? null : (type ?? 'application/json'), headers }
        const answer = await process.post(path, text, knock)
        assert.equal(answer.status, status, JSON.stringify(answer.body))
        assert.ok(answer.body.code !== undefined && answer.body.message !== undefined)
        assert.deepEqual(await keptIn(process.log, 'in'), [])
      }))
  }

  it('says where: the nearest topic, the line, the index', () =>
    withMemory(async (process) => {
      assert.match((await process.post('/inn', '1')).body.message!, /did you mean 'in'/)
      const lines = await process.post('/in', '1\n\n{"a":}\n2', { type: linesType })
      assert.equal(lines.body.line, 3)
      assert.match(lines.body.message!, /line 3/)
      const bytes = Buffer.concat([Buffer.from('1\n"'), Buffer.from([0xff]), Buffer.from('"')])
      assert.match((await process.post('/in', bytes, { type: linesType })).body.message!, /line 2/)
      const big = JSON.stringify('m'.repeat(1000))
      const large = await process.post('/in', `1\n${big}`, { type: linesType })
      assert.equal(large.status, 413)
      assert.equal(large.body.index, 1)
      const get = await process.app.request('/in')
      assert.equal(get.status, 405)
      assert.equal(get.headers.get('allow'), 'POST')
    }))

  it('bodies, packed or not, above the bound: 413', () =>
    withMemory(
      async (process) => {
        const text = JSON.stringify('m'.repeat(900))
        assert.equal((await process.post('/in', text)).status, 413)
        const headers = { 'Content-Encoding': 'gzip' }
        const packed = gzipSync(text)
        assert.ok(packed.length < 100)
        assert.equal((await process.post('/in', packed, { headers })).status, 413)
        const short = gzipSync('"words"')
        assert.equal((await process.post('/in', short.subarray(0, 20), { headers })).status, 400)
        assert.equal((await process.post('/in', short, { headers })).status, 200)
      },
      { maxBodyBytes: 800 },
    ))

  it('too many messages: 413', () =>
    withMemory(
      async (process) => {
        assert.equal((await process.post('/in', '1\n2\n3', { type: linesType })).status, 200)
        assert.equal((await process.post('/in', '1\n2\n3\n4', { type: linesType })).status, 413)
        const batch = JSON.stringify({ messages: Array(4).fill({ value: 1 }) })
        assert.equal((await process.post('/in', batch, { type: batchType })).status, 413)
      },
      { limits: { messagesPerRequest: 3 } },
    ))

  it('what the log cannot do now: 503 with Retry-After', () =>
    withMemory(async (process) => {
      let error = fail('DISK_FULL', 'full', { waitMs: 2500 })
      process.log.commit = () => Promise.reject(error)
      const keyed: Record<string, string>[] = [{}, { 'Idempotency-Key': 'k' }]
      for (const headers of keyed) {
        const full = await process.post('/in', '1', { headers })
        assert.equal(full.status, 503)
        assert.equal(full.headers.get('retry-after'), '3')
        assert.equal(full.body.code, 'DISK_FULL')
      }
      error = fail('BATCH_DAMAGED', 'a bug')
      assert.equal((await process.app.request('/in', bugged)).status, 500)
    }))

  it('one topic that went does not take its neighbours along', () =>
    withMemory(async (process) => {
      await process.log.createTopic('other', { partitions: 1 })
      const topicOf = process.log.topic.bind(process.log)
      const info = await topicOf('other')
      process.log.topic = async (name) => (name === 'other' ? info : topicOf(name))
      await process.log.deleteTopic('other')
      const answers = await Promise.all([
        process.post('/in', '1'),
        process.post('/other', '2'),
        process.post('/in', '3'),
      ])
      assert.deepEqual(
        answers.map(({ status }) => status),
        [200, 404, 200],
      )
      assert.equal((await keptIn(process.log, 'in')).length, 2)
    }))
})

const bugged = { method: 'POST', body: '1', headers: { 'Content-Type': 'application/json' } }

describe('door: many at once', () => {
  it('writes requests that come together in few commits', () =>
    withMemory(async (process) => {
      let commits = 0
      const commit = process.log.commit.bind(process.log)
      process.log.commit = (one) => {
        commits++
        return commit(one)
      }
      const posts = Array.from({ length: 200 }, (_, n) => process.post('/in?key=k', `{"n":${n}}`))
      const answers = await Promise.all(posts)
      assert.ok(commits < 20, `${commits} commits`)
      const kept = new Map((await keptIn(process.log, 'in')).map((one) => [one.id, one]))
      assert.equal(kept.size, 200)
      answers.forEach(({ body }, n) => {
        assert.equal(kept.get(body.ids![0]!)!.value, `{"n":${n}}`)
      })
    }))

  it('holds no more than it may: 503, and later again 200', () =>
    withMemory(
      async (process) => {
        let open = () => {}
        const gate = new Promise<void>((resolve) => {
          open = resolve
        })
        const commit = process.log.commit.bind(process.log)
        process.log.commit = async (one) => {
          await gate
          return commit(one)
        }
        const posts = [1, 2, 3, 4].map((n) => process.post('/in', `${n}`))
        const refused = await Promise.race(posts)
        assert.equal(refused.status, 503)
        assert.equal(refused.body.code, 'BUSY')
        assert.ok(Number(refused.headers.get('retry-after')) >= 1)
        open()
        const statuses = (await Promise.all(posts)).map(({ status }) => status).sort()
        assert.deepEqual(statuses, [200, 200, 503, 503])
        assert.equal((await process.post('/in', '5')).status, 200, 'nothing is left counted')
        assert.equal((await process.post('/in', JSON.stringify('b'.repeat(300)))).status, 503)
        assert.equal((await process.post('/in', '6')).status, 200)
      },
      { limits: { requestsInFlight: 2, bytesInFlight: 200 } },
    ))
})
