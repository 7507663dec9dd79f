import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { codeOf } from '../core/errors.ts'
import {
  type CalendarOptions,
  calendar,
  type HoppingOptions,
  hopping,
  type SessionOptions,
  session,
  sliding,
  tumbling,
} from './window.ts'
import { type WindowAssigner, windowAssigner } from './window-assign.ts'
import { readWindowId, windowId } from './window-id.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

function refused(make: () => unknown, message: RegExp): void {
  assert.throws(make, (error: Error) => {
    assert.match(error.message, message)
    return codeOf(error) === 'OPTIONS_INVALID'
  })
}

function assigned(assigner: WindowAssigner, timeMs: number): [number, number][] {
  const found: [number, number][] = []
  assigner.assign(timeMs, { window: (startMs, endMs) => found.push([startMs, endMs]) })
  return found
}

describe('windows as they are declared', () => {
  it('are plain data with every default written out', () => {
    const common = { latenessMs: 0, emit: 'final' }
    assert.deepEqual(tumbling('15m'), {
      ...{ kind: 'tumbling', sizeMs: 15 * minuteMs, offsetMs: 0, ...common },
    })
    assert.deepEqual(hopping('1h', { every: '5m', offset: '1m', lateness: '10s' }), {
      ...{ kind: 'hopping', sizeMs: hourMs, everyMs: 5 * minuteMs, offsetMs: minuteMs },
      ...{ latenessMs: 10_000, emit: 'final' },
    })
    assert.deepEqual(sliding(500, { emit: 'current' }), {
      ...{ kind: 'sliding', sizeMs: 500, latenessMs: 0, emit: 'current' },
    })
    assert.deepEqual(session({ gap: '30m', longest: '1d' }), {
      ...{ kind: 'session', gapMs: 30 * minuteMs, longestMs: 24 * hourMs, ...common },
    })
    assert.deepEqual(calendar('week', { timeZone: 'europe/berlin' }), {
      ...{ kind: 'calendar', unit: 'week', timeZone: 'Europe/Berlin', weekStart: 'monday' },
      ...{ offsetMs: 0, ...common },
    })
  })

  it('print equally when they are equal, however they were written, and cannot be changed', () => {
    const print = JSON.stringify
    const written = tumbling('1h30m', { emit: 'final', lateness: '0s', offset: 0 })
    assert.equal(print(written), print(tumbling(90 * minuteMs)))
    const options = { lateness: '1m', every: '60s' }
    const other = { every: '1m', lateness: '60000ms' }
    assert.equal(print(hopping('1h', options)), print(hopping('60m', other)))
    const day = calendar('day', { lateness: 0, timeZone: 'Asia/Tokyo' })
    assert.equal(print(day), print(calendar('day', { timeZone: 'asia/tokyo', emit: 'final' })))
    assert.throws(() => Object.assign(written, { sizeMs: 1 }), TypeError)
    assert.deepEqual(JSON.parse(print(session({ gap: 5 }))), { ...session({ gap: 5 }) })
  })

  it('refuse what cannot be meant, and say what was seen', () => {
    refused(() => tumbling(0), /tumbling: 'size': 0 was given; a duration such as/)
    refused(() => tumbling('soon'), /'soon' was given/)
    refused(() => tumbling('1h', { offset: '2h' }), /'offset': 2 h is not less than its size/)
    refused(() => tumbling('1h', { lateness: -1 }), /'lateness': -1 was given/)
    refused(() => tumbling('1h', { emit: 'last' as 'final' }), /'emit': 'last' was given; 'final'/)
    refused(() => tumbling('1h', { latenes: '1m' } as object), /'latenes', did you mean 'lateness'/)
    refused(() => hopping('1h', undefined as unknown as HoppingOptions), /hopping: its options/)
    refused(() => hopping('1h', {} as HoppingOptions), /option 'every': undefined was given/)
    refused(() => hopping('5m', { every: '1h' }), /1 h is longer than the size, 5 min/)
    refused(() => hopping('1h', { every: '5m', offset: '5m' }), /5 min is not less than 'every'/)
    refused(() => hopping('10001ms', { every: 1 }), /in 10001 windows, 10000 are allowed/)
    assert.equal(hopping(10_000, { every: 1 }).everyMs, 1)
    refused(() => sliding('0s'), /sliding: 'size': '0s' was given/)
    refused(() => session({} as SessionOptions), /session: option 'gap': undefined/)
    refused(() => session({ gap: '1m', longest: 0 }), /session: option 'longest': 0/)
    const nowhere = { timeZone: 'Europe/Berln' }
    refused(
      () => calendar('day', nowhere),
      /'Europe\/Berln' is none; did you mean 'Europe\/Berlin'/,
    )
    refused(() => calendar('day', {} as CalendarOptions), /'timeZone' is missing; a name such as/)
    refused(() => calendar('year' as 'day', { timeZone: 'UTC' }), /'year' was given; 'day'/)
    refused(() => calendar('day', { timeZone: 'UTC', offset: '24h' }), /1 d is not less than a day/)
    refused(() => calendar('day', { timeZone: 'UTC', weekStart: 'monday' }), /a day has none/)
    const weird = { timeZone: 'UTC', weekStart: 'mondey' as 'monday' }
    refused(() => calendar('week', weird), /did you mean 'monday'/)
  })
})

describe('the windows of a time', () => {
  it('are right at their edges and before 1970', () => {
    const quarter = windowAssigner(tumbling(10, { offset: 3 }))
    assert.deepEqual(
      [3, 12, 13, 2, -7, -8].map((timeMs) => assigned(quarter, timeMs)[0]),
      [...[3, 3, 13, -7, -7, -17].map((startMs) => [startMs, startMs + 10])],
    )
    const hops = windowAssigner(hopping(10, { every: 4 }))
    assert.deepEqual(assigned(hops, 0), [
      [-8, 2],
      [-4, 6],
      [0, 10],
    ])
    assert.deepEqual(assigned(hops, 2), [
      [-4, 6],
      [0, 10],
    ])
    const zero = assigned(windowAssigner(tumbling(10)), 0)[0]![0]
    assert.ok(Object.is(zero, 0), 'zero has no sign')
  })

  it('are exact however large times and sizes are', () => {
    const times = fc.integer({ min: -8e15, max: 8e15 })
    const sizes = fc.integer({ min: 1, max: 1e12 })
    fc.assert(
      fc.property(times, sizes, fc.nat(), fc.nat(), (timeMs, sizeMs, part, rest) => {
        const everyMs = Math.max(1 + (part % sizeMs), Math.ceil(sizeMs / 50))
        const offsetMs = rest % everyMs
        const window = hopping(sizeMs, { every: everyMs, offset: offsetMs })
        const found = assigned(windowAssigner(window), timeMs)
        assert.ok(
          found.length === Math.floor(sizeMs / everyMs) ||
            found.length === Math.ceil(sizeMs / everyMs),
        )
        for (const [startMs, endMs] of found) {
          assert.equal((BigInt(startMs) - BigInt(offsetMs)) % BigInt(everyMs), 0n)
          assert.ok(startMs <= timeMs && timeMs < endMs && endMs - startMs === sizeMs)
        }
        assert.ok(found[0]![0] - everyMs + sizeMs <= timeMs && found.at(-1)![0] + everyMs > timeMs)
      }),
    )
  })
})

describe('ids of windows', () => {
  it('are step, key and start, and can be read whatever is in the key', () => {
    assert.equal(windowId('by-author', 'ann', -60_000), 'by-author/ann/-60000')
    fc.assert(
      fc.property(fc.string(), fc.maxSafeInteger(), (key, startMs) => {
        const read = readWindowId(windowId('a.step', key, startMs))
        assert.deepEqual(read, { step: 'a.step', key, startMs: startMs + 0 })
      }),
    )
    for (const other of ['', 'a', 'a/b', '/b/1', 'a/b/', 'a/b/c', 'a/1']) {
      assert.equal(readWindowId(other), undefined, other)
    }
  })
})
