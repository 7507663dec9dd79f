import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { hashRange, murmur3, wordBytes } from './murmur3.ts'

const file = new URL('./fixtures/hashing.json', import.meta.url)
const { hashes } = JSON.parse(readFileSync(file, 'utf8')) as { hashes: [string, number][] }

describe('features: MurmurHash3', () => {
  it('hashes what scikit-learn hashes', () => {
    assert.ok(hashes.length > 30)
    for (const [text, hash] of hashes) assert.equal(murmur3(text), hash, JSON.stringify(text))
    assert.equal(murmur3(''), 0)
    assert.ok(
      hashes.some(([, hash]) => hash === -(2 ** 31)),
      'the least hash is there',
    )
  })

  it('takes the bytes of a text for the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) =>
        assert.equal(murmur3(new TextEncoder().encode(text)), murmur3(text)),
      ),
    )
  })

  it('takes half a surrogate pair for U+FFFD', () => {
    assert.equal(murmur3('a\ud800b'), murmur3('a\ufffdb'))
  })

  it('hashes a range whatever stands around it', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.nat(70), fc.nat(70), (bytes, a, b) => {
        const [start, end] = [a, b].map((place) => Math.min(place, bytes.length)).sort(byNumber)
        const padded = new Uint8Array(bytes.length + wordBytes).fill(0xab)
        padded.set(bytes)
        assert.equal(
          hashRange(new DataView(padded.buffer), start!, end!),
          murmur3(bytes.subarray(start, end)),
        )
      }),
    )
  })
})

function byNumber(a: number, b: number): number {
  return a - b
}
