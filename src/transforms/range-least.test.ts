import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom } from '../core/random.ts'
import { RangeLeast } from './range-least.ts'

describe('RangeLeast', () => {
  it('gives the least of any stretch, while cells come, change and go', () => {
    const random = seededRandom(1)
    const below = (end: number) => Math.floor(random() * end)
    const cells: { value: number }[] = []
    const least = new RangeLeast(cells, ({ value }) => value)
    for (let step = 0; step < 6000; step++) {
      const chance = random()
      if (chance < 0.9) {
        cells.push({ value: random() })
        least.changedFrom(cells.length - 1)
      } else if (chance < 0.99) {
        const place = below(cells.length + 1)
        cells.splice(place, 0, { value: random() })
        least.changedFrom(place)
      } else if (chance > 0.999) {
        cells.splice(0, below(cells.length))
        least.changedFrom(0)
      }
      const from = below(cells.length + 1)
      const to = from + below(cells.length + 1 - from)
      let expected = Number.POSITIVE_INFINITY
      for (let place = from; place < to; place++) {
        expected = Math.min(expected, cells[place]!.value)
      }
      assert.equal(least.least(from, to), expected, `${from} to ${to} of ${cells.length}`)
    }
  })

  it('looks at few cells', () => {
    let looks = 0
    const cells: number[] = []
    const least = new RangeLeast(cells, (cell) => {
      looks++
      return cell
    })
    for (let index = 0; index < 70_000; index++) {
      cells.push(index)
      least.changedFrom(index)
    }
    looks = 0
    assert.equal(least.least(7, 69_990), 7)
    assert.ok(looks <= 30, `${looks}`)
    assert.equal(least.least(69_999, 70_000), 69_999)
    assert.equal(least.least(5, 5), Number.POSITIVE_INFINITY)
  })
})
