import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { TimeColumn } from './data-times.ts'

function timesOf(...values: unknown[]) {
  const column = new TimeColumn()
  const readable = values.map((value) => column.add(value))
  return { readable, ...column.finish() }
}

const one = (value: unknown) => timesOf(value).timesMs[0]

describe('training data: times', () => {
  it('reads dates as people write them', () => {
    const moment = Date.UTC(2015, 1, 24, 19, 35, 52)
    for (const text of [
      '2015-02-24T19:35:52Z',
      '2015-02-24 11:35:52 -0800',
      '2015-02-24 11:35:52-08:00',
      '2015-02-24 11:35:52-08',
      '2015/02/24 19:35:52 UTC',
      'Tue Feb 24 19:35:52 +0000 2015',
      'Tue, 24 Feb 2015 11:35:52 -0800',
      '24 Feb 2015 19:35:52 GMT',
      ' 2015-02-25T01:05:52+05:30 ',
    ]) {
      assert.equal(one(text), moment, text)
    }
    assert.equal(one('2015-02-24T19:35:52.1239Z'), moment + 123)
    assert.equal(one('2015-02-24T19:35Z'), moment - 52_000)
    assert.equal(one(new Date(moment)), moment)
  })

  it('takes UTC where no time zone is said, whatever the machine is set to', () => {
    const { timesMs, notes } = timesOf('2015-02-24', '2015-02-24 11:35:52')
    assert.deepEqual([...timesMs], [Date.UTC(2015, 1, 24), Date.UTC(2015, 1, 24, 11, 35, 52)])
    assert.deepEqual(notes, ['times without a time zone were read as UTC'])
  })

  it('guesses the unit of numbers by the largest one, and says so', () => {
    const scale = (factor: number, kind: (value: number) => unknown) => {
      const { timesMs, notes } = timesOf(kind(0), kind(1424806552 * factor))
      assert.deepEqual([...timesMs], [0, 1424806552000])
      return notes
    }
    assert.deepEqual(scale(1, Number), ['times are numbers, read as seconds since 1970'])
    assert.match(scale(1e3, String).join(), /read as milliseconds/)
    assert.match(scale(1e6, BigInt).join(), /read as microseconds/)
    assert.match(scale(1e9, BigInt).join(), /read as nanoseconds/)
  })

  it('refuses what is no time', () => {
    const none = ['', 'soon', '2015-02-30', '2015-13-01', '2015-02-24 25:00', '24.2.2015']
      .concat(['2/24/2015', '20150224', 'Tue Foo 24 19:35:52 +0000 2015'])
      .concat(['2015-02-24T19:60Z', 'Infinity', '0x10'])
    for (const value of [...none, null, undefined, Number.NaN, {}, true]) {
      assert.deepEqual(timesOf(value).readable, [false], String(value))
    }
  })

  it('knows when numbers and dates are mixed', () => {
    const column = new TimeColumn()
    column.add(5)
    assert.equal(column.isMixed, false)
    column.add('2015-02-24')
    assert.equal(column.isMixed, true)
  })

  it('reads every date that ISO 8601 writes', () => {
    const dates = fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true })
    fc.assert(fc.property(dates, (date) => one(date.toISOString()) === date.getTime()))
  })
})
