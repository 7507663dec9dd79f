import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { messagesOf } from '../core/message.ts'
import { decodeRecordBatches, encodeRecordBatch } from './record-batch.ts'
import * as layout from './record-batch-layout.ts'

describe("record batch: Kafka's own client", () => {
  const fixture = JSON.parse(
    readFileSync(new URL('fixtures/kafka-batches.json', import.meta.url), 'utf8'),
  ) as { batches: { name: string; hex: string; messages: unknown[] }[] }

  fixture.batches.forEach(({ name, hex, messages }, number) => {
    it(`reads what Kafka's Java client wrote: ${number}, ${name}`, () => {
      const bytes = Buffer.from(hex, 'hex')
      const batch = decodeRecordBatches({
        topic: 'words',
        partition: 0,
        origin: 'o/0',
        bytes,
        batches: [{ position: 0, sizeBytes: bytes.length, baseOffset: 40 }],
        from: 0,
        nextOffset: 46,
      })
      const read = messagesOf(batch).map(({ offset, time, key, value, headers }) => [
        offset,
        time,
        key?.toString() ?? null,
        value && shortened(value.toString()),
        headers.map((header) => [header.key, header.value?.toString() ?? null]),
      ])
      assert.deepEqual(read, messages)
      assert.equal(read.length, name === 'control' ? 0 : 6)
      if (number === 0) {
        const again = encodeRecordBatch(batch, { compression: 'none' })
        assert.deepEqual(again.subarray(layout.magicAt), bytes.subarray(layout.magicAt))
      }
    })
  })

  function shortened(text: string): string {
    return text.length > 1000 ? `${text.length} of ${text.slice(0, 17)}` : text
  }
})
