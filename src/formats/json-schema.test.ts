import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { batchOf, decoded, formatContract } from './format.contract.ts'
import { checkOf, jsonSchema, loadDrafts } from './json-schema.ts'
import { SchemaRegistry } from './registry.ts'
import { TestRegistry } from './registry-testing.ts'

const schema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  properties: {
    id: { type: 'string' },
    cents: { type: 'integer' },
    lines: { type: 'array', items: { type: 'object', required: ['sku'] } },
  },
  required: ['id'],
}
const text = fc.string({ unit: 'grapheme' })
const values = fc.record(
  {
    id: text,
    cents: fc.maxSafeInteger(),
    lines: fc.array(fc.record({ sku: fc.jsonValue({ maxDepth: 2 }) }), { maxLength: 5 }),
  },
  { requiredKeys: ['id'] },
)

formatContract({
  name: 'json-schema',
  type: 'JSON',
  format: (text, register = false) =>
    jsonSchema(text === undefined ? {} : { schema: text, register }),
  schema: JSON.stringify(schema),
  values,
  misfit: { value: { id: 'a', lines: [{ sku: 1 }, {}] }, says: /lines\.1 .*sku/ },
  later: {
    schema: JSON.stringify({ ...schema, required: [] }),
    value: { id: 'a', cents: 1 },
    read: { id: 'a', cents: 1 },
  },
  noSchema: '{"type":"nothing"}',
})

describe('json schema', () => {
  it('follows the draft that a schema names', async () => {
    const drafts = await loadDrafts()
    const tuple = (items: object, $schema?: string) =>
      checkOf(
        drafts,
        JSON.stringify({ ...($schema === undefined ? {} : { $schema }), ...items }),
        [],
      )
    const prefix = { prefixItems: [{ type: 'string' }] }
    assert.equal(tuple(prefix, 'https://json-schema.org/draft/2020-12/schema')([1]), false)
    assert.equal(tuple(prefix, 'http://json-schema.org/draft-07/schema#')([1]), true)
    const dependent = { dependentRequired: { a: ['b'] } }
    assert.equal(tuple(dependent, 'https://json-schema.org/draft/2019-09/schema')({ a: 1 }), false)
    assert.equal(tuple({ items: [{ type: 'string' }] })([1]), false)
    assert.throws(() => tuple({}, 'http://json-schema.org/draft-03/schema#'), /draft-03.*not known/)
  })

  it('lets keywords be that it does not know', async () => {
    const drafts = await loadDrafts()
    const own = { type: 'object', javaType: 'Order', properties: { at: { format: 'date-time' } } }
    assert.equal(checkOf(drafts, JSON.stringify(own), [])({ at: 'x' }), true)
  })

  it('checks what will be read: a Date is a text by then', async () => {
    const server = await TestRegistry.start()
    try {
      const registry = new SchemaRegistry({ urls: [server.url] })
      server.add('money', '{"type":"object","properties":{"at":{"type":"string"}}}', 'JSON')
      const references = [{ name: 'money.json', subject: 'money', version: 1 }]
      const format = jsonSchema({ schema: { $ref: 'money.json' }, references, register: true })
      const codec = await format.open({ registry, topic: 'orders', writes: true })
      const batch = batchOf([codec.encode({ at: new Date(0), gone: undefined })])
      const reader = await jsonSchema().open({ registry, topic: 'orders', writes: false })
      await reader.prepare(batch)
      assert.deepEqual(decoded(reader, batch, 0), { at: '1970-01-01T00:00:00.000Z' })
      assert.throws(() => codec.encode({ at: 5 }), /at must be string/)
      const broken = batchOf([Buffer.from('00000000027b2261223a22ff227d', 'hex')])
      await reader.prepare(broken)
      assert.throws(() => decoded(reader, broken, 0), /not valid UTF-8/)
    } finally {
      await server.stop()
    }
  })
})
