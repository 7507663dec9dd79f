/** Holds docs/reference equal to what the code declares. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { referencePages } from '../scripts/reference.ts'
import { filesOf, textOf } from './house.ts'

describe('reference', () => {
  for (const [name, words] of Object.entries(referencePages())) {
    test(`docs/reference/${name} is up to date`, () => {
      assert.equal(textOf(`docs/reference/${name}`), words, 'run: npm run docs')
    })
  }

  test('there is no page that nothing generates', () => {
    const pages = Object.keys(referencePages()).map((name) => `docs/reference/${name}`)
    assert.deepEqual(filesOf('docs/reference/*.md'), pages.sort())
  })
})
