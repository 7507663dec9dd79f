/** The OpenAPI document: whole in itself, and real answers are as it says. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { createMemoryLog } from '../log/memory.ts'
import { pipeline } from '../pipeline/pipeline.ts'
import { appendAll, runUntilCaughtUp } from '../pipeline/testing.ts'
import { topic } from '../pipeline/topic.ts'
import { door } from './door.ts'
import { batchType, linesType } from './door-testing.ts'
import { type TestServer, testServer } from './server-testing.ts'

type Schema = Parameters<typeof z.fromJSONSchema>[0]

interface Content {
  readonly [type: string]: { readonly schema?: Schema }
}

interface Operation {
  readonly parameters: { readonly name: string; readonly in: string }[]
  readonly requestBody?: { readonly content: Content }
  readonly responses: Record<string, { description: string; content?: Content; headers?: object }>
}

interface OpenApi {
  readonly openapi: string
  readonly paths: Record<string, Record<string, Operation>>
  readonly components: { readonly schemas: Record<string, Schema> }
}

const failing = pipeline('failing')
  .from(topic<string>('in'))
  .map('check', (value) => {
    if (value === 'bad') throw new RangeError('bad')
    return value
  })
  .to(topic<string>('out'))

async function served(signal?: AbortSignal): Promise<{ server: TestServer; document: OpenApi }> {
  const log = createMemoryLog()
  await runUntilCaughtUp(log, [failing])
  await appendAll(log, 'in', [{ value: 'bad' }, { value: 'good' }])
  await runUntilCaughtUp(log, [failing])
  const limits = { messagesPerRequest: 3 }
  const server = testServer({ log, door: door({ log, limits, maxBodyBytes: 1000, signal }) })
  await server.monitor.look()
  return { server, document: await server.json<OpenApi>('/openapi.json') }
}

/** Everything in it that has a certain field. */
function* allWith(field: string, value: unknown): Generator<unknown> {
  if (typeof value !== 'object' || value === null) return
  if (field in value) yield (value as Record<string, unknown>)[field]
  for (const one of Object.values(value)) yield* allWith(field, one)
}

/** The schema that the document has for an answer, as a check that allows no other field. */
function checkOf(document: OpenApi, operation: Operation, status: number): z.ZodType {
  const answer = operation.responses[status] ?? operation.responses.default
  const schema = answer?.content?.['application/json']?.schema
  assert.ok(schema !== undefined, `${status} has no schema`)
  const name = /^#\/components\/schemas\/(\w+)$/.exec(String((schema as { $ref?: string }).$ref))
  const found = name === null ? schema : document.components.schemas[name[1]!]!
  const closed = JSON.stringify(found).replaceAll(
    '"type":"object"',
    '"type":"object","additionalProperties":false',
  )
  return z.fromJSONSchema(JSON.parse(closed) as Schema)
}

describe('the OpenAPI document', () => {
  it('is whole in itself: parameters of paths, answers, references', async () => {
    const { document } = await served()
    assert.equal(document.openapi, '3.1.0')
    for (const [path, operations] of Object.entries(document.paths)) {
      const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!).sort()
      for (const [method, { parameters, responses }] of Object.entries(operations)) {
        const where = `${method} ${path}`
        const inPath = parameters.filter((one) => one.in === 'path').map(({ name }) => name)
        assert.deepEqual(inPath.sort(), names, where)
        assert.equal(
          new Set(parameters.map((one) => `${one.in} ${one.name}`)).size,
          parameters.length,
        )
        assert.ok('default' in responses && Object.keys(responses).length > 1, where)
        for (const [status, { description }] of Object.entries(responses)) {
          assert.match(status, /^([1-5]\d\d|default)$/, where)
          assert.ok(description.length > 0, where)
        }
      }
    }
    const references = [...allWith('$ref', document)]
    assert.ok(references.length > 10)
    for (const one of new Set(references)) assert.equal(one, '#/components/schemas/ApiError')
    assert.ok(document.components.schemas.ApiError !== undefined)
  })

  it('tells how health is answered, well or not', async () => {
    const { server, document } = await served()
    const asked = async ({ ask }: TestServer, path: string) => {
      const answer = await ask(path)
      const check = checkOf(document, document.paths[path]!.get!, answer.status)
      check.parse(await answer.json())
      return answer.status
    }
    const token = 'a-token-for-a-test-0123456789'
    assert.equal(await asked(server, '/health/live'), 200)
    assert.equal(await asked(server, '/health/ready'), 200)
    assert.equal(await asked(testServer(), '/health/ready'), 503)
    assert.equal(await asked(testServer({ token }), '/health/ready'), 503)
  })

  it('tells how the door answers, and what else', async () => {
    const ending = new AbortController()
    const { server, document } = await served(ending.signal)
    const { post } = document.paths['/topics/{name}']!
    const long = JSON.stringify('x'.repeat(2000))
    const json = 'application/json'
    const asked: readonly (readonly [number, string, string, string, Record<string, string>?])[] = [
      [200, 'in', '{"a":1}', json],
      [200, 'in', '1\n2', linesType, { prefer: 'return=minimal' }],
      [200, 'in', '{"messages":[{"value":1,"key":"k","id":"i"}]}', batchType],
      [400, 'in', '1\n{', linesType],
      [400, 'in', '{"messages":[{"key":"k"}]}', batchType],
      [403, 'failing.replay', '1', json],
      [404, 'none', '1', json],
      [413, 'in', long, json],
      [413, 'in', '1\n2\n3\n4', linesType],
      [415, 'in', '1', 'text/plain'],
      [200, 'in', '1', json, { 'idempotency-key': 'k' }],
      [422, 'in', '2', json, { 'idempotency-key': 'k' }],
    ]
    for (const [status, name, body, type, more = {}] of asked) {
      const headers = { 'content-type': type, ...more }
      const answer = await server.ask(`/topics/${name}`, { method: 'POST', headers, body })
      assert.equal(answer.status, status, body)
      assert.ok(String(status) in post!.responses, `${status} is told of`)
      checkOf(document, post!, status).parse(await answer.json())
    }
    ending.abort()
  })

  it('tells what a batch is: what the schema takes the door takes, and no more', async () => {
    const { server, document } = await served()
    const { requestBody } = document.paths['/topics/{name}']!.post!
    const check = z.fromJSONSchema(requestBody!.content[batchType]!.schema!)
    const batches: readonly unknown[] = [
      { messages: [{ value: 1 }] },
      {
        messages: [{ value: { a: [] }, key: null, time: 5, headers: { h: 'x', n: null }, id: 'i' }],
      },
      { messages: [{ value: null, key: 'k', time: '2024-01-01T00:00:00Z' }] },
      { messages: [] },
      { messages: [{ key: 'k' }] },
      { messages: [{ value: 1, keys: 'k' }] },
      { messages: [{ value: 1, key: 1 }] },
      { messages: [{ value: 1, headers: { h: 1 } }] },
      { messages: [{ value: 1, id: 1 }] },
      { messages: [{ value: 1 }], more: 1 },
      [1],
      null,
    ]
    const seen = { taken: 0, refused: 0 }
    for (const batch of batches) {
      const headers = { 'content-type': batchType }
      const body = JSON.stringify(batch)
      const { status } = await server.ask('/topics/in', { method: 'POST', headers, body })
      const isGood = check.safeParse(batch).success
      assert.equal(status, isGood ? 200 : 400, body)
      seen[isGood ? 'taken' : 'refused']++
    }
    assert.deepEqual(seen, { taken: 3, refused: 9 })
  })

  it('tells how orders on dead letters are answered, and errors', async () => {
    const { server, document } = await served()
    const page = await server.json<{ groups: { letters: { id: string }[] }[] }>(
      '/api/dead-letters/failing',
    )
    const { id } = page.groups[0]!.letters[0]!
    const orders: readonly (readonly [string, unknown, number])[] = [
      ['replay', { ids: [id] }, 200],
      ['drop', { ids: ['other'], step: 'check' }, 200],
      ['drop', { ids: [] }, 400],
    ]
    for (const [order, body, status] of orders) {
      const { post } = document.paths[`/api/dead-letters/{pipeline}/${order}`]!
      const request = z.fromJSONSchema(post!.requestBody!.content['application/json']!.schema!)
      assert.equal(request.safeParse(body).success, status === 200)
      const answer = await server.post(`/api/dead-letters/failing/${order}`, body)
      assert.equal(answer.status, status)
      checkOf(document, post!, status).parse(await answer.json())
    }
    const missing = await server.post('/api/dead-letters/nobody/drop', { ids: [id] })
    const { post } = document.paths['/api/dead-letters/{pipeline}/drop']!
    checkOf(document, post!, missing.status).parse(await missing.json())
    assert.equal(missing.status, 404)
  })
})
