import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { HistoryPoint } from '../../src/server/state.ts'
import {
  grouped,
  newest,
  predictionSeries,
  sampledTimes,
  seriesOf,
  shownLabels,
  windowOf,
} from './series.ts'

const point = (second: number, predictions: Record<string, number>): HistoryPoint => ({
  atMs: second * 1000,
  messagesPerSecond: second === 2 ? {} : { score: second },
  lagMessages: {},
  p50Ms: {},
  p99Ms: {},
  predictions: { 'score/spam': predictions },
  figures: {},
})

describe('web: series', () => {
  it('leaves a gap where nothing was measured', () => {
    const { timesMs, series } = seriesOf(
      [point(1, {}), point(2, {}), point(3, {})],
      ['score'],
      (one) => one.messagesPerSecond,
    )
    assert.deepEqual(timesMs, [1000, 2000, 3000])
    assert.deepEqual(series, [{ name: 'score', values: [1, null, 3] }])
    assert.equal(newest(series[0]!), 3)
    assert.equal(newest({ name: 'x', values: [null] }), null)
  })

  it('draws the whole minutes that hold all', () => {
    assert.deepEqual(windowOf([0, 30_000]), { fromMs: -30_000, toMs: 30_000 })
    assert.deepEqual(windowOf([0, 61_000]), { fromMs: -59_000, toMs: 61_000 })
    assert.deepEqual(windowOf([]), { fromMs: -60_000, toMs: 0 })
  })

  it('counts rare labels together, and none twice', () => {
    const totals = Object.fromEntries(
      Array.from({ length: 9 }, (_, index) => [`l${index}`, 100 - index]),
    )
    const labels = shownLabels(totals)
    assert.deepEqual(labels, ['l0', 'l1', 'l2', 'l3', 'l4', 'l5', 'l6', 'other'])
    const sums = grouped({ l0: 5, l7: 2, l8: 1, other: 4 }, labels)
    assert.equal(sums.l0, 5)
    assert.equal(sums.other, 7)
    assert.deepEqual(shownLabels({ spam: 1, ham: 9 }), ['ham', 'spam'])
  })

  it('tells predictions a second, from whole stretches of time only', () => {
    const points = Array.from({ length: 300 }, (_, second) =>
      point(second + 1, { ham: 3, spam: 1 }),
    )
    const { timesMs, series } = predictionSeries(points, 'score/spam', ['ham', 'spam'])
    assert.ok(timesMs.length > 50)
    assert.ok(series[0]!.values.every((value) => value === 3))
    assert.ok(series[1]!.values.every((value) => value === 1))
  })

  it('takes evenly placed moments for tables, the newest first', () => {
    assert.deepEqual(sampledTimes(10, 5), [9, 7, 5, 3, 1])
    assert.deepEqual(sampledTimes(0, 5), [])
  })
})
