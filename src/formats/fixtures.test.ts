import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { avro } from './avro.ts'
import { encodeCase, formatOf, type WireCase, withCase } from './fixtures-testing.ts'
import { batchOf, decoded } from './format.contract.ts'
import type { Format } from './format.ts'
import { jsonSchema } from './json-schema.ts'
import { protobuf } from './protobuf.ts'

const file = new URL('./fixtures/wire-formats.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: readonly WireCase[] }

const undeclared: Record<WireCase['type'], () => Format> = {
  AVRO: avro,
  PROTOBUF: protobuf,
  JSON: jsonSchema,
}

describe("Confluent's serialisers", () => {
  for (const [index, one] of cases.entries()) {
    const name = `${one.type} ${index}${one.message === undefined ? '' : ` (${one.message})`}`
    const read = (text: string, format: Format) =>
      withCase(one, text, format, async (codec) => {
        const batch = batchOf([Buffer.from(one.confluent, 'hex')])
        await codec.prepare(batch)
        return decoded(codec, batch, 0)
      })

    it(`are read: ${name}`, async () => {
      assert.deepEqual(await read(one.schema, formatOf(one)), one.value)
      // As it stands in a registry to which Confluent's serialiser gave it.
      const registered = one.descriptor ?? one.schema
      assert.deepEqual(await read(registered, undeclared[one.type]()), one.value)
    })

    it(`read what is written: ${name}`, async () => {
      // They did when the fixture was made, with these bytes.
      assert.equal((await encodeCase(one)).toString('hex'), one.millrace)
    })
  }

  it('name the same messages by the same paths', () => {
    const paths = cases.filter(({ type }) => type === 'PROTOBUF').map(({ path }) => path)
    assert.deepEqual(paths, [[0], [0], [0, 1], [1], [1, 0]])
    for (const one of cases) assert.equal(one.millrace?.slice(0, 16), one.confluent.slice(0, 16))
  })
})
