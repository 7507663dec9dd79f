/**
 * Days, weeks and months of a time zone as stretches of time without a gap. Each begins at the
 * first moment at which clocks there show its first midnight (plus an offset) or later, so days
 * have 23, 24 or 25 hours, and one that was left out (Apia, 2011-12-30) is none.
 */
import { farthestTimeMs, modulo, Zone } from './calendar-zone.ts'

export type CalendarUnit = 'day' | 'week' | 'month'

/** By number, as days count from Sunday. */
export const weekdays = [
  ...(['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const),
] as const
export type Weekday = (typeof weekdays)[number]

const dayMs = 86_400_000
/** 1970-01-01 was a Thursday. */
const epochWeekday = 4
/** Beginnings that are kept. A stream that touches more at a time begins to collect them anew. */
const mostKept = 20_000

export interface CalendarStretches {
  readonly unit: CalendarUnit
  readonly timeZone: string
  /** For weeks; Monday, where nothing is said. */
  readonly weekStart?: Weekday
  /** Each begins so much later by the clocks there: less than a day. */
  readonly offsetMs: number
}

/**
 * Finds the stretch of a time. Asking `Intl` takes many microseconds, so beginnings are kept, and
 * the last stretch found is looked at first: `startMs` and `endMs` hold it after `find`.
 */
export class Calendar {
  startMs = 0
  /** The first millisecond behind it. Until the first `find` nothing is in it. */
  endMs = 0
  readonly #unit: CalendarUnit
  readonly #offsetMs: number
  /** Days from 1970-01-01 to the first beginning of a week. */
  readonly #weekDay: number
  readonly #zone: Zone
  readonly #starts = new Map<number, number>()

  constructor({ unit, timeZone, weekStart = 'monday', offsetMs }: CalendarStretches) {
    this.#unit = unit
    this.#offsetMs = offsetMs
    this.#weekDay = modulo(weekdays.indexOf(weekStart) - epochWeekday, 7)
    this.#zone = new Zone(timeZone)
  }

  /** Leaves the stretch of `timeMs` in `startMs` and `endMs`. */
  find(timeMs: number): void {
    if (timeMs >= this.startMs && timeMs < this.endMs) return
    const within = Math.min(farthestTimeMs, Math.max(-farthestTimeMs, Math.floor(timeMs) || 0))
    let index = this.#indexOf(Math.floor((within - this.#offsetMs) / dayMs))
    let start = this.#startOf(index)
    while (within < start) start = this.#startOf(--index)
    let end = this.#startOf(index + 1)
    while (within >= end) {
      start = end
      index++
      end = this.#startOf(index + 1)
    }
    this.startMs = start
    this.endMs = end
  }

  /** The number of the unit that a day (counted from 1970-01-01) is in. */
  #indexOf(day: number): number {
    if (this.#unit === 'day') return day
    if (this.#unit === 'week') return Math.floor((day - this.#weekDay) / 7)
    const date = new Date(day * dayMs)
    return date.getUTCFullYear() * 12 + date.getUTCMonth()
  }

  #startOf(index: number): number {
    const known = this.#starts.get(index)
    if (known !== undefined) return known
    if (this.#starts.size >= mostKept) this.#starts.clear()
    const start = this.#zone.firstAtOrAfter(this.#midnightOf(index) + this.#offsetMs)
    this.#starts.set(index, start)
    return start
  }

  /** The first midnight of a unit, as if in UTC. */
  #midnightOf(index: number): number {
    if (this.#unit === 'day') return index * dayMs
    if (this.#unit === 'week') return (index * 7 + this.#weekDay) * dayMs
    // Not Date.UTC: it takes the years 0 to 99 for 1900 to 1999.
    return new Date(0).setUTCFullYear(Math.floor(index / 12), modulo(index, 12), 1)
  }
}
