import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isLonely, windowOfPoints, withGaps } from './gaps.ts'

describe('web: gaps', () => {
  it('breaks a line where a point is missing', () => {
    const data = {
      timesMs: [0, 10, 20, 50, 60],
      series: [{ name: 'a', values: [1, 2, null, 4, 5] }],
    }
    assert.deepEqual(withGaps(data, 10), {
      timesMs: [0, 10, 20, 30, 50, 60],
      series: [{ name: 'a', values: [1, 2, null, null, 4, 5] }],
    })
  })

  it('goes on over missing points where they are the rule, but not over a long silence', () => {
    const timesMs = [0, 30, 100, 130, 530, 570]
    const data = { timesMs, series: [{ name: 'a', values: [1, 2, 3, 4, 5, 6] }] }
    const { timesMs: times, series } = withGaps(data, 10)
    assert.deepEqual(times, [0, 30, 100, 130, 140, 530, 570])
    assert.deepEqual(series[0]!.values, [1, 2, 3, 4, null, 5, 6])
  })

  it('leaves alone what is nothing or one point', () => {
    for (const timesMs of [[], [7]]) {
      const data = { timesMs, series: [{ name: 'a', values: timesMs }] }
      assert.deepEqual(withGaps(data, 10), data)
    }
  })

  it('draws from the first to the last, and a single point in the middle', () => {
    assert.deepEqual(windowOfPoints([5, 10, 20], 5), { fromMs: 5, toMs: 20 })
    assert.deepEqual(windowOfPoints([50], 5), { fromMs: 45, toMs: 55 })
  })

  it('knows points that no line reaches', () => {
    const values = [1, null, 2, null, 3, 4]
    const lonely = values.map((_, place) => isLonely(values, place))
    assert.deepEqual(lonely, [true, false, true, false, false, false])
  })
})
