/**
 * Times of rows as people write them: ISO dates, `2015-02-24 11:35:52 -0800`, Twitter's and mail's
 * dates, seconds or smaller units since 1970. Never by `Date.parse`, which reads what has no time
 * zone in that of the machine: here it is UTC, on every machine.
 */

const isoForm =
  /^(\d{4})[-/](\d{2})[-/](\d{2})(?:[T ]+(\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)? ?(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?$/i
/** `Tue Feb 24 11:35:52 +0000 2015` */
const twitterForm =
  /^[a-z]{3} ([a-z]{3}) (\d{1,2}) (\d{2}):(\d{2}):(\d{2}) (Z|UTC|GMT|[+-]\d{4}) (\d{4})$/i
/** `Tue, 24 Feb 2015 11:35:52 -0800` (RFC 5322) */
const mailForm =
  /^(?:[a-z]{3}, )?(\d{1,2}) ([a-z]{3}) (\d{4}) (\d{2}):(\d{2})(?::(\d{2}))? (Z|UTC|GMT|[+-]\d{4})$/i
const numberForm = /^[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i
const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

/** Sizes that no time since 1973 and before 5138 has in the unit before. */
const units = [
  { below: 1e11, name: 'seconds', perMs: 1e-3 },
  { below: 1e14, name: 'milliseconds', perMs: 1 },
  { below: 1e17, name: 'microseconds', perMs: 1e3 },
  { below: Infinity, name: 'nanoseconds', perMs: 1e6 },
] as const

/** Collects the times of a column, and at the end says what its numbers meant. */
export class TimeColumn {
  readonly #values: number[] = []
  #numbers = 0
  #largest = 0
  #zoneless = 0

  /** Adds a row's time; false: it is none, and nothing was added. */
  add(value: unknown): boolean {
    const number = numberOf(value)
    if (number !== undefined) {
      this.#numbers++
      this.#largest = Math.max(this.#largest, Math.abs(number))
      this.#values.push(number)
      return true
    }
    const time = value instanceof Date ? value.getTime() : this.#parse(value)
    if (Number.isNaN(time)) return false
    this.#values.push(time)
    return true
  }

  /** True when some values are numbers and others dates. */
  get isMixed(): boolean {
    return this.#numbers > 0 && this.#numbers < this.#values.length
  }

  /** Milliseconds since 1970, by row in the order of `add`, and what was guessed on the way. */
  finish(): { timesMs: Float64Array; notes: string[] } {
    const timesMs = Float64Array.from(this.#values)
    if (this.#numbers > 0) {
      const unit = units.find(({ below }) => this.#largest < below)!
      for (let row = 0; row < timesMs.length; row++) timesMs[row]! /= unit.perMs
      return { timesMs, notes: [`times are numbers, read as ${unit.name} since 1970`] }
    }
    const notes = this.#zoneless > 0 ? ['times without a time zone were read as UTC'] : []
    return { timesMs, notes }
  }

  #parse(value: unknown): number {
    if (typeof value !== 'string') return Number.NaN
    const text = value.trim()
    const iso = isoForm.exec(text)
    if (iso !== null) {
      const [, year, month, day, hour, minute, second, fraction, zone] = iso
      const date = { year, month: Number(month) - 1, day, hour, minute, second, zone }
      const time = timeOf(date) + Math.floor(Number(`0.${fraction ?? 0}`) * 1000)
      if (zone === undefined && !Number.isNaN(time)) this.#zoneless++
      return time
    }
    const twitter = twitterForm.exec(text)
    if (twitter !== null) {
      const [, month, day, hour, minute, second, zone, year] = twitter
      return timeOf({ year, month: monthOf(month), day, hour, minute, second, zone })
    }
    const mail = mailForm.exec(text)
    if (mail === null) return Number.NaN
    const [, day, month, year, hour, minute, second, zone] = mail
    return timeOf({ year, month: monthOf(month), day, hour, minute, second, zone })
  }
}

/** What tells that a time could be read, for error messages. */
export const knownTimes =
  '2015-02-24, 2015-02-24T11:35:52.123Z, 2015-02-24 11:35:52 -0800, or a number since 1970'

function numberOf(value: unknown): number | undefined {
  if (typeof value === 'bigint') return Number(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  // Eight digits are a day without dashes more likely than a second of 1970.
  if (typeof value !== 'string' || /^(19|20)\d{6}$/.test(value.trim())) return undefined
  return numberForm.test(value.trim()) ? Number(value) : undefined
}

interface Fields {
  readonly year: string | undefined
  /** From 0; -1: no month. */
  readonly month: number
  readonly day: string | undefined
  readonly hour: string | undefined
  readonly minute: string | undefined
  readonly second: string | undefined
  readonly zone: string | undefined
}

/** NaN for a date that the calendar does not have. */
function timeOf({
  year,
  month,
  day,
  hour = '0',
  minute = '0',
  second = '0',
  zone,
}: Fields): number {
  if (month < 0 || +hour > 23 || +minute > 59 || +second > 59) return Number.NaN
  const date = new Date(Date.UTC(2000, month, Number(day), +hour, +minute, +second))
  date.setUTCFullYear(Number(year), month, Number(day))
  if (date.getUTCMonth() !== month || date.getUTCDate() !== Number(day)) return Number.NaN
  return date.getTime() - offsetMs(zone)
}

function offsetMs(zone: string | undefined): number {
  if (zone === undefined || !/^[+-]/.test(zone)) return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3).replace(':', '') || 0)
  return (zone.startsWith('-') ? -1 : 1) * minutes * 60_000
}

function monthOf(name: string | undefined): number {
  return months.indexOf(String(name).toLowerCase())
}
