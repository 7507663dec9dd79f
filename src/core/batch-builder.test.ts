import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Batch } from './batch.ts'
import { BatchBuilder } from './batch-builder.ts'
import { decodeHeaders, encodeHeaders } from './headers.ts'
import { idHeader, idOf, versionHeader, versionOf, withIdentity } from './identity.ts'
import { Message } from './message.ts'
import { readVarint, varintSize, writeVarint } from './varint.ts'

const header = fc.record({
  key: fc.string(),
  value: fc.option(fc.uint8Array().map((bytes) => Buffer.from(bytes))),
})
const message = fc.record({
  key: fc.option(fc.string()),
  value: fc.option(fc.string()),
  time: fc.integer(),
  headers: fc.array(header, { maxLength: 4 }),
})

/** The batch as a log would give it: with an origin and offsets. */
function asRead(batch: Batch, origin: string, firstOffset: number): Batch {
  const offsets = batch.offsets.map((_, index) => firstOffset + index)
  return new Batch({ ...batch, origin, offsets })
}

const textOf = (bytes: Buffer | null) => (bytes === null ? null : bytes.toString())
const wellFormed = (text: string | null) => (text === null ? null : Buffer.from(text).toString())

describe('varint', () => {
  it('reads what was written, and knows its size', () => {
    fc.assert(
      fc.property(fc.integer(), (value) => {
        const bytes = Buffer.alloc(8)
        const end = writeVarint(bytes, 1, value)
        const cursor = { at: 1 }
        assert.equal(readVarint(bytes, cursor, 8), value)
        assert.deepEqual([cursor.at, end], [end, 1 + varintSize(value)])
      }),
    )
  })

  it('says that a number does not end', () => {
    const cursor = { at: 0 }
    readVarint(Buffer.from([0x80, 0x80]), cursor, 2)
    assert.equal(cursor.at, -1)
  })
})

describe('headers', () => {
  it('are decoded as they were encoded', () => {
    fc.assert(
      fc.property(fc.array(header), (headers) => {
        const bytes = encodeHeaders(headers)
        const wanted = headers.map(({ key, value }) => ({ key: wellFormed(key), value }))
        assert.deepEqual(decodeHeaders(bytes, 0, bytes.length), wanted)
      }),
    )
  })
})

describe('a batch builder', () => {
  it('gives back what was appended, however much that is', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 300 }), (messages) => {
        const builder = new BatchBuilder('t', 3)
        for (const { key, value, time, headers } of messages)
          builder.append(key, value, time, headers)
        const batch = builder.build()
        assert.equal(batch.count, messages.length)
        messages.forEach((one, index) => {
          const found = new Message(batch, index)
          assert.equal(textOf(found.key), wellFormed(one.key))
          assert.equal(textOf(found.value), wellFormed(one.value))
          assert.equal(found.time, one.time)
          assert.equal(found.headers.length, one.headers.length)
        })
        assert.equal(builder.count, 0)
      }),
      { numRuns: 50 },
    )
  })

  it('passes on id, version and headers of the message that a value came from', () => {
    fc.assert(
      fc.property(message, fc.nat(), fc.boolean(), (given, offset, isTwice) => {
        const first = new BatchBuilder('a', 0)
        first.append(given.key, given.value, given.time, given.headers)
        let from = asRead(first.build(), 'topic123/0', offset)
        for (let hop = 0; hop < (isTwice ? 2 : 1); hop++) {
          const builder = new BatchBuilder('b', 0)
          builder.appendDerived(from.bytes, -1, -1, '{}', 5, from, 0)
          from = asRead(builder.build(), `other${hop}/0`, 77)
        }
        assert.equal(idOf(from, 0), `topic123/0/${offset}`)
        assert.equal(versionOf(from, 0), offset)
        const passed = new Message(from, 0).headers.map(({ key }) => key)
        assert.deepEqual(passed, [
          idHeader,
          versionHeader,
          ...given.headers.map((h) => wellFormed(h.key)),
        ])
      }),
    )
  })

  it("keeps a source's own id, and gives it the version of where it entered the log", () => {
    const source = new BatchBuilder('s', 0)
    source.append(null, '{}', 1, [{ key: idHeader, value: Buffer.from('x:1') }])
    const stored = new BatchBuilder('a', 0)
    const read = source.build()
    stored.appendDerived(read.bytes, -1, -1, '{}', 1, read, 0)
    const atTopic = asRead(stored.build(), 'topic123/0', 42)
    assert.deepEqual([idOf(atTopic, 0), versionOf(atTopic, 0)], ['x:1', 42])
    const onward = new BatchBuilder('b', 0)
    onward.appendDerived(atTopic.bytes, -1, -1, '{}', 1, atTopic, 0)
    const later = asRead(onward.build(), 'other/0', 7)
    assert.deepEqual([idOf(later, 0), versionOf(later, 0)], ['x:1', 42])
  })

  it('replaces an identity', () => {
    const headers = withIdentity([{ key: idHeader, value: Buffer.from('old') }], {
      id: 'new',
      version: 9,
    })
    const builder = new BatchBuilder('t', 0)
    builder.append(null, null, 0, headers)
    const batch = builder.build()
    assert.deepEqual([idOf(batch, 0), versionOf(batch, 0)], ['new', 9])
  })
})
