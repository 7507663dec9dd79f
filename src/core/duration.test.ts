import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { durationOption, durationText, readDuration } from './duration.ts'
import { codeOf } from './errors.ts'

describe('durations', () => {
  it('are read as people write them', () => {
    const read = ['500ms', '15s', '15m', '1h30m', '1.5s', '7d', '2w', '0s'].map(readDuration)
    const days = 86_400_000
    assert.deepEqual(read, [500, 15_000, 900_000, 5_400_000, 1500, 7 * days, 14 * days, 0])
    for (const wrong of ['', '7', 'd', '7 d', '7days', '-1d', '1h 30m', '1e3s', ' 1s']) {
      assert.equal(readDuration(wrong), undefined, wrong)
    }
  })

  it('as an option are whole milliseconds from a bound on, or refused with what was seen', () => {
    assert.equal(durationOption('x', '15m', 1), 900_000)
    assert.equal(durationOption('x', 250), 250)
    assert.ok(Object.is(durationOption('x', -0), 0), 'zero has no sign: plans are compared')
    for (const wrong of ['0s', 'soon', 0, -5, 1.5, Number.NaN, 1e300, undefined, null, {}]) {
      assert.throws(
        () => durationOption("tumbling: option 'size'", wrong, 1),
        (error: Error) =>
          codeOf(error) === 'OPTIONS_INVALID' &&
          error.message.startsWith("tumbling: option 'size'"),
        String(wrong),
      )
    }
  })

  it('are told in the two largest units', () => {
    const told = [0, 500, 90_000, 604_800_000, 5_400_000].map(durationText)
    assert.deepEqual(told, ['0 ms', '500 ms', '1 min 30 s', '7 d', '1 h 30 min'])
  })
})
