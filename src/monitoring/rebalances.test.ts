import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RebalanceCount } from './rebalances.ts'

const groups = (generation: number) => new Map([['g', { generation }]])

describe('rebalances', () => {
  it('are counted from the first look on, with the time of the last', () => {
    const count = new RebalanceCount()
    count.look(groups(7), 1000)
    assert.deepEqual(count.of('g'), { generation: 7, count: 0, lastAtMs: undefined })
    count.look(groups(9), 2000)
    count.look(groups(9), 3000)
    assert.deepEqual(count.of('g'), { generation: 9, count: 2, lastAtMs: 2000 })
  })

  it('are not those of a group that tells nothing for a while, or was made anew', () => {
    const count = new RebalanceCount()
    count.look(groups(9), 1000)
    count.look(groups(0), 2000)
    assert.deepEqual(count.of('g'), { generation: 9, count: 0, lastAtMs: undefined })
    count.look(groups(10), 3000)
    assert.equal(count.of('g').count, 1)
    count.look(groups(2), 4000)
    assert.deepEqual(count.of('g'), { generation: 2, count: 3, lastAtMs: 4000 })
    count.look(new Map(), 5000)
    assert.deepEqual(count.of('g'), { generation: 0, count: 0, lastAtMs: undefined })
  })
})
