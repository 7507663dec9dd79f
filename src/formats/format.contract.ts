/** The law of this room: what every format promises, whatever its bytes look like. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import fc from 'fast-check'
import type { Batch } from '../core/batch.ts'
import { BatchBuilder } from '../core/batch-builder.ts'
import { codeOf, orderOf } from '../core/errors.ts'
import type { Codec, Format } from './format.ts'
import { SchemaRegistry, type SchemaType } from './registry.ts'
import { TestRegistry } from './registry-testing.ts'
import { unknownForMs } from './wire-codec.ts'

export interface FormatUnderLaw {
  readonly name: string
  readonly type: SchemaType
  /** The format with a declared schema, or with none. */
  readonly format: (schema?: string, register?: boolean) => Format
  readonly schema: string
  /** Values that fit the schema, and are read as exactly what was written. */
  readonly values: fc.Arbitrary<unknown>
  readonly misfit: { readonly value: unknown; readonly says: RegExp }
  /** A later schema reads what was written with the schema. */
  readonly later: { readonly schema: string; readonly value: unknown; readonly read: unknown }
  /** A text that is no schema of this type. */
  readonly noSchema: string
}

const topic = 'orders'
const subject = 'orders-value'

export function formatContract(law: FormatUnderLaw): void {
  describe(`contract: formats/${law.name}`, () => {
    let server: TestRegistry
    let nowMs = 0
    before(async () => {
      server = await TestRegistry.start()
    })
    after(() => server.stop())
    beforeEach(() => server.clear())

    const open = (format: Format, writes = true) => {
      const registry = new SchemaRegistry({ urls: [server.url] })
      return format.open({ registry, topic, writes, now: () => nowMs })
    }
    const opened = async (): Promise<Codec> => {
      server.add(subject, law.schema, law.type, [], 0x01020304)
      return open(law.format(law.schema))
    }
    const values = law.values.map((value) => JSON.parse(JSON.stringify(value)) as unknown)
    const sample = () => fc.sample(values, { numRuns: 1, seed: 7 })[0]
    const refusedWith = (code: string, work: () => unknown, says: RegExp = /./) =>
      assert.throws(work, (error) => {
        assert.equal(codeOf(error), code)
        assert.match((error as Error).message, says)
        return true
      })

    describe('values', () => {
      it('come back as they were, and are what JSON can hold', async () => {
        const codec = await opened()
        await codec.prepare(batchOf([codec.encode(sample())]))
        fc.assert(
          fc.property(values, (value) => {
            const batch = batchOf([codec.encode(value)])
            const read = decoded(codec, batch, 0)
            assert.deepEqual(read, value)
            assert.deepEqual(JSON.parse(JSON.stringify(read)), read)
          }),
          { numRuns: 200 },
        )
      })

      it('stand behind a zero and the id of their schema', async () => {
        const codec = await opened()
        assert.equal(codec.encode(sample()).subarray(0, 5).toString('hex'), '0001020304')
      })

      it('are read wherever they stand among other bytes', async () => {
        const codec = await opened()
        const [one, two] = fc.sample(values, { numRuns: 2, seed: 3 })
        const bytes = [one, two, one].map((value) => Buffer.from(codec.encode(value)))
        const batch = batchOf(bytes)
        await codec.prepare(batch)
        assert.deepEqual(
          [0, 1, 2].map((index) => decoded(codec, batch, index)),
          [one, two, one],
        )
      })

      it('that do not fit are refused, and the field is named', async () => {
        const codec = await opened()
        refusedWith('VALUE_UNWRITABLE', () => codec.encode(law.misfit.value), law.misfit.says)
        for (const value of [undefined, () => 1]) {
          refusedWith('VALUE_UNWRITABLE', () => codec.encode(value))
        }
      })
    })

    describe('bytes', () => {
      it('outside the wire format are refused in words', async () => {
        const codec = await opened()
        const unreadable = (bytes: string | Buffer, says: RegExp) => {
          const batch = batchOf([bytes])
          assert.equal(codec.prepare(batch), undefined)
          refusedWith('VALUE_UNREADABLE', () => decoded(codec, batch, 0), says)
        }
        unreadable('{"id":"a"}', /plain JSON/)
        unreadable('\u0001abcdef', /0x01/)
        unreadable('', /cut short/)
        unreadable(Buffer.of(0, 1, 2), /cut short/)
      })

      it('that are damaged are refused or read, and never do more than that', async () => {
        const codec = await opened()
        await codec.prepare(batchOf([codec.encode(sample())]))
        const damage = fc.tuple(values, fc.nat(), fc.nat(255), fc.boolean())
        fc.assert(
          fc.property(damage, ([value, place, byte, isCut]) => {
            const whole = Buffer.from(codec.encode(value))
            const at = 5 + (place % Math.max(1, whole.length - 5))
            const bytes = isCut ? whole.subarray(0, at) : whole
            if (!isCut && at < bytes.length) bytes[at] = byte
            try {
              decoded(codec, batchOf([bytes, Buffer.alloc(64, 0xff)]), 0)
            } catch (error) {
              assert.equal(codeOf(error), 'VALUE_UNREADABLE', String(error))
            }
          }),
          { numRuns: 300 },
        )
      })
    })

    describe('schemas', () => {
      it('are fetched once, and a batch of known ones costs no promise', async () => {
        const writer = await opened()
        const batch = batchOf([writer.encode(sample()), null, writer.encode(sample())])
        const codec = await open(law.format(), false)
        await codec.prepare(batch)
        const asked = server.asked.filter((path) => path.includes('/schemas/ids/')).length
        assert.equal(codec.prepare(batch), undefined)
        assert.equal(asked, 1)
        assert.deepEqual(decoded(codec, batch, 2), sample())
      })

      it('that do not exist refuse their messages alone, and are asked for again later', async () => {
        const codec = await opened()
        const known = Buffer.from(codec.encode(sample()))
        const unknown = Buffer.from(known)
        unknown.writeUInt32BE(77, 1)
        const batch = batchOf([unknown, known])
        await codec.prepare(batch)
        refusedWith('SCHEMA_UNKNOWN', () => decoded(codec, batch, 0), /no schema 77/)
        assert.deepEqual(decoded(codec, batch, 1), sample())
        assert.equal(codec.prepare(batch), undefined)
        server.add('elsewhere-value', law.schema, law.type, [], 77)
        nowMs += unknownForMs
        await codec.prepare(batch)
        assert.deepEqual(decoded(codec, batch, 0), sample())
      })

      it('of another type, or none at all, refuse their messages', async () => {
        const writer = await opened()
        const codec = await open(law.format(), false)
        const others: [SchemaType, string][] = [
          ['AVRO', '"string"'],
          ['JSON', '{}'],
        ]
        const [type, text] = others.find(([one]) => one !== law.type)!
        server.add('other-value', text, type, [], 88)
        server.add('broken-value', law.noSchema, law.type, [], 89)
        for (const [id, says] of [
          [88, /of type/],
          [89, /cannot be used/],
        ] as const) {
          const bytes = Buffer.from(writer.encode(sample()))
          bytes.writeUInt32BE(id, 1)
          const batch = batchOf([bytes])
          await codec.prepare(batch)
          refusedWith('SCHEMA_UNKNOWN', () => decoded(codec, batch, 0), says)
        }
      })

      it('are waited for while the registry is away', async () => {
        const writer = await opened()
        const batch = batchOf([writer.encode(sample())])
        const codec = await open(law.format(), false)
        server.instead = () => [503, { message: 'not now' }]
        await assert.rejects(codec.prepare(batch)!, (error) => orderOf(error) === 'try-later')
        server.instead = undefined
        await codec.prepare(batch)
        assert.deepEqual(decoded(codec, batch, 0), sample())
      })

      it('that were written before are read as the later one', async () => {
        const writer = await opened()
        const batch = batchOf([writer.encode(law.later.value)])
        const codec = await open(law.format(law.later.schema), false)
        await codec.prepare(batch)
        assert.deepEqual(decoded(codec, batch, 0), law.later.read)
      })
    })

    describe('before a start', () => {
      const fails = (code: string, work: Promise<unknown>, says: RegExp) =>
        assert.rejects(work, (error) => {
          assert.equal(codeOf(error), code)
          assert.match((error as Error).message, says)
          return true
        })

      it('a schema that nobody registered is registered where that is wanted, once', async () => {
        await fails('SCHEMA_MISSING', open(law.format(law.schema)), /register: true/)
        assert.equal(server.versions(subject), 0)
        const [one, other] = await Promise.all([
          open(law.format(law.schema, true)),
          open(law.format(law.schema, true)),
        ])
        assert.equal(server.versions(subject), 1)
        const bytes = Buffer.from(one.encode(sample()))
        assert.deepEqual(other.encode(sample()), bytes)
      })

      it('who only reads registers nothing, and needs nothing there', async () => {
        await open(law.format(law.schema, true), false)
        assert.equal(server.versions(subject), 0)
      })

      it('without a declared schema the newest is written with, and there has to be one', async () => {
        await fails('SCHEMA_MISSING', open(law.format()), /declare one/)
        server.add(subject, law.schema, law.type, [], 5)
        const codec = await open(law.format())
        assert.equal(codec.encode(sample()).readUInt32BE(1), 5)
      })

      it('a schema that the registry finds incompatible stops it, and its reason is told', async () => {
        server.add(subject, law.later.schema, law.type)
        server.whyIncompatible = () => 'FIELD_GONE at /fields/3'
        const opening = open(law.format(law.schema, true))
        await fails('SCHEMA_INCOMPATIBLE', opening, /orders-value.*FIELD_GONE/)
        assert.equal(server.versions(subject), 1)
      })

      it('a schema that is none, or a subject of another type, stops it', async () => {
        await fails('SCHEMA_INVALID', open(law.format(law.noSchema)), /orders/)
        server.add(subject, '{}', law.type === 'JSON' ? 'AVRO' : 'JSON')
        await fails('SCHEMA_INCOMPATIBLE', open(law.format(law.schema)), /of type/)
      })
    })

    it('is closed twice without harm', async () => {
      const codec = await opened()
      await codec.close()
      await codec.close()
    })
  })
}

export function batchOf(values: readonly (Buffer | string | null)[]): Batch {
  const builder = new BatchBuilder(topic, 0)
  for (const value of values) builder.append(null, value, 0)
  return builder.build()
}

export function decoded(codec: Codec, batch: Batch, index: number): unknown {
  return codec.decode(batch.bytes, batch.valueStarts[index]!, batch.valueEnds[index]!)
}
