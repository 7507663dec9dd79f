/** Holds the guide: every command in it runs, and prints what the page says. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runGuide, withoutChance } from '../scripts/guide.ts'

describe('docs/guide', () => {
  it('says what its commands print (npm run guide writes it anew)', () => {
    const pages = runGuide()
    assert.ok(pages.length > 0)
    for (const { name, says, is } of pages) {
      assert.equal(withoutChance(is), withoutChance(says), name)
    }
  })
})
