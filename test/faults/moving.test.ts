import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { whileMoving } from './moving.ts'

describe('patience as long as something moves', () => {
  it('ends with what does not move any more, and tells so', async () => {
    let looks = 0
    const look = async () => ({ isOver: ++looks > 100, place: 'here' })
    assert.equal(await whileMoving(1, look), false)
    assert.ok(looks > 1)
  })

  it('waits for longer than that for what moves, until it is over', async () => {
    let looks = 0
    const look = async () => ({ isOver: ++looks === 4, place: String(looks) })
    assert.equal(await whileMoving(1, look), true)
    assert.equal(looks, 4)
  })
})
