import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { crc32c } from '@node-rs/crc32'
import { Batch } from '../core/batch.ts'
import { BatchBuilder } from '../core/batch-builder.ts'
import { codeOf, messageOf } from '../core/errors.ts'
import { messagesOf } from '../core/message.ts'
import { writeVarint } from '../core/varint.ts'
import { decodeRecordBatches, encodeRecordBatch } from './record-batch.ts'
import * as layout from './record-batch-layout.ts'

const varint = (value: number) => {
  const bytes = Buffer.alloc(5)
  return bytes.subarray(0, writeVarint(bytes, 0, value))
}

interface Claims {
  readonly length?: number
  readonly key?: number
  readonly value?: number
  readonly headers?: number
}

/** A record with whatever lengths it is told to claim. */
function recordOf(
  offsetDelta: number,
  claims: Claims = {},
  tail: Buffer = Buffer.alloc(0),
): Buffer {
  const body = Buffer.concat([
    Buffer.from([0]),
    varint(0),
    varint(offsetDelta),
    varint(claims.key ?? 1),
    Buffer.from('k'),
    varint(claims.value ?? 1),
    Buffer.from('v'),
    varint(claims.headers ?? 0),
    tail,
  ])
  return Buffer.concat([varint(claims.length ?? body.length), body])
}

/** Records in a batch whose checksum is right, as a program that writes nonsense would make it. */
function decode(records: readonly Buffer[], count = records.length, lastDelta = count - 1): Batch {
  const builder = new BatchBuilder('t', 0)
  builder.append(null, null, 0)
  const head = encodeRecordBatch(builder.build(), { compression: 'none' })
  const bytes = Buffer.concat([head.subarray(0, layout.recordsAt), ...records])
  bytes.writeInt32BE(bytes.length - layout.lengthOverhead, layout.batchLengthAt)
  bytes.writeInt32BE(lastDelta, layout.lastOffsetDeltaAt)
  bytes.writeInt32BE(count, layout.recordCountAt)
  bytes.writeUInt32BE(crc32c(bytes.subarray(layout.attributesAt)), layout.crcAt)
  const batches = [{ position: 0, sizeBytes: bytes.length, baseOffset: 50 }]
  return decodeRecordBatches({
    ...{ topic: 't', partition: 0, origin: 'o/0', bytes, batches },
    ...{ from: 0, nextOffset: 60 },
  })
}

function refusalOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    assert.equal(codeOf(error), 'BATCH_DAMAGED', String(error))
    return messageOf(error)
  }
  assert.fail('it was taken')
}

describe('record batch: nonsense under a right checksum', () => {
  it('takes gaps between offsets, as compaction leaves them', () => {
    const batch = decode([recordOf(2), recordOf(5)], 2, 9)
    assert.deepEqual(
      messagesOf(batch).map(({ offset }) => offset),
      [52, 55],
    )
  })

  const oneHeader = Buffer.concat([varint(1), Buffer.from('h'), varint(-1)])
  const longHeader = Buffer.concat([varint(10), Buffer.alloc(10), varint(-1)])
  const cases: readonly [string, RegExp, () => unknown][] = [
    ['an offset twice', /do not rise/, () => decode([recordOf(0), recordOf(0)])],
    ['an offset that falls', /do not rise/, () => decode([recordOf(1), recordOf(0)])],
    ['an offset behind the last', /do not rise/, () => decode([recordOf(0), recordOf(2)])],
    ['a negative offset', /do not rise/, () => decode([recordOf(-1)])],
    ['a key that leaves its record', /key/, () => decode([recordOf(0, { key: 99 }), recordOf(1)])],
    [
      'a value that leaves its record',
      /value/,
      () => decode([recordOf(0, { value: 9 }), recordOf(1)]),
    ],
    ['a value up to the end', /value/, () => decode([recordOf(0, { value: 2 })])],
    ['a length of 2^31 - 1', /key/, () => decode([recordOf(0, { key: 0x7fffffff })])],
    ['a record of length -1', /cut short/, () => decode([recordOf(0, { length: -1 })])],
    ['a record of length 0', /no time/, () => decode([recordOf(0, { length: 0 })])],
    ['a record longer than the batch', /cut short/, () => decode([recordOf(0, { length: 99 })])],
    [
      'headers that are not there',
      /headers/,
      () => decode([recordOf(0, { headers: 1 }), recordOf(1)]),
    ],
    ['a negative count of headers', /headers/, () => decode([recordOf(0, { headers: -1 })])],
    [
      '2^31 - 1 headers',
      /headers/,
      () => decode([recordOf(0, { headers: 0x7fffffff }, oneHeader)]),
    ],
    ['bytes behind the headers', /headers/, () => decode([recordOf(0, {}, Buffer.from('x'))])],
    [
      'a header key of length -1',
      /headers/,
      () => decode([recordOf(0, { headers: 1 }, varint(-1))]),
    ],
    ['bytes behind the records', /left behind/, () => decode([recordOf(0), recordOf(1)], 1)],
    [
      'fewer records than it says',
      /cut short/,
      () => decode([recordOf(0, { headers: 1 }, longHeader)], 2),
    ],
    ['2^31 - 1 records', /so few bytes/, () => decode([recordOf(0)], 0x7fffffff)],
    ['-1 records', /so few bytes/, () => decode([recordOf(0)], -1)],
  ]
  for (const [what, why, work] of cases) {
    it(`refuses ${what}`, () => assert.match(refusalOf(work), why))
  }

  it('takes one header where there is one', () => {
    const [message] = messagesOf(decode([recordOf(0, { headers: 1 }, oneHeader)]))
    assert.deepEqual(message?.headers, [{ key: 'h', value: null }])
  })
})

describe('record batch: columns of any shape', () => {
  it('encodes values and headers that do not lie side by side', () => {
    const builder = new BatchBuilder('t', 0)
    builder.append('k', 'first', 1, [{ key: 'h', value: Buffer.from('1') }])
    builder.append('k', 'second', 2, [{ key: 'h', value: Buffer.from('2') }])
    const built = builder.build()
    const batch = new Batch({
      ...built,
      headerStarts: built.headerStarts.slice(0, 2).reverse(),
      headerEnds: built.headerEnds.slice(0, 2).reverse(),
    })
    const bytes = encodeRecordBatch(batch, { compression: 'none' })
    const decoded = decodeRecordBatches({
      ...{ topic: 't', partition: 0, origin: 'o/0', bytes, from: 0, nextOffset: 2 },
      batches: [{ position: 0, sizeBytes: bytes.length, baseOffset: 0 }],
    })
    const seen = messagesOf(decoded).map(({ value, headers }) => [
      value?.toString(),
      headers[0]?.value?.toString(),
    ])
    assert.deepEqual(seen, [
      ['first', '2'],
      ['second', '1'],
    ])
  })
})
