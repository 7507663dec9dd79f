import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { figuresSince, Meter, otherLabel, sumFigures } from './meter.ts'

describe('meter', () => {
  it('measures batches and steps by its clock', () => {
    let nowMs = 0
    const meter = new Meter(() => nowMs)
    const start = meter.start()
    nowMs = 250
    meter.worked('clean', start)
    meter.worked('clean', start)
    meter.committed(start, 4)
    meter.committed(start, 0)
    const { latency, busySeconds, labels } = meter.figures()
    assert.deepEqual(
      [latency.sumMs, latency.buckets[1], busySeconds, labels],
      [1000, 4, { clean: 0.5 }, {}],
    )
  })

  it('counts labels by name, at most fifty of them, and no answer without one', () => {
    const meter = new Meter()
    const answers = [{ label: 'a' }, { label: 'a' }, { label: 'b' }, null, 3, { score: 1 }]
    meter.answered('spam', answers)
    meter.answered('spam', [{ label: 'a' }])
    assert.deepEqual(meter.figures().labels, { spam: { a: 3, b: 1 } })
    meter.answered(
      'many',
      Array.from({ length: 60 }, (_, index) => ({ label: `l${index}` })),
    )
    const many = meter.figures().labels.many!
    assert.equal(Object.keys(many).length, 51)
    assert.equal(many[otherLabel], 10)
  })

  it('adds figures of threads, and tells what came since', () => {
    const one = new Meter(() => 10)
    one.answered('spam', [{ label: 'ham' }, { label: '__proto__' }])
    one.committed(0, 2)
    const before = one.figures()
    one.answered('spam', [{ label: 'ham' }])
    one.worked('spam', 8)
    const both = sumFigures([one.figures(), before])
    assert.equal(both.labels.spam!.ham, 3)
    assert.equal(Object.getOwnPropertyDescriptor(both.labels.spam!, '__proto__')!.value, 2)
    assert.equal(both.latency.buckets[1], 4)
    const since = figuresSince(one.figures(), before)
    assert.deepEqual([since.labels.spam!.ham, since.latency.buckets], [1, []])
    assert.deepEqual(since.busySeconds, { spam: 0.002 })
  })
  it('tells what look-ups counted, and adds it over threads', () => {
    const meters = [new Meter(), new Meter()]
    assert.equal(meters[0]!.figures().lookups, undefined)
    for (const [index, meter] of meters.entries()) {
      meter.lookedUp('rate', { hits: 1, misses: 1, entries: 1 })
      meter.lookedUp('rate', { hits: 5 + index, misses: 2, entries: 10 })
    }
    meters[1]!.lookedUp('customer', { hits: 0, misses: 1, entries: 1 })
    assert.deepEqual(sumFigures(meters.map((meter) => meter.figures())).lookups, {
      rate: { hits: 11, misses: 4, entries: 20 },
      customer: { hits: 0, misses: 1, entries: 1 },
    })
  })
})
