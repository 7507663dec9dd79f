/** Each fault is in enough of the schedules of a set, and the same seed has the same faults. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { dealtTo, setSize } from './deal.ts'
import { faults } from './faults.ts'

describe('faults dealt to schedules', () => {
  const names = faults.map(({ name }) => name)

  for (const brokers of [1, 3]) {
    it(`are each in at least five of twenty on ${brokers} brokers`, () => {
      const some = faults.filter((fault) => fault.brokers <= brokers).map(({ name }) => name)
      for (const first of [0, 20, 802_820]) {
        const hands = Array.from({ length: setSize }, (_, index) => dealtTo(first + index, some))
        for (const hand of hands) assert.equal(new Set(hand).size, hand.length, 'none is twice')
        for (const name of some) {
          assert.ok(hands.filter((hand) => hand.includes(name)).length >= 5, name)
        }
      }
    })
  }

  it('are the same for the same seed, and others for others', () => {
    assert.deepEqual(dealtTo(33, names), dealtTo(33, names))
    assert.notDeepEqual(dealtTo(33, names), dealtTo(53, names))
    assert.deepEqual(dealtTo(7, ['only']), ['only'])
  })
})
