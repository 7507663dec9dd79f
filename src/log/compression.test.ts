import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { snappyCompress } from '@platformatic/wasm-utils'
import { codeOf } from '../core/errors.ts'
import { compress, decompress } from './compression.ts'

const text = Buffer.from('so it goes, and so it went. '.repeat(20_000))
const packers = ['gzip', 'snappy', 'lz4', 'zstd'] as const

describe('compression', () => {
  for (const compression of packers) {
    it(`${compression} gives back more than one block, and is smaller`, () => {
      const packed = compress(compression, text)
      assert.ok(packed.length < text.length / 5)
      assert.ok(decompress(compression, packed, 'here').equals(text))
    })

    it(`${compression} refuses what would become too large, before it is`, () => {
      const packed = compress(compression, text)
      assert.throws(
        () => decompress(compression, packed, 'here', 100_000),
        (error) =>
          codeOf(error) === 'BATCH_DAMAGED' && /^here: /.test(String(Object(error).message)),
      )
    })

    it(`${compression} goes on working after it met nonsense`, () => {
      const packed = compress(compression, text)
      for (let at = 0; at < 20; at++) {
        const wrong = Buffer.from(packed)
        wrong[(at * 7919) % wrong.length]! ^= 0x55
        try {
          decompress(compression, wrong, 'here')
        } catch (error) {
          assert.equal(codeOf(error), 'BATCH_DAMAGED')
        }
      }
      assert.ok(decompress(compression, compress(compression, text), 'here').equals(text))
    })
  }

  it('reads a raw snappy block, as some clients write', () => {
    assert.ok(decompress('snappy', snappyCompress(text), 'here').equals(text))
  })
})
