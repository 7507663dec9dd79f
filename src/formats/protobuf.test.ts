import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { batchOf, decoded, formatContract } from './format.contract.ts'
import type { Codec } from './format.ts'
import { loadTools, pathBytes, pathIn, protobuf } from './protobuf.ts'
import { readSchema } from './protobuf-schema.ts'
import { SchemaRegistry } from './registry.ts'
import { TestRegistry } from './registry-testing.ts'

const schema = `syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
message Order {
  string id = 1;
  int64 cents = 2;
  double weight = 3;
  bytes raw = 4;
  message Line { string sku = 1; repeated sint32 counts = 2; }
  repeated Line lines = 5;
  map<string, uint64> tags = 6;
  enum Kind { SALE = 0; REFUND = 1; }
  Kind kind = 7;
  optional bool paid = 8;
  google.protobuf.Timestamp created_at = 9;
}
`
const text = fc.string({ unit: 'grapheme' })
const values = fc.record(
  {
    id: text,
    cents: fc.maxSafeInteger(),
    weight: fc.double({ noNaN: true, noDefaultInfinity: true }),
    raw: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('base64')),
    lines: fc.array(fc.record({ sku: text, counts: fc.array(fc.integer()) }), { maxLength: 5 }),
    tags: fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.maxSafeNat()),
    kind: fc.constantFrom('SALE', 'REFUND'),
    paid: fc.boolean(),
    createdAt: fc
      .date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true })
      .map((date) => date.toISOString().replace('.000Z', 'Z')),
  },
  { requiredKeys: ['id', 'cents', 'weight', 'raw', 'lines', 'tags', 'kind'] },
)
const order = { id: 'a', cents: 5, weight: 1.5, raw: 'AAE=', lines: [], tags: {}, kind: 'SALE' }

formatContract({
  name: 'protobuf',
  type: 'PROTOBUF',
  format: (text, register = false) =>
    protobuf(text === undefined ? {} : { schema: text, register }),
  schema,
  values,
  misfit: {
    value: { ...order, lines: [{ sku: 'a', counts: ['x'] }] },
    says: /^shop\.Order\.Line\.counts/,
  },
  later: {
    schema: `syntax = "proto3"; package shop;
      message Order { string id = 1; string currency = 20; sint64 rank = 21; }`,
    value: order,
    read: { id: 'a', currency: '', rank: 0 },
  },
  noSchema: 'syntax = "proto3"; message Order { Nothing a = 1; }',
})

const tools = await loadTools()

async function withRegistry<Result>(
  work: (registry: SchemaRegistry, server: TestRegistry) => Promise<Result>,
): Promise<Result> {
  const server = await TestRegistry.start()
  try {
    return await work(new SchemaRegistry({ urls: [server.url] }), server)
  } finally {
    await server.stop()
  }
}

/** What comes back of a value, and its bytes. */
function through(given: Parameters<typeof protobuf>[0], value: unknown) {
  return withRegistry(async (registry) => {
    const format = protobuf({ register: true, ...given })
    const codec: Codec = await format.open({ registry, topic: 'orders', writes: true })
    const bytes = Buffer.from(codec.encode(value))
    const batch = batchOf([bytes])
    await codec.prepare(batch)
    return { bytes, value: decoded(codec, batch, 0) }
  })
}

describe('the place of a message in its file', () => {
  it('is a single 0 for the first, else how many numbers and each, zigzag', () => {
    assert.equal(pathBytes([0]).toString('hex'), '00')
    assert.equal(pathBytes([1]).toString('hex'), '0202')
    assert.equal(pathBytes([1, 0]).toString('hex'), '040200')
    assert.deepEqual(pathIn(Buffer.from('020009', 'hex'), 0, 3), { path: [0], next: 2 })
    assert.throws(() => pathIn(Buffer.from('04', 'hex'), 0, 1), /cut short/)
    assert.throws(() => pathIn(Buffer.from('01', 'hex'), 0, 1), /damaged/)
    assert.throws(() => pathIn(Buffer.alloc(9, 0xff), 0, 9), /damaged/)
    const path = fc.array(fc.nat(100_000), { minLength: 1, maxLength: 32 })
    fc.assert(
      fc.property(path, (numbers) => {
        const bytes = pathBytes(numbers)
        const found = pathIn(Buffer.concat([bytes, Buffer.of(7)]), 0, bytes.length + 1)
        assert.deepEqual(found, { path: numbers, next: bytes.length })
      }),
    )
  })

  it('counts the entries of maps, and nothing else that has braces', () => {
    const found = readSchema(
      tools,
      `syntax = "proto2"; package a.b; // message Comment {
      option (x) = { message: "text { }" };
      enum E { Z = 0; }
      message First {
        optional string message = 1 [default = "message X {"];
        enum Inner { Y = 0; }
        oneof choice { string c = 2; int32 d = 3; }
        message Pair { }
        map<string, Second> entries = 4 [deprecated = true];
        message Nested { message Deep { } }
        repeated group List = 5 { optional int32 q = 1; }
      }
      extend First { optional string more = 100; }
      service S { rpc Call (First) returns (Second) { option (y) = { z: 1 }; } }
      message Second { }`,
      [],
    )
    const pathOf = (name: string) => found.pathOf(found.type(name))
    assert.deepEqual(pathOf('First'), [0])
    assert.deepEqual(pathOf('First.Pair'), [0, 0])
    assert.deepEqual(pathOf('a.b.First.Nested.Deep'), [0, 2, 0])
    assert.deepEqual(pathOf('First.List'), [0, 3])
    assert.deepEqual(pathOf('Second'), [1])
    assert.throws(
      () => found.type('Third'),
      /no message Third; there are: a\.b\.First, a\.b\.Second/,
    )
    assert.throws(() => found.typeAt([7]), /no message \[7\]/)
  })

  it('chooses what is written and read', async () => {
    const line = { sku: 'a', counts: [1] }
    const { bytes, value } = await through({ schema, message: 'Order.Line' }, line)
    assert.equal(bytes.subarray(5, 8).toString('hex'), '040000')
    assert.deepEqual(value, line)
    await withRegistry(async (registry, server) => {
      server.add('orders-value', schema, 'PROTOBUF')
      const reader = await protobuf({ schema }).open({ registry, topic: 'orders', writes: false })
      const batch = batchOf([bytes])
      await reader.prepare(batch)
      assert.throws(() => decoded(reader, batch, 0), /is a shop\.Order\.Line.*hold shop\.Order$/)
    })
  })
})

describe('protobuf', () => {
  const longs = `syntax = "proto3"; import "google/protobuf/wrappers.proto";
    message M { uint64 a = 1; repeated int64 b = 2; map<int64, fixed64> c = 3;
      google.protobuf.Int64Value d = 4; M e = 5; float f = 6; }`

  it('keeps all digits of 64-bit numbers, as numbers or as text, or refuses them', async () => {
    const small = { a: 5, b: [-1], c: { 7: 8 }, d: 9, e: { a: 1, b: [], c: {}, f: 0 }, f: 0 }
    assert.deepEqual((await through({ schema: longs }, small)).value, small)
    const large = { a: '18446744073709551615', b: ['-9223372036854775808'], c: {}, d: '1', f: 0 }
    assert.deepEqual((await through({ schema: longs, longs: 'string' }, large)).value, large)
    for (const value of [
      { a: 2n ** 53n },
      { b: ['9007199254740993'] },
      { d: '9007199254740993' },
    ]) {
      const plain = JSON.parse(
        JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? `${one}` : one)),
      )
      await assert.rejects(through({ schema: longs }, plain), /longs: 'string'/)
    }
  })

  it('has what stands at its default, and not what can be absent and is', async () => {
    const { value } = await through({ schema }, {})
    const empty = { id: '', cents: 0, weight: 0, raw: '', lines: [], tags: {}, kind: 'SALE' }
    assert.deepEqual(value, empty)
  })

  it('takes a Date and what is undefined as JSON does', async () => {
    const { value } = await through(
      { schema },
      { ...order, createdAt: new Date(0), paid: undefined },
    )
    assert.deepEqual(value, { ...order, createdAt: '1970-01-01T00:00:00Z' })
  })

  it('has numbers that are none as numbers', async () => {
    for (const f of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const { value } = await through({ schema: longs }, { f })
      assert.equal((value as { f: number }).f, f)
    }
  })

  it('imports from other subjects, and says which import is missing', async () => {
    await withRegistry(async (registry, server) => {
      const money = 'syntax = "proto3"; package shop; message Money { int64 cents = 1; }'
      server.add('money', money, 'PROTOBUF')
      const importing =
        'syntax = "proto3"; import "money.proto"; message O { shop.Money total = 1; }'
      const references = [{ name: 'money.proto', subject: 'money', version: 1 }]
      const format = protobuf({ schema: importing, references, register: true })
      const codec = await format.open({ registry, topic: 'orders', writes: true })
      const batch = batchOf([codec.encode({ total: { cents: 3 } })])
      const reader = await protobuf().open({ registry, topic: 'orders', writes: false })
      await reader.prepare(batch)
      assert.deepEqual(decoded(reader, batch, 0), { total: { cents: 3 } })
      const missing = protobuf({ schema: importing, register: true })
      const opening = missing.open({ registry, topic: 'others', writes: true })
      await assert.rejects(opening, /imports money\.proto, which the registry has no reference for/)
    })
  })

  it('needs no import that is for options only', async () => {
    const own =
      'syntax = "proto3"; import "acme/options.proto"; message O { string a = 1 [(acme.x) = 1]; }'
    assert.deepEqual((await through({ schema: own }, { a: 'x' })).value, { a: 'x' })
  })
})
