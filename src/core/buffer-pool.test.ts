import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { BatchBuilder, giveBack } from './batch-builder.ts'
import { BufferPool } from './buffer-pool.ts'
import { Message } from './message.ts'

const memoryOf = (view: ArrayBufferView) => view.buffer

describe('a buffer pool', () => {
  it('lends memory to one at a time, of the size that was asked or more', () => {
    const step = fc.record({ sizeBytes: fc.nat(5_000_000), gives: fc.nat(3) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const pool = new BufferPool()
        const held: Buffer[] = []
        for (const { sizeBytes, gives } of steps) {
          const taken = pool.take(sizeBytes)
          assert.ok(taken.length >= sizeBytes && taken.byteOffset === 0)
          assert.ok(!held.some((one) => memoryOf(one) === memoryOf(taken)))
          held.push(taken)
          for (let count = 0; count < gives && held.length > 0; count++) pool.give(held.shift()!)
        }
      }),
      { numRuns: 50 },
    )
  })

  it('lends again what was given back', () => {
    const pool = new BufferPool()
    const first = pool.take(100_000)
    pool.give(first.subarray(10, 20))
    const second = pool.take(99_000)
    assert.equal(memoryOf(second), memoryOf(first))
    assert.notEqual(memoryOf(pool.take(99_000)), memoryOf(first))
  })

  it('takes back nothing twice, and nothing that it did not lend', () => {
    const pool = new BufferPool()
    const lent = pool.take(20_000)
    pool.give(lent)
    pool.give(lent)
    pool.give(Buffer.allocUnsafeSlow(lent.length))
    pool.give(Buffer.from('of a pool of Node'))
    assert.equal(pool.idleBytes, lent.length)
    const [one, other] = [pool.take(20_000), pool.take(20_000)]
    assert.notEqual(memoryOf(one), memoryOf(other))
  })

  it('keeps no more than it may', () => {
    const pool = new BufferPool(100_000)
    const taken = Array.from({ length: 20 }, () => pool.take(16_384))
    for (const one of taken) pool.give(one)
    assert.ok(pool.idleBytes > 80_000 && pool.idleBytes <= 100_000)
    pool.give(pool.take(50_000_000))
    assert.ok(pool.idleBytes <= 100_000)
  })

  it('shows whoever reads on in what was given back that it is not theirs any more', () => {
    const pool = new BufferPool()
    pool.poisons = true
    const taken = pool.take(10).subarray(0, 5)
    taken.write('words')
    pool.give(taken)
    assert.deepEqual([...taken], [0xdb, 0xdb, 0xdb, 0xdb, 0xdb])
  })
})

describe('a batch builder with a pool', () => {
  it('gives batches that hold what they should until they are given back', () => {
    const round = fc.record({ count: fc.nat(1200), gives: fc.nat(2) })
    fc.assert(
      fc.property(fc.array(round, { maxLength: 12 }), (rounds) => {
        const pool = new BufferPool()
        pool.poisons = true
        const builders = ['a', 'b'].map((name) => new BatchBuilder(name, 0, pool))
        const held: { batch: ReturnType<BatchBuilder['build']>; values: string[] }[] = []
        for (const [number, { count, gives }] of rounds.entries()) {
          const builder = builders[number % 2]!
          const values = Array.from({ length: count }, (_, index) => `${number}/${index}`.repeat(9))
          for (const [index, value] of values.entries()) builder.append(`k${index}`, value, index)
          held.push({ batch: builder.build(), values })
          for (let times = 0; times < gives && held.length > 0; times++) {
            giveBack(held.shift()!.batch, pool)
          }
          for (const { batch, values: wanted } of held) {
            assert.equal(batch.count, wanted.length)
            for (const [index, value] of wanted.entries()) {
              const { key, value: found, time } = new Message(batch, index)
              assert.deepEqual([`${key}`, `${found}`, time], [`k${index}`, value, index])
            }
          }
        }
      }),
      { numRuns: 15 },
    )
  })
})
