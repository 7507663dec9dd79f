/** HyperLogLog beside the truth, on seeded values; and the hash it stands on. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { distinct, exactUpTo } from './distinct.ts'
import { addHash, emptyRegisters, packRegisters, unpackRegisters } from './hyper-log-log.ts'
import { hash52, hashText, type Scalar } from './value-hash.ts'

const aggregator = distinct()
function stateOf(from: number, to: number, valueAt: (index: number) => Scalar) {
  const state = aggregator.start()
  for (let index = from; index < to; index++) aggregator.add(state, valueAt(index), 0)
  return state
}
const countOf = (from: number, to: number, valueAt: (index: number) => Scalar) =>
  aggregator.result(stateOf(from, to, valueAt), 0)

describe('distinct', () => {
  it(`is exact up to ${exactUpTo} values, each as often as you like`, () => {
    for (const count of [0, 1, 2, 100, exactUpTo]) {
      assert.equal(
        countOf(0, count * 3, (index) => `user-${index % count}`),
        count,
      )
    }
  })

  it('is off by 1.6 % of many: the root mean square of seeded runs', () => {
    for (const [count, runs] of [
      [exactUpTo + 1, 30],
      [1000, 30],
      [3000, 20],
      [10_000, 12],
      [40_000, 3],
    ] as const) {
      let squares = 0
      let sum = 0
      for (let run = 0; run < runs; run++) {
        const error = countOf(0, count, (index) => `${run}/${index}`) / count - 1
        squares += error * error
        sum += error
      }
      const message = `${count} values: ${Math.sqrt(squares / runs)}, bias ${sum / runs}`
      assert.ok(Math.sqrt(squares / runs) < 0.0163 * 1.35, message)
      // Without bias: three standard errors of a mean of so many runs.
      assert.ok(Math.abs(sum / runs) < (3 * 0.0163) / Math.sqrt(runs), message)
    }
  })

  it('counts a hundred thousand numbers, whole or not', () => {
    const within = (count: number) => Math.abs(count / 100_000 - 1) < 0.0163 * 3
    assert.ok(within(countOf(0, 100_000, (index) => index)))
    assert.ok(within(countOf(0, 100_000, (index) => index / 7)))
    assert.ok(within(countOf(0, 100_000, (index) => 1_700_000_000_000 + index * 1000)))
  })

  it('is a function of the set: merged, repeated or backwards it is saved the same', () => {
    for (const count of [300, exactUpTo, exactUpTo + 1, 2000]) {
      const text = (index: number) => `v${index}`
      const saved = aggregator.save(stateOf(0, count, text))
      assert.deepEqual(aggregator.save(stateOf(0, count * 2, (at) => text(at % count))), saved)
      assert.deepEqual(aggregator.save(stateOf(0, count, (at) => text(count - 1 - at))), saved)
      for (const cut of [0, 3, count >> 1, count]) {
        // Both parts have what lies round the cut.
        const one = stateOf(0, Math.min(count, cut + 50), text)
        const merged = aggregator.merge(one, stateOf(cut, count, text))
        assert.deepEqual(aggregator.save(merged), saved, `${count} cut at ${cut}`)
        assert.deepEqual(aggregator.save(aggregator.load(saved)), saved)
      }
    }
  })

  it('takes little room', () => {
    const size = (count: number) =>
      JSON.stringify(aggregator.save(stateOf(0, count, String))).length
    assert.ok(size(3) < 60)
    assert.ok(size(exactUpTo) < 4200)
    assert.ok(size(100_000) < 4200)
  })
})

describe('the registers', () => {
  it('hold the place of the first bit behind the index, from 1 to 41', () => {
    for (let rank = 1; rank <= 41; rank++) {
      const registers = emptyRegisters()
      const index = rank * 97
      addHash(registers, index * 2 ** 40 + (rank === 41 ? 0 : 2 ** (40 - rank)))
      assert.equal(registers.ranks[index], rank)
      assert.equal(registers.histogram[rank], 1)
      assert.equal(registers.histogram[0], 4095)
      assert.deepEqual(unpackRegisters(packRegisters(registers)), registers)
    }
  })
})

describe('the hash of values', () => {
  it('is MurmurHash3 of the UTF-16 units', () => {
    // Of mmh3.hash('...'.encode('utf-16-le'), seed).
    assert.equal(hashText('', 0), 0)
    assert.equal(hashText('', 1), 0x514e28b7)
    for (const [text, seed] of [
      ['a', 0],
      ['ab', 0],
      ['stream', 42],
      ['\u{1f600}x', 7],
    ] as const) {
      assert.equal(hashText(text, seed), byBytes(Buffer.from(text, 'utf16le'), seed), text)
    }
  })

  it('tells kinds apart, but not 0 and -0', () => {
    const values: Scalar[] = ['', '0', '1', 'true', 'false', 0, 1, true, false, ' ', 1.5, '1.5']
    assert.equal(new Set(values.map(hash52)).size, values.length)
    assert.equal(hash52(-0), hash52(0))
  })

  it('has no two of thirty thousand collide', () => {
    const hashes = new Set<number>()
    for (let index = 0; index < 30_000; index++) hashes.add(hash52(`key ${index}`))
    assert.equal(hashes.size, 30_000)
    for (const hash of hashes) assert.ok(Number.isInteger(hash) && hash >= 0 && hash < 2 ** 52)
  })
})

/** MurmurHash3 as its author wrote it, byte by byte. */
function byBytes(bytes: Buffer, seed: number): number {
  const rotate = (value: number, by: number) => (value << by) | (value >>> (32 - by))
  const scramble = (block: number) =>
    Math.imul(rotate(Math.imul(block, 0xcc9e2d51), 15), 0x1b873593)
  let hash = seed
  const whole = bytes.length - (bytes.length % 4)
  for (let at = 0; at < whole; at += 4) {
    hash = (Math.imul(rotate(hash ^ scramble(bytes.readInt32LE(at)), 13), 5) + 0xe6546b64) | 0
  }
  let tail = 0
  for (let at = bytes.length - 1; at >= whole; at--) tail = (tail << 8) | bytes[at]!
  if (bytes.length > whole) hash ^= scramble(tail)
  hash ^= bytes.length
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
