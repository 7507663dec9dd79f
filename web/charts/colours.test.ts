import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { colourAt, coloursFor } from './colours.ts'

describe('web: colours', () => {
  it('stay with their names while ranks change', () => {
    const first = coloursFor(new Map(), ['ham', 'spam', 'list'])
    assert.deepEqual([...first.values()], [1, 2, 3])
    const next = coloursFor(first, ['spam', 'new', 'ham'])
    assert.deepEqual(Object.fromEntries(next), { spam: 2, new: 3, ham: 1 })
  })

  it('are eight, then that of all others, until one is free', () => {
    const names = [...'abcdefghi']
    const full = coloursFor(new Map(), names)
    assert.deepEqual([...full.values()], [1, 2, 3, 4, 5, 6, 7, 9, 8])
    assert.equal(coloursFor(full, names.slice(1)).get('i'), 1)
    assert.deepEqual([0, 7, 8].map(colourAt), [1, 9, 8])
  })
})
