import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { avro } from './avro.ts'
import { batchOf, decoded, formatContract } from './format.contract.ts'
import type { Codec, Format } from './format.ts'
import { SchemaRegistry } from './registry.ts'
import { TestRegistry } from './registry-testing.ts'

const line = {
  type: 'record',
  name: 'Line',
  fields: [
    { name: 'sku', type: 'string' },
    { name: 'counts', type: { type: 'array', items: 'int' } },
  ],
}
const fields = [
  { name: 'id', type: 'string' },
  { name: 'cents', type: 'long' },
  { name: 'weight', type: 'double' },
  { name: 'note', type: ['null', 'string'], default: null },
  { name: 'raw', type: 'bytes' },
  { name: 'lines', type: { type: 'array', items: line } },
  { name: 'tags', type: { type: 'map', values: ['null', 'long'] } },
  { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['SALE', 'REFUND'] } },
]
const record = (list: readonly object[]) =>
  JSON.stringify({ type: 'record', name: 'Order', namespace: 'shop', fields: list })

const text = fc.string({ unit: 'grapheme' })
const base64 = fc
  .uint8Array({ maxLength: 20 })
  .map((bytes) => Buffer.from(bytes).toString('base64'))
const double = fc.double({ noNaN: true, noDefaultInfinity: true })
const values = fc.record({
  id: text,
  cents: fc.maxSafeInteger(),
  weight: double,
  note: fc.option(text),
  raw: base64,
  lines: fc.array(fc.record({ sku: text, counts: fc.array(fc.integer()) }), { maxLength: 5 }),
  tags: fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.option(fc.maxSafeInteger())),
  kind: fc.constantFrom('SALE', 'REFUND'),
})
const order = {
  ...{ id: 'a', cents: 5, weight: 1.5, note: null, raw: 'AAE=', lines: [], tags: {}, kind: 'SALE' },
}

formatContract({
  name: 'avro',
  type: 'AVRO',
  format: (schema, register = false) => avro(schema === undefined ? {} : { schema, register }),
  schema: record(fields),
  values,
  misfit: {
    value: { ...order, lines: [{ sku: 'a', counts: ['x'] }] },
    says: /lines\.0\.counts\.0/,
  },
  later: {
    schema: record([
      { name: 'id', type: 'string' },
      { name: 'amount', type: 'double', aliases: ['cents'] },
      { name: 'currency', type: 'string', default: 'EUR' },
      { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['REFUND', 'SALE', 'GIFT'] } },
    ]),
    value: order,
    read: { id: 'a', amount: 5, currency: 'EUR', kind: 'SALE' },
  },
  noSchema: '{"type":"record","name":"Order","fields":[{"name":"a","type":"nothing"}]}',
})

/** What comes back of a value of one schema, or why it does not. */
async function through(
  schema: object | string,
  value: unknown,
  more: object = {},
): Promise<unknown> {
  return withCodec(avro({ schema: schema as never, register: true, ...more }), async (codec) => {
    const batch = batchOf([Buffer.from(codec.encode(value))])
    await codec.prepare(batch)
    return decoded(codec, batch, 0)
  })
}

async function withCodec<Result>(format: Format, work: (codec: Codec) => Promise<Result>) {
  const server = await TestRegistry.start()
  try {
    const registry = new SchemaRegistry({ urls: [server.url] })
    return await work(await format.open({ registry, topic: 'orders', writes: true }))
  } finally {
    await server.stop()
  }
}

const decimal = { type: 'bytes', logicalType: 'decimal', precision: 6, scale: 2 }

describe('avro', () => {
  it('keeps all digits of 64-bit numbers, as numbers or as text, or refuses them', async () => {
    for (const long of [0, -1, 63, -64, 2 ** 31, -(2 ** 52) - 1, 2 ** 53 - 1, -(2 ** 53) + 1]) {
      assert.equal(await through('long', long), long)
      assert.equal(await through('long', long, { longs: 'string' }), String(long))
    }
    for (const long of ['9223372036854775807', '-9223372036854775808', '-9007199254740993']) {
      assert.equal(await through('long', long, { longs: 'string' }), long)
    }
    await assert.rejects(through('long', 2 ** 53), /VALUE_UNWRITABLE|is no/)
    const beyond = through('long', '9223372036854775808', { longs: 'string' })
    await assert.rejects(beyond, /is no/)
    await withCodec(avro({ schema: 'long', register: true }), async (codec) => {
      const batch = batchOf([Buffer.from('0000000001ffffffffffffffffff01', 'hex')])
      await codec.prepare(batch)
      assert.throws(() => decoded(codec, batch, 0), /-9223372036854775808.*longs: 'string'/)
    })
  })

  it('has decimals as text with their digits, and refuses those that do not fit', async () => {
    for (const value of ['0.00', '-0.01', '1.27', '1.28', '-1.28', '9999.99', '-9999.99']) {
      assert.equal(await through(decimal, value), value)
    }
    assert.equal(await through(decimal, '7'), '7.00')
    assert.equal(await through({ ...decimal, type: 'fixed', name: 'D', size: 4 }, '-3.5'), '-3.50')
    for (const value of ['1.234', '10000.00', 'x', '']) {
      await assert.rejects(through(decimal, value), /is no/)
    }
  })

  it('names the branch of a union whose values do not tell it', async () => {
    const numbers = ['null', 'int', 'long', 'double']
    assert.deepEqual(await through(numbers, { long: 5 }), { long: 5 })
    assert.equal(await through(numbers, null), null)
    assert.deepEqual(await through(['string', 'bytes'], { bytes: 'AAE=' }), { bytes: 'AAE=' })
    assert.equal(await through(['null', 'long', 'string'], 'five'), 'five')
    const inner = { type: 'record', name: 'R', fields: [{ name: 'a', type: ['null', 'long'] }] }
    assert.deepEqual(await through(['int', 'long', inner], { R: { a: 5 } }), { R: { a: 5 } })
  })

  it('leaves out no field without a word', async () => {
    const schema = { type: 'record', name: 'R', fields: [{ name: 'a', type: 'int' }] }
    await assert.rejects(through(schema, { a: 1, b: 2 }), /no field b/)
  })

  it('does not believe a damaged count, which would take all memory', async () => {
    const schema = { type: 'array', items: 'null' }
    for (const [items, hex] of [
      ['string', 'feffffff0f010203'],
      ['null', 'feffffffffff7f00'],
    ]) {
      await withCodec(avro({ schema: { ...schema, items }, register: true }), async (codec) => {
        const batch = batchOf([Buffer.from(`0000000001${hex}`, 'hex')])
        await codec.prepare(batch)
        assert.throws(() => decoded(codec, batch, 0), /damaged/)
      })
    }
  })

  it('refuses bytes behind the value, which say that the schema is another', async () => {
    await withCodec(avro({ schema: 'int', register: true }), async (codec) => {
      const batch = batchOf([Buffer.from('00000000010203', 'hex')])
      await codec.prepare(batch)
      assert.throws(() => decoded(codec, batch, 0), /1 bytes more than its schema says/)
    })
  })

  it('reads a type that holds itself', async () => {
    const next = ['null', 'Node']
    const fields = [
      { name: 'value', type: 'int' },
      { name: 'next', type: next, default: null },
    ]
    const list = { value: 1, next: { value: 2, next: null } }
    const schema = { type: 'record', name: 'Node', fields }
    assert.deepEqual(await through(schema, list), list)
    assert.deepEqual(await through({ type: 'array', items: schema }, [list]), [list])
  })

  it('takes types from other subjects', async () => {
    const server = await TestRegistry.start()
    try {
      server.add(
        'money',
        '{"type":"record","name":"shop.Money","fields":[{"name":"cents","type":"long"}]}',
      )
      const references = [{ name: 'shop.Money', subject: 'money', version: 1 }]
      const fields = [{ name: 'total', type: 'shop.Money' }]
      const schema = { type: 'record', name: 'Order', fields }
      const registry = new SchemaRegistry({ urls: [server.url] })
      const format = avro({ schema, references, register: true })
      const codec = await format.open({ registry, topic: 'orders', writes: true })
      const batch = batchOf([Buffer.from(codec.encode({ total: { cents: 3 } }))])
      const reader = await avro().open({ registry, topic: 'orders', writes: false })
      await reader.prepare(batch)
      assert.deepEqual(decoded(reader, batch, 0), { total: { cents: 3 } })
    } finally {
      await server.stop()
    }
  })

  it('stops a reader before the start that cannot read what is written now', async () => {
    const server = await TestRegistry.start()
    try {
      server.add('orders-value', record([{ name: 'name', type: 'string' }]))
      const registry = new SchemaRegistry({ urls: [server.url] })
      const format = avro({ schema: record([{ name: 'id', type: 'string' }]) })
      await assert.rejects(format.open({ registry, topic: 'orders', writes: false }), {
        code: 'SCHEMA_INCOMPATIBLE',
      })
    } finally {
      await server.stop()
    }
  })

  it('refuses options that there are not', () => {
    assert.throws(
      () => avro({ schemas: {} } as never),
      /unknown option 'schemas', did you mean 'schema'/,
    )
  })
})
