import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { durationWords, isInUtc, pointTime, tickTime } from './dates.ts'

const dayMs = 86_400_000
const utc = (text: string) => Date.parse(`${text}Z`)
/** Of the clock of whoever runs the test. */
const local = (text: string) => Date.parse(text)

describe('web: dates', () => {
  it('names at an axis what differs within its span', () => {
    const hourMs = dayMs / 24
    assert.equal(tickTime(local('2014-03-09T14:03:12'), 60_000, false), '14:03:12')
    assert.equal(tickTime(local('2014-03-09T14:00:00'), hourMs, false), '14:00')
    assert.equal(tickTime(local('2014-03-09T00:00:00'), hourMs, false), '9 Mar')
    assert.equal(tickTime(local('2014-03-09T12:00:00'), 3 * dayMs, false), '9 Mar 12:00')
    assert.equal(tickTime(utc('2014-03-01T00:00:00'), 30 * dayMs, true), '1 Mar')
    assert.equal(tickTime(utc('2014-03-01T00:00:00'), 300 * dayMs, true), 'Mar 2014')
    assert.equal(tickTime(utc('2014-03-16T00:00:00'), 100 * dayMs, true), '16 Mar')
    assert.equal(tickTime(utc('2014-01-01T00:00:00'), 3000 * dayMs, true), '2014')
  })

  it('names points as finely as they are, those of days by UTC', () => {
    assert.equal(isInUtc(dayMs), true)
    assert.equal(isInUtc(dayMs / 2), false)
    assert.equal(pointTime(utc('2002-10-04T00:00:00'), 7 * dayMs), '4 Oct 2002')
    assert.equal(pointTime(local('2002-10-04T09:05:07'), 3_600_000), '4 Oct 2002 09:05')
    assert.equal(pointTime(local('2002-10-04T09:05:07'), 1000), '4 Oct 2002 09:05:07')
  })

  it('says how much time a point covers', () => {
    assert.equal(durationWords(1000), '1 second')
    assert.equal(durationWords(15_000), '15 seconds')
    assert.equal(durationWords(5_400_000), '90 minutes')
    assert.equal(durationWords(7 * dayMs), '7 days')
    assert.equal(durationWords(1500), '1500 ms')
  })
})
