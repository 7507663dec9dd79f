/**
 * How far a time zone's clocks are from UTC at a moment, and when they first show a given time.
 * Asked of `Intl.DateTimeFormat`, so it is as right as the time zone data of this Node. There is no
 * `Temporal` in Node 24, and a polyfill of it would bring a whole calendar library for these two
 * questions; over all zones of 1900 to 2040 it was compared with one, which agreed.
 */

const secondMs = 1000
const dayMs = 86_400_000
/** No zone ever was further from UTC: Manila had -15:56, Metlakatla +15:14. */
const farthestMs = 16 * 3_600_000
/** What a `Date` can hold, less what is looked at around a moment. */
export const farthestTimeMs = 8.64e15 - 500 * dayMs

/** Undefined when `timeZone` is none that this Node knows; else its name as it is usually spelt. */
export function zoneName(timeZone: string): string | undefined {
  try {
    const known = new Intl.DateTimeFormat('en-US', { timeZone }).resolvedOptions().timeZone
    // An alias may come back as its newer or older name, which differs between versions of Node.
    return known.toLowerCase() === timeZone.toLowerCase() ? known : timeZone
  } catch {
    return undefined
  }
}

export class Zone {
  readonly #format: Intl.DateTimeFormat

  constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      ...{ timeZone, numberingSystem: 'latn', hourCycle: 'h23' },
      ...{ day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' },
    })
  }

  /** What to add to `timeMs` for what clocks show there, as if that were UTC. Some microseconds. */
  offsetMs(timeMs: number): number {
    const secondStart = Math.floor(timeMs / secondMs) * secondMs
    let day = 0
    let shownMs = 0
    for (const { type, value } of this.#format.formatToParts(secondStart)) {
      if (type === 'day') day = Number(value)
      else if (type === 'hour') shownMs += Number(value) * 3_600_000
      else if (type === 'minute') shownMs += Number(value) * 60_000
      else if (type === 'second') shownMs += Number(value) * secondMs
    }
    // The year and its era are not asked for: the day is the same, the next or the one before.
    const utcDay = new Date(secondStart).getUTCDate()
    const ofDay = shownMs - modulo(secondStart, dayMs)
    if (day === utcDay) return ofDay
    const isNext = day === new Date(secondStart + dayMs).getUTCDate()
    return isNext ? ofDay + dayMs : ofDay - dayMs
  }

  /**
   * The first moment at which clocks there show `shownMs` (a local time written as if it were UTC)
   * or later. Where they are put back over it, the first of the two; where they are put forward
   * over it, or a whole day is left out, the moment at which that happens.
   */
  firstAtOrAfter(shownMs: number): number {
    let before = shownMs - farthestMs
    let after = shownMs + farthestMs
    const offsetBefore = this.offsetMs(before)
    const offsetAfter = this.offsetMs(after)
    if (offsetBefore === offsetAfter) return shownMs - offsetBefore
    // One change lies between, at a full second: it is found by halving.
    while (after - before > secondMs) {
      const middle = before + Math.floor((after - before) / 2 / secondMs) * secondMs
      if (this.offsetMs(middle) === offsetBefore) before = middle
      else after = middle
    }
    const changeMs = Math.floor(after / secondMs) * secondMs
    if (shownMs - offsetBefore < changeMs) return shownMs - offsetBefore
    return Math.max(changeMs, shownMs - offsetAfter)
  }
}

/**
 * What is left of `value` over a multiple of `divisor`, from 0 on also below 0. Exact for all whole
 * numbers that a double holds, and several times as fast as the operator `%` is on such numbers.
 */
export function modulo(value: number, divisor: number): number {
  return value - Math.floor(value / divisor) * divisor
}
