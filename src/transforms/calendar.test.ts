import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Calendar, type CalendarStretches, type CalendarUnit } from './calendar.ts'
import { calendarBounds } from './calendar-reference-testing.ts'
import { farthestTimeMs, Zone, zoneName } from './calendar-zone.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** The stretch that holds a moment, in words. */
function stretch(unit: CalendarUnit, timeZone: string, at: string, more = {}): string {
  const calendar = new Calendar({ unit, timeZone, offsetMs: 0, ...more })
  calendar.find(Date.parse(at))
  const [start, end] = [calendar.startMs, calendar.endMs].map((timeMs) =>
    new Date(timeMs).toISOString().replace(/:00\.000Z$/, 'Z'),
  )
  return `${start} ${end}`
}

describe('days of a time zone', () => {
  it('have 24, 23 or 25 hours', () => {
    const berlin = (at: string) => stretch('day', 'Europe/Berlin', at)
    assert.equal(berlin('2026-03-28T12:00Z'), '2026-03-27T23:00Z 2026-03-28T23:00Z')
    assert.equal(berlin('2026-03-29T12:00Z'), '2026-03-28T23:00Z 2026-03-29T22:00Z', '23 hours')
    assert.equal(berlin('2026-03-29T21:59:59.999Z'), '2026-03-28T23:00Z 2026-03-29T22:00Z')
    assert.equal(berlin('2026-03-29T22:00Z'), '2026-03-29T22:00Z 2026-03-30T22:00Z')
    assert.equal(berlin('2026-10-25T00:30Z'), '2026-10-24T22:00Z 2026-10-25T23:00Z', '25 hours')
    assert.equal(berlin('2026-10-25T22:30Z'), '2026-10-24T22:00Z 2026-10-25T23:00Z')
  })

  it('begin where clocks are 30 or 45 minutes off, or change by half an hour', () => {
    const of = (zone: string, at: string) => stretch('day', zone, at)
    assert.equal(of('Asia/Kolkata', '2026-01-01T00:00Z'), '2025-12-31T18:30Z 2026-01-01T18:30Z')
    assert.equal(of('Asia/Kathmandu', '2026-01-01T00:00Z'), '2025-12-31T18:15Z 2026-01-01T18:15Z')
    assert.equal(
      of('Australia/Lord_Howe', '2026-04-05T00:00Z'),
      '2026-04-04T13:00Z 2026-04-05T13:30Z',
      '24.5 hours',
    )
    assert.equal(of('+05:30', '2026-01-01T00:00Z'), '2025-12-31T18:30Z 2026-01-01T18:30Z')
    assert.equal(of('UTC', '1969-12-31T23:59Z'), '1969-12-31T00:00Z 1970-01-01T00:00Z')
  })

  it('may have no midnight, two of them, or not exist', () => {
    // São Paulo put clocks forward at midnight: the day began at 01:00.
    const saoPaulo = stretch('day', 'America/Sao_Paulo', '2017-10-15T12:00Z')
    assert.equal(saoPaulo, '2017-10-15T03:00Z 2017-10-16T02:00Z')
    // And back at midnight: 23:00 came twice, the day before has 25 hours.
    const back = stretch('day', 'America/Sao_Paulo', '2018-02-18T02:30Z')
    assert.equal(back, '2018-02-17T02:00Z 2018-02-18T03:00Z')
    // St John's put clocks back at 00:01, so that midnight came twice: the first begins the day.
    const stJohns = stretch('day', 'America/St_Johns', '2006-10-29T02:31Z')
    assert.equal(stJohns, '2006-10-29T02:30Z 2006-10-30T03:30Z')
    // Apia went over the date line: after the 29th came the 31st.
    assert.equal(
      stretch('day', 'Pacific/Apia', '2011-12-30T09:59Z'),
      '2011-12-29T10:00Z 2011-12-30T10:00Z',
    )
    assert.equal(
      stretch('day', 'Pacific/Apia', '2011-12-30T10:00Z'),
      '2011-12-30T10:00Z 2011-12-31T10:00Z',
    )
    // Kwajalein left out a day in 1993 as well.
    assert.equal(
      stretch('day', 'Pacific/Kwajalein', '1993-08-21T12:00Z'),
      '1993-08-21T12:00Z 1993-08-22T12:00Z',
    )
  })

  it('go back to when each town had its own time', () => {
    const berlin = stretch('day', 'Europe/Berlin', '1880-06-01T12:00Z')
    assert.equal(berlin, '1880-05-31T23:06:32.000Z 1880-06-01T23:06:32.000Z')
    const first = new Calendar({ unit: 'month', timeZone: 'UTC', offsetMs: 0 })
    first.find(new Date(0).setUTCFullYear(1, 1, 14))
    assert.equal(new Date(first.startMs).toISOString(), '0001-02-01T00:00:00.000Z')
  })

  it('may begin later than at midnight, by the clocks', () => {
    const night = { offsetMs: 4 * hourMs }
    const of = (at: string) => stretch('day', 'Europe/Berlin', at, night)
    assert.equal(of('2026-03-29T01:59Z'), '2026-03-28T03:00Z 2026-03-29T02:00Z', '23 hours')
    assert.equal(of('2026-03-29T02:00Z'), '2026-03-29T02:00Z 2026-03-30T02:00Z')
    const gap = stretch('day', 'Europe/Berlin', '2026-03-29T12:00Z', { offsetMs: 2.5 * hourMs })
    assert.equal(gap, '2026-03-29T01:00Z 2026-03-30T00:30Z', '02:30 was left out: it is 03:00')
  })
})

describe('weeks and months of a time zone', () => {
  it('hold the changes of clocks', () => {
    const week = stretch('week', 'Europe/Berlin', '2026-03-29T12:00Z')
    assert.equal(week, '2026-03-22T23:00Z 2026-03-29T22:00Z')
    const sunday = stretch('week', 'America/New_York', '2026-03-10T12:00Z', { weekStart: 'sunday' })
    assert.equal(sunday, '2026-03-08T05:00Z 2026-03-15T04:00Z')
    const month = stretch('month', 'Europe/Berlin', '2026-03-31T21:59Z')
    assert.equal(month, '2026-02-28T23:00Z 2026-03-31T22:00Z')
    const leap = stretch('month', 'UTC', '2024-02-29T23:59Z')
    assert.equal(leap, '2024-02-01T00:00Z 2024-03-01T00:00Z')
    const turn = stretch('month', 'UTC', '1969-12-31T00:00Z')
    assert.equal(turn, '1969-12-01T00:00Z 1970-01-01T00:00Z')
  })
})

const zones = [
  ...['Europe/Berlin', 'America/New_York', 'America/Santiago', 'Australia/Lord_Howe'],
  ...['Asia/Kathmandu', 'Pacific/Apia', 'Africa/Casablanca', 'Antarctica/Troll', 'Asia/Tehran'],
]
const stretchesOf = fc.record({
  unit: fc.constantFrom<CalendarUnit[]>('day', 'week', 'month'),
  timeZone: fc.constantFrom(...zones),
  weekStart: fc.constantFrom('monday' as const, 'sunday' as const, 'saturday' as const),
  offsetMs: fc.constantFrom(0, 0, 4 * hourMs, 90 * 60_000),
}) satisfies fc.Arbitrary<CalendarStretches>

describe('stretches of a calendar', () => {
  it('are those in which the clocks show the same day, week or month', () => {
    const times = fc.integer({ min: Date.UTC(1975), max: Date.UTC(2036) })
    fc.assert(
      fc.property(stretchesOf, times, (stretches, timeMs) => {
        const calendar = new Calendar(stretches)
        calendar.find(timeMs)
        const { startMs, endMs } = calendar
        assert.deepEqual({ startMs, endMs }, calendarBounds(stretches, timeMs))
      }),
      { numRuns: 60 },
    )
  })

  it('leave no gap and do not depend on what was asked before', () => {
    const steps = fc.array(fc.integer({ min: -40 * dayMs, max: 40 * dayMs }), { maxLength: 20 })
    const begins = fc.integer({ min: Date.UTC(1900), max: Date.UTC(2040) })
    fc.assert(
      fc.property(stretchesOf, begins, steps, (stretches, beginMs, moves) => {
        const kept = new Calendar(stretches)
        let timeMs = beginMs
        for (const move of moves) {
          timeMs += move
          kept.find(timeMs)
          const { startMs, endMs } = kept
          assert.ok(startMs <= timeMs && timeMs < endMs)
          kept.find(startMs - 1)
          assert.equal(kept.endMs, startMs)
          kept.find(endMs)
          assert.equal(kept.startMs, endMs)
        }
        const fresh = new Calendar(stretches)
        kept.find(timeMs)
        fresh.find(timeMs)
        assert.deepEqual([kept.startMs, kept.endMs], [fresh.startMs, fresh.endMs])
      }),
      { numRuns: 30 },
    )
  })

  it('are found for any number, also one that is no time', () => {
    const calendar = new Calendar({ unit: 'month', timeZone: 'Asia/Tokyo', offsetMs: 0 })
    for (const timeMs of [farthestTimeMs, -farthestTimeMs, 1e300, -Infinity, Number.NaN]) {
      calendar.find(timeMs)
      assert.ok(calendar.endMs > calendar.startMs, String(timeMs))
    }
  })
})

describe('time zones', () => {
  it('are known by name, however it is written', () => {
    assert.deepEqual(['utc', 'europe/BERLIN', 'Mars/Olympus', ''].map(zoneName), [
      ...['UTC', 'Europe/Berlin', undefined, undefined],
    ])
    assert.match(zoneName('Asia/Calcutta')!, /^Asia\/(Calcutta)$/, 'an alias stays what it is')
    assert.match(zoneName('Asia/Kolkata')!, /^Asia\/(Kolkata)$/, 'an alias stays what it is')
  })

  it('are as far from UTC as they ever were', () => {
    const of = (zone: string, at: string) => new Zone(zone).offsetMs(Date.parse(at)) / 1000
    assert.equal(of('Asia/Manila', '1840-01-01T00:00Z'), -(15 * 3600 + 56 * 60 + 8))
    assert.equal(of('America/Metlakatla', '1860-01-01T00:00Z'), 15 * 3600 + 13 * 60 + 42)
    assert.equal(of('Pacific/Kiritimati', '2026-12-31T12:00Z'), 14 * 3600)
    assert.equal(of('Pacific/Pago_Pago', '2026-03-01T05:00Z'), -11 * 3600)
    assert.equal(of('Europe/Berlin', '1969-12-31T23:59:59.999Z'), 3600)
  })
})
