import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { JointWatermark, PartitionWatermark } from './watermark.ts'

const options = { outOfOrderMs: 100, maxSkewMs: 1000 }
const secondMs = 1000

describe('the watermark of a partition', () => {
  it('is the highest time less what may be out of order, and never goes back', () => {
    const mark = new PartitionWatermark(options)
    assert.equal(mark.atMs, -Infinity)
    assert.equal(mark.save(), null)
    const seen = [500, 400, 700, -5, 699].map((timeMs) => {
      assert.ok(mark.observe(timeMs, 10_000))
      return mark.atMs
    })
    assert.deepEqual(seen, [400, 400, 600, 600, 600])
    const loaded = new PartitionWatermark({ ...options, outOfOrderMs: 300 }, mark.save())
    assert.ok(loaded.observe(800, 10_000))
    assert.equal(loaded.atMs, 600, 'nor with other options')
  })

  it('is not moved by a time that is too far ahead of the clock, or none', () => {
    const mark = new PartitionWatermark(options)
    const nowMs = Date.UTC(2026, 0)
    assert.equal(mark.observe(Date.UTC(2038, 0, 19), nowMs), false)
    assert.equal(mark.observe(nowMs + 1001, nowMs), false)
    for (const timeMs of [Number.NaN, Infinity, -Infinity, 9e15, -9e15]) {
      assert.equal(mark.observe(timeMs, Infinity), false, String(timeMs))
    }
    assert.equal(mark.save(), null)
    assert.ok(mark.observe(nowMs + 1000, nowMs))
    assert.equal(mark.atMs, nowMs + 900)
  })
})

describe('the watermark of several inputs', () => {
  it('is the lowest, once all had a message', () => {
    const joint = new JointWatermark({ inputs: 3, idleMs: Infinity }, 0)
    assert.equal(joint.advance(0, 50, 0), false)
    assert.equal(joint.advance(1, 70, 0), false)
    assert.equal(joint.tick(1e12), false, 'an input is waited for, however long')
    assert.equal(joint.advance(2, 60, 0), true)
    assert.equal(joint.atMs, 50)
    assert.equal(joint.advance(1, 90, 0), false, 'it did not hold the others')
    assert.equal(joint.advance(0, 65, 0), true)
    assert.equal(joint.atMs, 60)
    assert.equal(joint.advance(2, 10, 0), false)
    assert.equal(joint.atMs, 60)
  })

  it('does not wait for idle inputs, nor go back when they return', () => {
    const joint = new JointWatermark({ inputs: 2, idleMs: 5 * secondMs }, 0)
    joint.advance(0, 100, 4 * secondMs)
    assert.equal(joint.tick(5 * secondMs - 1), false)
    assert.equal(joint.tick(5 * secondMs), true, 'the other never had a message')
    assert.equal(joint.atMs, 100)
    assert.deepEqual([joint.isIdle(0), joint.isIdle(1)], [false, true])
    assert.equal(joint.advance(0, 200, 6 * secondMs), true)
    assert.equal(joint.advance(1, 150, 6 * secondMs), false)
    assert.deepEqual([joint.atMs, joint.isIdle(1)], [200, false])
    joint.advance(0, 300, 6 * secondMs)
    assert.equal(joint.atMs, 200, 'the other is waited for again')
    joint.advance(1, 300, 6 * secondMs)
    assert.equal(joint.atMs, 300)
  })

  it('goes on with the wall clock when all are idle', () => {
    const joint = new JointWatermark({ inputs: 2, idleMs: 5 * secondMs }, 0)
    joint.advance(0, 1_000_000, 10 * secondMs)
    joint.advance(1, 2_000_000, 12 * secondMs)
    assert.equal(joint.atMs, 1_000_000)
    assert.equal(joint.tick(15 * secondMs), true)
    assert.equal(joint.atMs, 2_000_000, 'one of them is idle')
    assert.equal(joint.tick(17 * secondMs), true)
    assert.equal(joint.atMs, 2_000_000 + 5 * secondMs)
    assert.equal(joint.tick(20 * secondMs), true)
    assert.equal(joint.atMs, 2_000_000 + 8 * secondMs)
    assert.equal(joint.tick(19 * secondMs), false, 'a clock that is put back moves nothing')
    const never = new JointWatermark({ inputs: 2, idleMs: 5 * secondMs }, 0)
    never.tick(60 * secondMs)
    assert.equal(never.atMs, -Infinity, 'without any message there is no time')
  })

  it('is Infinity when all are done; idle ones are not done', () => {
    const joint = new JointWatermark({ inputs: 2, idleMs: 5 * secondMs }, 0)
    joint.advance(0, 100, 0)
    joint.advance(1, 300, 0)
    assert.equal(joint.finish(0), true)
    assert.equal(joint.atMs, 300)
    joint.tick(5 * secondMs)
    assert.equal(joint.atMs, 300 + 5 * secondMs, 'the other is idle')
    assert.equal(joint.advance(1, Infinity, 6 * secondMs), true, 'its own upstream is done')
    assert.equal(joint.atMs, Infinity)
    const loaded = new JointWatermark({ inputs: 2, idleMs: 5 }, 0, saved(joint))
    assert.equal(loaded.atMs, Infinity)
  })

  it('follows an idle input that returns after all others are done', () => {
    for (const atMs of [80, 100, 120]) {
      const joint = new JointWatermark({ inputs: 2, idleMs: 5 * secondMs }, 0)
      joint.advance(1, 100, 0)
      joint.advance(0, 50, 6 * secondMs)
      joint.tick(6 * secondMs)
      joint.finish(0)
      assert.deepEqual([joint.atMs, joint.isIdle(1)], [50, true])
      assert.equal(joint.advance(1, atMs, 7 * secondMs), true)
      assert.equal(joint.atMs, Math.max(100, atMs))
    }
  })

  it('is saved as small JSON and goes on from it', () => {
    const joint = new JointWatermark({ inputs: 4, idleMs: secondMs }, 0)
    joint.advance(0, -500, 0)
    joint.advance(2, 1_700_000_000_000, 0)
    joint.finish(3)
    joint.tick(secondMs)
    assert.ok(joint.atMs > 1_700_000_000_000)
    const loaded = new JointWatermark({ inputs: 4, idleMs: secondMs }, 0, saved(joint))
    assert.deepEqual(loaded.save(), joint.save())
    assert.equal(loaded.atMs, joint.atMs)
    const wider = new JointWatermark({ inputs: 6, idleMs: secondMs }, 0, saved(joint))
    assert.equal(wider.atMs, joint.atMs, 'more inputs than there were take nothing back')
    const fewer = new JointWatermark({ inputs: 1, idleMs: secondMs }, 0, saved(joint))
    assert.equal(fewer.atMs, joint.atMs)
    const fresh = new JointWatermark({ inputs: 2, idleMs: secondMs }, 0)
    assert.deepEqual(saved(fresh), { inputs: ',' })
    assert.equal(new JointWatermark({ inputs: 2, idleMs: 1 }, 0, saved(fresh)).atMs, -Infinity)
  })

  it('of 256 inputs that are within an hour takes less than 2 KB', () => {
    const joint = new JointWatermark({ inputs: 256, idleMs: secondMs }, 0)
    for (let input = 0; input < 256; input++) {
      joint.advance(input, 1_700_000_000_000 + ((input * 7919) % 3600) * secondMs, 0)
    }
    assert.ok(JSON.stringify(joint.save()).length < 2000)
  })
})

const saved = (joint: JointWatermark) => JSON.parse(JSON.stringify(joint.save()))
