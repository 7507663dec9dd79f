import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hrefOf, parseRoute } from './route.ts'

describe('web: route', () => {
  it('reads back what it writes, also what needs to be escaped', () => {
    const href = hrefOf('messages', { topic: 'a b&c#d?e', id: 'x:1', key: undefined })
    const { path, words } = parseRoute(href)
    assert.equal(path, 'messages')
    assert.deepEqual(
      [...words],
      [
        ['topic', 'a b&c#d?e'],
        ['id', 'x:1'],
      ],
    )
  })

  it('knows the overview by several addresses, and no view that is not there', () => {
    for (const hash of ['', '#', '#/']) assert.equal(parseRoute(hash).path, '')
    assert.equal(parseRoute('#/nothing').path, undefined)
  })
})
