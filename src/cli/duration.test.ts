import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { durationText, parseBytes, parseDuration, parseWhole } from './duration.ts'
import { parsePosition } from './topics-position.ts'

describe('words of the command line', () => {
  test('durations', () => {
    assert.equal(parseDuration('7d'), 7 * 86_400_000)
    assert.equal(parseDuration('1h30m'), 90 * 60_000)
    assert.equal(parseDuration('500ms'), 500)
    assert.equal(parseDuration('1.5s'), 1500)
    for (const wrong of ['', '7', 'd', '7 d', '7days', '-1d', '1h 30m']) {
      assert.throws(() => parseDuration(wrong), /a duration such as/, wrong)
    }
    assert.deepEqual([0, 500, 90_000, 7 * 86_400_000, 5_400_000].map(durationText), [
      '0 ms',
      '500 ms',
      '1 min 30 s',
      '7 d',
      '1 h 30 min',
    ])
  })

  test('sizes and whole numbers', () => {
    assert.equal(parseBytes('1048576'), 1024 ** 2)
    assert.deepEqual(['64k', '1M', '1GiB', '2tb'].map(parseBytes), [
      64 * 1024,
      1024 ** 2,
      1024 ** 3,
      2 * 1024 ** 4,
    ])
    for (const wrong of ['', '1.5k', 'k', '-1', '1x']) assert.throws(() => parseBytes(wrong), wrong)
    assert.equal(parseWhole(1, 9)('9'), 9)
    for (const wrong of ['0', '10', '1.5', '', '1e1', 'x']) {
      assert.throws(() => parseWhole(1, 9)(wrong), /1 to 9/, wrong)
    }
  })

  test('places in a topic', () => {
    assert.deepEqual(parsePosition('start'), { kind: 'start' })
    assert.deepEqual(parsePosition('end'), { kind: 'end' })
    assert.deepEqual(parsePosition('42'), { kind: 'offset', offset: 42 })
    const noon = { kind: 'time', timeMs: Date.UTC(2026, 0, 31, 12) }
    for (const text of ['2026-01-31T12:00:00Z', '2026-01-31T12:00', '2026-01-31 13:00+01:00']) {
      assert.deepEqual(parsePosition(text), noon, text)
    }
    assert.deepEqual(parsePosition('2026-01-31'), { ...noon, timeMs: Date.UTC(2026, 0, 31) })
    for (const wrong of ['', 'begin', '-1', '2026-13-01', 'Jan 31 2026', '1e3']) {
      assert.throws(() => parsePosition(wrong), /is needed/, wrong)
    }
  })
})
