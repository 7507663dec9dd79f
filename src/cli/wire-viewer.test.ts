import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { BatchBuilder } from '../core/batch-builder.ts'
import { TestRegistry } from '../formats/registry-testing.ts'
import { appendDeadLetter } from '../pipeline/dead-letters.ts'
import { openWorkshop, put, type Workshop } from './cli-testing.ts'
import { deadLettersCommand } from './dead-letters.ts'
import { topicsCommand } from './topics.ts'

const order = '{"type":"record","name":"Order","fields":[{"name":"id","type":"string"}]}'
const proto = 'syntax = "proto3"; message Order { string id = 1; int64 cents = 2; }'
const hex = (text: string) => Buffer.from(text, 'hex')
const values = [
  hex('0000000001026102'.slice(0, 14)),
  hex('0000000002000a0161108080808080808020'),
  Buffer.concat([hex('0000000003'), Buffer.from('{"id":"c"}')]),
  hex('0000000009026101'),
  '{"id":"json"}',
  null,
]

describe('values in the wire format', () => {
  let registry: TestRegistry
  let shop: Workshop
  const tail = (...words: string[]) =>
    shop.run(topicsCommand(shop.context), 'tail', 'orders', '--from', 'start', ...words)
  const letters = (...words: string[]) => shop.run(deadLettersCommand(shop.context), ...words)

  before(async () => {
    registry = await TestRegistry.start()
    registry.add('a', order)
    registry.add('b', proto, 'PROTOBUF')
    registry.add('c', '{"type":"object"}', 'JSON')
    shop = await openWorkshop()
    await shop.log(async (log) => {
      await log.createTopic('orders', { partitions: 1 })
      await put(log, 'orders', 0, values)
      await log.createTopic('p.dead-letters', { partitions: 1 })
      const input = new BatchBuilder('orders', 0)
      input.append('k', values[0]!, 0)
      const dead = new BatchBuilder('p.dead-letters', 0)
      const failure = { origin: 0, id: 'x', step: 0, error: 'E', message: 'm' }
      const place = { step: 'read', nowMs: 0, maxMessageBytes: 100_000 }
      appendDeadLetter(dead, input.build(), failure, place)
      await log.commit({ outputs: [{ topic: dead.topic, partition: 0, batch: dead.build() }] })
    })
  })
  after(async () => {
    await registry.stop()
    await shop.close()
  })

  /** With the variable as it is for this test only. */
  async function withUrl<Result>(url: string | undefined, work: () => Promise<Result>) {
    const before = process.env.SCHEMA_REGISTRY_URL
    if (url === undefined) delete process.env.SCHEMA_REGISTRY_URL
    else process.env.SCHEMA_REGISTRY_URL = url
    try {
      return await work()
    } finally {
      if (before === undefined) delete process.env.SCHEMA_REGISTRY_URL
      else process.env.SCHEMA_REGISTRY_URL = before
    }
  }

  test('are shown as what they say, where there is a registry', () =>
    withUrl(registry.url, async () => {
      const lines = (await tail('--json')).split('\n').map((line) => JSON.parse(line))
      const seen = lines.map(({ value, valueFormat, schemaId }) => [value, valueFormat, schemaId])
      assert.deepEqual(seen.slice(0, 3), [
        [{ id: 'a' }, 'avro', 1],
        [{ id: 'a', cents: '18014398509481984' }, 'protobuf', 2],
        [{ id: 'c' }, 'jsonSchema', 3],
      ])
      assert.match(lines[3].problem, /has no schema 9/)
      assert.equal(lines[3].valueEncoding, 'base64')
      assert.deepEqual(seen.slice(4), [
        [{ id: 'json' }, undefined, undefined],
        [null, undefined, undefined],
      ])
      const [first] = (await tail()).split('\n')
      assert.match(first!, /0\/0 {2}key 0 {2}\{"id":"a"\}$/)
      assert.match(
        await letters('show', 'p', 'x'),
        /wire format with schema 1\n {2}\{\n {4}"id": "a"/,
      )
    }))

  test('are said to be in it, where there is none', () =>
    withUrl(undefined, async () => {
      const [first] = (await tail()).split('\n')
      assert.match(first!, /\(wire format, schema 1: no schema registry.*\) base64:AAAAAAECYQ==$/)
      const letter = JSON.parse(await letters('show', 'p', 'x', '--json'))
      assert.deepEqual([letter.schemaId, letter.value], [1, 'AAAAAAECYQ=='])
    }))

  test('do not wait for a registry that is away at each message', () =>
    withUrl('http://127.0.0.1:1', async () => {
      const lines = (await tail('--json')).split('\n').map((line) => JSON.parse(line))
      assert.equal(lines.filter(({ problem }) => /ECONNREFUSED/.test(problem ?? '')).length, 4)
    }))
})
