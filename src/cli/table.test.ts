import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { bytesText, countText, oneLine, shortened, table, timeText } from './table.ts'

describe('tables', () => {
  test('align words on the left and numbers on the right', () => {
    const rows = [
      ['orders', 12345, '1 KiB'],
      ['o', undefined, undefined],
    ]
    assert.equal(
      table(['topic', 'messages', 'size'], rows),
      'topic   messages  size\norders    12,345  1 KiB\no              -  -',
    )
    assert.equal(table(['year'], [[2024]], String), 'year\n2024')
    assert.equal(table(['none'], []), 'none')
  })

  test('hold one line a row, whatever a value holds', () => {
    assert.equal(table(['a'], [['x\ny\u001b[2J']]), 'a\nx\\ny\\u{1b}[2J')
    assert.equal(oneLine('ok ünï 漢\t\u202e\u2028'), 'ok ünï 漢\\t\\u{202e}\\u{2028}')
  })

  test('shorten by characters, not by halves of one', () => {
    assert.equal(shortened('abcdef', 6), 'abcdef')
    assert.equal(shortened('abcdefg', 6), 'abcde…')
    assert.equal(shortened('😀😀😀', 3), '😀😀😀')
    assert.equal(shortened('😀😀😀😀', 3), '😀😀…')
  })

  test('write sizes, counts and times for people', () => {
    assert.deepEqual([0, 1, 1023, 1536, 1024 ** 3].map(bytesText), [
      '0 B',
      '1 B',
      '1023 B',
      '1.5 KiB',
      '1.0 GiB',
    ])
    assert.equal(countText(1234567), '1,234,567')
    assert.equal(timeText(0), '1970-01-01T00:00:00.000Z')
    assert.equal(timeText(Number.MAX_VALUE), String(Number.MAX_VALUE))
  })
})
