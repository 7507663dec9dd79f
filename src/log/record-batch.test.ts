import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { crc32c } from '@node-rs/crc32'
import fc from 'fast-check'
import type { Batch } from '../core/batch.ts'
import { BatchBuilder } from '../core/batch-builder.ts'
import { codeOf } from '../core/errors.ts'
import type { Header } from '../core/headers.ts'
import { messagesOf } from '../core/message.ts'
import type { Compression } from './log.ts'
import { decodeRecordBatches, encodeRecordBatch } from './record-batch.ts'
import * as layout from './record-batch-layout.ts'

interface Plain {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly time: number
  readonly headers: readonly Header[]
}

const compressions: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

const bytesOrNull = fc.option(fc.uint8Array({ maxLength: 60 }), { nil: null })
const plainMessage: fc.Arbitrary<Plain> = fc.record({
  key: bytesOrNull,
  value: fc.oneof(bytesOrNull, fc.uint8Array({ minLength: 100, maxLength: 300 })),
  time: fc.oneof(
    fc.integer({ min: 1_700_000_000_000, max: 1_700_000_001_000 }),
    fc.integer({ min: -8.64e15, max: 8.64e15 }),
  ),
  headers: fc.array(
    fc.record({
      key: fc.string({ unit: 'grapheme', maxLength: 5 }),
      value: fc.option(
        fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes)),
        { nil: null },
      ),
    }),
    { maxLength: 3 },
  ),
})

function batchOf(messages: readonly Plain[]): Batch {
  const builder = new BatchBuilder('words', 3)
  for (const { key, value, time, headers } of messages) builder.append(key, value, time, headers)
  return builder.build()
}

function decode(...encoded: Buffer[]): Batch {
  const pad = Buffer.from('what lies before')
  let position = pad.length
  const batches = encoded.map((bytes, index) => {
    const stored = { position, sizeBytes: bytes.length, baseOffset: 1000 * (index + 1) }
    position += bytes.length
    return stored
  })
  const bytes = Buffer.concat([pad, ...encoded, Buffer.from('what lies behind')])
  return decodeRecordBatches({
    topic: 'words',
    partition: 3,
    origin: 'abc/3',
    bytes,
    batches,
    from: 0,
    nextOffset: 9000,
  })
}

function plainOf(batch: Batch): unknown[] {
  return messagesOf(batch).map(({ offset, key, value, time, headers }) => ({
    offset,
    key: key && Buffer.from(key),
    value: value && Buffer.from(value),
    time,
    headers: headers.map((header) => [header.key, header.value && Buffer.from(header.value)]),
  }))
}

function expected(messages: readonly Plain[], baseOffset: number): unknown[] {
  return messages.map(({ key, value, time, headers }, index) => ({
    offset: baseOffset + index,
    key: key && Buffer.from(key),
    value: value && Buffer.from(value),
    time,
    headers: headers.map((header) => [header.key, header.value]),
  }))
}

const few: readonly Plain[] = [
  { key: Buffer.from('a'), value: Buffer.from('one'), time: 1_700_000_000_000, headers: [] },
  { key: null, value: null, time: 5, headers: [{ key: 'id', value: Buffer.from('x/1') }] },
  { key: Buffer.from(''), value: Buffer.from(''), time: -7, headers: [{ key: '', value: null }] },
]

/** Makes the checksum right again, as a program that writes nonsense would. */
function sealed(bytes: Buffer): Buffer {
  bytes.writeInt32BE(bytes.length - layout.lengthOverhead, layout.batchLengthAt)
  bytes.writeUInt32BE(crc32c(bytes.subarray(layout.attributesAt)), layout.crcAt)
  return bytes
}

function codeThrownBy(work: () => unknown): string | undefined {
  try {
    work()
  } catch (error) {
    return codeOf(error) ?? String(error)
  }
  return undefined
}

describe('record batch: round trip', () => {
  for (const compression of compressions) {
    it(`gives back any messages, ${compression}`, () => {
      fc.assert(
        fc.property(fc.array(plainMessage, { minLength: 1, maxLength: 40 }), (messages) => {
          const decoded = decode(encodeRecordBatch(batchOf(messages), { compression }))
          assert.deepEqual(plainOf(decoded), expected(messages, 1000))
          assert.deepEqual(
            [decoded.topic, decoded.partition, decoded.origin, decoded.nextOffset],
            ['words', 3, 'abc/3', 9000],
          )
        }),
        { numRuns: 60 },
      )
    })
  }

  it('encodes what it decoded to the same bytes, and any stretch of it', () => {
    const messages = fc.array(plainMessage, { minLength: 2, maxLength: 20 })
    fc.assert(
      fc.property(messages, fc.nat(), (plain, random) => {
        const bytes = encodeRecordBatch(batchOf(plain), { compression: 'none' })
        const decoded = decode(bytes)
        assert.deepEqual(encodeRecordBatch(decoded, { compression: 'none' }), bytes)
        const from = random % plain.length
        const to = from + 1 + (random % (plain.length - from))
        const part = encodeRecordBatch(decoded, { from, to, compression: 'none' })
        assert.deepEqual(plainOf(decode(part)), expected(plain.slice(from, to), 1000))
      }),
    )
  })

  it('joins batches of different compressions and leaves out what lies before `from`', () => {
    const encoded = compressions.map((compression) =>
      encodeRecordBatch(batchOf(few), { compression }),
    )
    const all = decode(...encoded)
    assert.deepEqual(
      plainOf(all),
      compressions.flatMap((_, index) => expected(few, 1000 * (index + 1))),
    )
    const bytes = encoded[0]!
    const batches = [{ position: 0, sizeBytes: bytes.length, baseOffset: 7 }]
    const stored = { topic: 't', partition: 0, origin: 'o/0', bytes, batches, nextOffset: 10 }
    assert.deepEqual(
      plainOf(decodeRecordBatches({ ...stored, from: 8 })),
      expected(few, 7).slice(1),
    )
    assert.equal(decodeRecordBatches({ ...stored, from: 10 }).count, 0)
    assert.equal(decodeRecordBatches({ ...stored, from: 8 }).bytes, bytes, 'nothing is copied')
  })

  it('drops fractions of milliseconds, and refuses by index a time that is none', () => {
    const [first, second] = few
    const times = [1_700_000_000_000.9, 1_700_000_000_001.2]
    const batch = batchOf([
      { ...first!, time: times[0]! },
      { ...second!, time: times[1]! },
    ])
    const decoded = decode(encodeRecordBatch(batch, { compression: 'none' }))
    assert.deepEqual([...decoded.times.subarray(0, 2)], [1_700_000_000_000, 1_700_000_000_001])
    for (const time of [Number.NaN, Number.POSITIVE_INFINITY, -8.64e15 - 1]) {
      for (const index of [0, 1]) {
        const wrong = batchOf(
          few.map((message, at) => (at === index ? { ...message, time } : message)),
        )
        assert.throws(
          () => encodeRecordBatch(wrong, { compression: 'none' }),
          (error: { code?: string; refused?: { index: number }[] }) =>
            error.code === 'MESSAGE_INVALID' && error.refused?.[0]?.index === index,
        )
      }
    }
  })
})

describe('record batch: damage', () => {
  for (const compression of compressions) {
    it(`refuses a batch flipped in any bit, ${compression}`, () => {
      const good = encodeRecordBatch(batchOf(few), { compression })
      const same = JSON.stringify(plainOf(decode(good)))
      for (let bit = 0; bit < good.length * 8; bit++) {
        const bytes = Buffer.from(good)
        bytes[bit >> 3]! ^= 1 << (bit & 7)
        const field = bit >> 3
        // Brokers set these two after the checksum is made, so they are not read at all.
        const ignored =
          field < layout.batchLengthAt ||
          (field >= layout.partitionLeaderEpochAt && field < layout.magicAt)
        if (ignored) assert.equal(JSON.stringify(plainOf(decode(bytes))), same, `bit ${bit}`)
        else
          assert.equal(
            codeThrownBy(() => decode(bytes)),
            'BATCH_DAMAGED',
            `bit ${bit}`,
          )
      }
    })

    it(`refuses a batch cut at any byte, ${compression}`, () => {
      const good = encodeRecordBatch(batchOf(few), { compression })
      for (let length = 0; length < good.length; length++) {
        const code = codeThrownBy(() => decode(good.subarray(0, length)))
        assert.equal(code, 'BATCH_DAMAGED', `cut at ${length}`)
      }
    })

    it(`answers nonsense under a right checksum with an error or messages, ${compression}`, () => {
      const good = encodeRecordBatch(batchOf([...few, ...few]), { compression })
      const place = fc.nat({ max: good.length - layout.lastOffsetDeltaAt - 1 })
      const edit = fc.tuple(
        place,
        fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(0, 127, 128, 255)),
      )
      fc.assert(
        fc.property(fc.array(edit, { minLength: 1, maxLength: 6 }), fc.nat(20), (edits, cut) => {
          const bytes = Buffer.from(good.subarray(0, good.length - (cut > 10 ? cut - 10 : 0)))
          for (const [at, byte] of edits) {
            if (layout.lastOffsetDeltaAt + at < bytes.length)
              bytes[layout.lastOffsetDeltaAt + at] = byte
          }
          let decoded: Batch | undefined
          const code = codeThrownBy(() => {
            decoded = decode(sealed(bytes))
          })
          if (code !== undefined) assert.equal(code, 'BATCH_DAMAGED')
          else messagesOf(decoded!).map((message) => [message.value, message.id, message.headers])
        }),
        { numRuns: 300 },
      )
    })
  }

  it('refuses a record count that cannot be, before it makes room', () => {
    for (const count of [-1, 4, 0x7fffffff]) {
      const bytes = encodeRecordBatch(batchOf(few), { compression: 'none' })
      bytes.writeInt32BE(count, layout.recordCountAt)
      assert.equal(
        codeThrownBy(() => decode(sealed(bytes))),
        'BATCH_DAMAGED',
        `count ${count}`,
      )
    }
  })

  it('names a compression that it does not know', () => {
    const bytes = encodeRecordBatch(batchOf(few), { compression: 'none' })
    bytes.writeInt16BE(5, layout.attributesAt)
    assert.equal(
      codeThrownBy(() => decode(sealed(bytes))),
      'COMPRESSION_UNKNOWN',
    )
  })
})
