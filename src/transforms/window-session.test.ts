import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { session } from './window.ts'
import { mergeSessions, noMerge, replacedStarts } from './window-session.ts'

interface Given {
  readonly longest?: number
  readonly watermarkMs?: number
}

/**
 * What becomes of sessions ('0..20 40..50') when a message comes, with starts that were given up
 * behind a minus; 'late' when none takes it. The gap is 10, the lateness 5.
 */
function merged(sessions: string, timeMs: number, { longest, watermarkMs }: Given = {}): string {
  const list = sessions.split(' ').flatMap((text) => {
    const [startMs, endMs] = text.split('..').map(Number)
    return text === '' ? [] : [{ startMs: startMs!, endMs: endMs! }]
  })
  const into = noMerge()
  const window = session({ gap: 10, lateness: 5, longest })
  if (!mergeSessions(window, list, timeMs, watermarkMs ?? -Infinity, into)) return 'late'
  const replaced = replacedStarts(list, into).map((startMs) => ` -${startMs}`)
  list.splice(into.from, into.to - into.from, { startMs: into.startMs, endMs: into.endMs })
  return list.map(({ startMs, endMs }) => `${startMs}..${endMs}`).join(' ') + replaced.join('')
}

describe('sessions', () => {
  it('begin, grow at both ends and become one', () => {
    assert.equal(merged('', 7), '7..7')
    assert.equal(merged('0..20', 5), '0..20')
    assert.equal(merged('0..20', 30), '0..30')
    assert.equal(merged('0..20', 31), '0..20 31..31')
    assert.equal(merged('0..20', -10), '-10..20 -0')
    assert.equal(merged('0..20', -11), '-11..-11 0..20')
    assert.equal(merged('0..20 40..50', 30), '0..50 -40')
    assert.equal(merged('0..20 50..60', 31), '0..20 31..31 50..60')
  })

  it('are not made longer than they may be', () => {
    const longest = 25
    assert.equal(merged('0..20', 25, { longest }), '0..25')
    assert.equal(merged('0..20', 26, { longest }), '0..20 26..26')
    assert.equal(merged('0..10 20..30', 16, { longest }), '0..16 20..30', 'with the earlier one')
    assert.equal(merged('0..24 27..40', 26, { longest }), '0..24 26..40 -27')
    assert.equal(merged('0..24 27..40', 23, { longest }), '0..24 27..40')
  })

  it('that are closed are left alone, and nothing takes their place', () => {
    // 0..20 closes at 20 + 10 + 5 + 1.
    assert.equal(merged('0..20', 30, { watermarkMs: 35 }), '0..30')
    assert.equal(merged('0..20', 30, { watermarkMs: 36 }), '0..20 30..30')
    assert.equal(merged('0..20', 20, { watermarkMs: 36 }), 'late')
    assert.equal(merged('', 20, { watermarkMs: 36 }), 'late')
    assert.equal(merged('', 21, { watermarkMs: 36 }), '21..21')
    // Into an open session it may fall however old it is, but not make it begin earlier.
    assert.equal(merged('25..60', 26, { watermarkMs: 60 }), '25..60')
    assert.equal(merged('25..60', 24, { watermarkMs: 60 }), 'late')
  })
})
