import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  ageText,
  counted,
  oneLine,
  percent,
  rawText,
  shortBytes,
  shortDuration,
  shortNumber,
  shortTime,
} from './format.ts'

describe('web: format', () => {
  it('says the day of a time that is not of today', () => {
    const noon = new Date(2002, 9, 2, 12, 3, 4).getTime()
    assert.equal(shortTime(noon, noon + 3_600_000), '12:03:04')
    assert.equal(shortTime(noon, noon + 86_400_000), '2002-10-02 12:03')
  })

  it('shortens numbers to what a person reads, without a jump at the borders', () => {
    const expected = {
      0: '0',
      7: '7',
      0.5: '0.5',
      0.04: '0.04',
      12.34: '12.3',
      999: '999',
      999.7: '1.0 k',
      1000: '1.0 k',
      1234: '1.2 k',
      9960: '10 k',
      34100: '34 k',
      999499: '999 k',
      999900: '1.0 M',
      3400000: '3.4 M',
      2e9: '2.0 G',
      [-1500]: '-1.5 k',
    }
    for (const [value, text] of Object.entries(expected))
      assert.equal(shortNumber(Number(value)), text)
    assert.equal(shortNumber(Number.NaN), '-')
  })

  it('gives durations and sizes the unit that fits', () => {
    assert.equal(shortDuration(0.25), '0.25 ms')
    assert.equal(shortDuration(12.4), '12 ms')
    assert.equal(shortDuration(999.6), '1.0 s')
    assert.equal(shortDuration(59_960), '1.0 min')
    assert.equal(shortDuration(7_200_000), '2.0 h')
    assert.equal(shortBytes(512), '512 B')
    assert.equal(shortBytes(1023.9), '1.0 KiB')
    assert.equal(shortBytes(300 * 1024 * 1024), '300 MiB')
  })

  it('says shares, ages and counts in words', () => {
    assert.equal(percent(0.9731), '97.3 %')
    assert.equal(ageText(1000, 1000), 'now')
    assert.equal(ageText(1000, 63_000), '1 min ago')
    assert.equal(ageText(5000, 1000), 'now')
    assert.equal(counted(1, 'message'), '1 message')
    assert.equal(counted(1200, 'message'), '1.2 k messages')
    assert.equal(oneLine({ a: 'b\nc' }), '{"a":"b\\nc"}')
    assert.equal(oneLine('x\n y', 3), 'x y')
    assert.equal(oneLine('abcdef', 3), 'abc...')
  })

  it('shows raw bytes as text where they are text, else in figures', () => {
    assert.deepEqual(rawText(Buffer.from('{"a":"ä"}').toString('base64')), {
      text: '{"a":"ä"}',
      isText: true,
    })
    const { text, isText } = rawText(Buffer.from([0xff, 0x41, 0x00]).toString('base64'))
    assert.equal(isText, false)
    assert.match(text, /^000000 {2}ff 41 00 +\.A\.$/)
  })
})
