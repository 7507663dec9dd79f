import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Latency, latencyBoundsMs } from './latency.ts'

describe('latency', () => {
  it('has bounds that rise, with those of Prometheus among them', () => {
    assert.ok(latencyBoundsMs.every((bound, at) => at === 0 || bound > latencyBoundsMs[at - 1]!))
    for (const bound of [0.1, 1, 2.5, 5, 10, 25, 1000, 1_000_000]) {
      assert.ok(latencyBoundsMs.includes(bound), String(bound))
    }
  })

  it('tells quantiles within the bucket that holds them', () => {
    const times = fc.array(fc.double({ min: 0.001, max: 900_000, noNaN: true }), { minLength: 1 })
    fc.assert(
      fc.property(times, fc.double({ min: 0.01, max: 1, noNaN: true }), (values, share) => {
        const latency = new Latency()
        for (const value of values) latency.add(value)
        const sorted = values.toSorted((a, b) => a - b)
        const exact = sorted[Math.max(0, Math.ceil(share * sorted.length - 1e-9) - 1)]!
        const told = latency.quantile(share)!
        const high = latencyBoundsMs.find((bound) => bound >= exact) ?? latencyBoundsMs.at(-1)!
        const low = latencyBoundsMs.findLast((bound) => bound < exact) ?? 0
        assert.ok(told >= low - 1e-9 && told <= high + 1e-9, `${told} of ${exact}`)
      }),
      { seed: 1, numRuns: 100 },
    )
  })

  it('counts batches, adds and takes away what was saved, and knows nothing at first', () => {
    const one = new Latency()
    assert.equal(one.quantile(0.5), null)
    one.add(3, 10)
    const before = one.save()
    one.add(40, 5)
    const rest = new Latency()
    rest.addSaved(one.save())
    rest.addSaved(before, -1)
    assert.deepEqual([rest.count, rest.sumMs], [5, 200])
    assert.equal(rest.quantile(0.5)! > 30 && rest.quantile(0.5)! <= 40, true)
    assert.deepEqual(one.cumulative([2.5, 3, 1000]), [0, 10, 15])
    rest.addSaved({ sumMs: 0, buckets: [9999, 1, -1, 1] })
    assert.equal(rest.count, 5, 'buckets of another version are passed over')
  })
})
