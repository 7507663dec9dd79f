/** Times of messages, which may be seconds or years ago, as an axis, a tooltip and a sentence name them. */
const minuteMs = 60_000
const dayMs = 86_400_000

const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')
const pad = (value: number) => String(value).padStart(2, '0')

/** Points of whole days begin at midnight in UTC, so they are named by UTC; others by the reader's clock. */
export const isInUtc = (everyMs: number) => everyMs >= dayMs

function partsOf(timeMs: number, isUtc: boolean) {
  const date = new Date(timeMs)
  return isUtc
    ? {
        ...{ year: date.getUTCFullYear(), month: date.getUTCMonth(), day: date.getUTCDate() },
        ...{ hour: date.getUTCHours(), minute: date.getUTCMinutes(), second: date.getUTCSeconds() },
      }
    : {
        ...{ year: date.getFullYear(), month: date.getMonth(), day: date.getDate() },
        ...{ hour: date.getHours(), minute: date.getMinutes(), second: date.getSeconds() },
      }
}

/**
 * What stands at an axis: `14:03:12`, `14:00`, `9 Mar 14:00`, `9 Mar`, `Mar 2014`, `2014`; as much as
 * names this time among others of the same span.
 */
export function tickTime(timeMs: number, spanMs: number, isUtc: boolean): string {
  const { year, month, day, hour, minute, second } = partsOf(timeMs, isUtc)
  const ofDay = `${day} ${months[month]}`
  if (hour + minute + second === 0) {
    if (day > 1 || spanMs <= 60 * dayMs) return ofDay
    return month === 0 ? String(year) : `${months[month]} ${year}`
  }
  const clock = `${pad(hour)}:${pad(minute)}${second === 0 ? '' : `:${pad(second)}`}`
  return spanMs > dayMs ? `${ofDay} ${clock}` : clock
}

/** When a point begins, in full, as finely as points are: `9 Mar 2014`, `9 Mar 2014 14:03`. */
export function pointTime(timeMs: number, everyMs: number): string {
  const parts = partsOf(timeMs, isInUtc(everyMs))
  const day = `${parts.day} ${months[parts.month]} ${parts.year}`
  if (everyMs >= dayMs) return day
  const clock = `${pad(parts.hour)}:${pad(parts.minute)}`
  return everyMs >= minuteMs ? `${day} ${clock}` : `${day} ${clock}:${pad(parts.second)}`
}

const units = [
  { ms: dayMs, name: 'day' },
  { ms: 60 * minuteMs, name: 'hour' },
  { ms: minuteMs, name: 'minute' },
  { ms: 1000, name: 'second' },
] as const

/** `7 days`, `90 minutes`: by the largest unit that divides it. */
export function durationWords(ms: number): string {
  const unit = units.find((one) => ms % one.ms === 0)
  if (unit === undefined) return `${ms} ms`
  const count = ms / unit.ms
  return `${count} ${unit.name}${count === 1 ? '' : 's'}`
}
