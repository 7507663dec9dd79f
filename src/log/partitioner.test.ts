import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { murmur2, partitionOf } from './partitioner.ts'

describe('partitioner', () => {
  const fixture = JSON.parse(
    readFileSync(new URL('fixtures/kafka-batches.json', import.meta.url), 'utf8'),
  ) as { murmur2: [string, number, number][] }

  it("hashes as Kafka's own Utils.murmur2, and chooses the same of 12 partitions", () => {
    assert.ok(fixture.murmur2.length >= 10)
    for (const [key, hash, partition] of fixture.murmur2) {
      assert.equal(murmur2(Buffer.from(key)), hash, key)
      assert.equal(partitionOf(Buffer.from(key), 12, 5), partition, key)
    }
  })

  it('hashes a range as the bytes in it', () => {
    const bytes = Buffer.from('..a-little-bit-long-string...')
    assert.equal(murmur2(bytes, 2, bytes.length - 3), -985981536)
  })

  it('lets messages without a key take turns', () => {
    assert.deepEqual(
      [0, 1, 2, 3].map((count) => partitionOf(null, 3, count)),
      [0, 1, 2, 0],
    )
  })
})
