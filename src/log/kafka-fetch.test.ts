import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { messagesOf } from '../core/message.ts'
import { findBatches } from './kafka-batches.ts'
import { type Fetched, joined } from './kafka-fetch.ts'
import { output } from './log.contract.support.ts'
import { decodeRecordBatches, encodeRecordBatch } from './record-batch.ts'

/** What a fetch at `offset` would bring: one record batch. */
function fetched(offset: number, values: readonly string[]): Fetched {
  const bytes = encodeRecordBatch(output('in', 0, values).batch, { compression: 'none' })
  bytes.writeBigInt64BE(BigInt(offset), 0)
  return { offset, bytes, ...findBatches(bytes, offset, null) }
}

describe('fetches that are joined', () => {
  it('hold all messages of each, where they were', () => {
    const parts = [fetched(3, ['a', 'b']), fetched(5, ['c']), fetched(6, ['d', 'e'])]
    const { offset, nextOffset, bytes, batches } = joined(parts)
    assert.deepEqual([offset, nextOffset], [3, 8])
    const stored = { topic: 'in', partition: 0, origin: 'x', bytes, batches, from: 3, nextOffset }
    const seen = [...messagesOf(decodeRecordBatches(stored))]
    assert.deepEqual(
      seen.map((message) => [message.offset, message.value?.toString()]),
      ['a', 'b', 'c', 'd', 'e'].map((value, index) => [3 + index, value]),
    )
  })

  it('are not copied where there is one', () => {
    const only = fetched(0, ['a'])
    assert.equal(joined([only]), only)
  })
})
