/**
 * Days, weeks and months of a time zone said slowly and plainly, for tests: the stretch of time
 * around a moment in which clocks show the same day, week or month, found by looking at them.
 */
import { type CalendarStretches, weekdays } from './calendar.ts'

const dayMs = 86_400_000
const clocks = new Map<string, Intl.DateTimeFormat>()

/** What clocks show, as if it were UTC. The Swedish way of writing is that of ISO 8601. */
function shownMs(timeZone: string, timeMs: number): number {
  let clock = clocks.get(timeZone)
  if (clock === undefined) {
    clock = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' })
    clocks.set(timeZone, clock)
  }
  return Date.parse(`${clock.format(timeMs).replace(' ', 'T')}Z`)
}

/** Of two moments, the later has the same text or one that sorts behind. For the years 0 to 9999. */
export function calendarLabel(stretches: CalendarStretches, timeMs: number): string {
  const { unit, timeZone, weekStart = 'monday', offsetMs } = stretches
  const date = new Date(shownMs(timeZone, timeMs) - offsetMs)
  if (unit === 'month') return date.toISOString().slice(0, 7)
  if (unit === 'day') return date.toISOString().slice(0, 10)
  const sinceStart = (date.getUTCDay() - weekdays.indexOf(weekStart) + 7) % 7
  return new Date(date.getTime() - sinceStart * dayMs).toISOString().slice(0, 10)
}

/** The first moment of the stretch, and the first one behind it. */
export function calendarBounds(
  stretches: CalendarStretches,
  timeMs: number,
): { readonly startMs: number; readonly endMs: number } {
  const label = calendarLabel(stretches, timeMs)
  const farMs = (stretches.unit === 'month' ? 33 : stretches.unit === 'week' ? 9 : 3) * dayMs
  return {
    startMs: firstWith((at) => calendarLabel(stretches, at) >= label, timeMs - farMs, timeMs),
    endMs: firstWith((at) => calendarLabel(stretches, at) > label, timeMs, timeMs + farMs),
  }
}

/** The first moment at which `holds` does: not yet at `lowMs`, at `highMs` surely. */
function firstWith(holds: (timeMs: number) => boolean, lowMs: number, highMs: number): number {
  let low = lowMs
  let high = highMs
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (holds(middle)) high = middle
    else low = middle
  }
  return high
}
