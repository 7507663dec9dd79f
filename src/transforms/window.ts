/**
 * Windows as users declare them: plain data that goes into a plan and its hash. Every default is
 * written out and lengths are milliseconds, so two equal declarations print equally.
 */
import { type Duration, durationOption, durationText } from '../core/duration.ts'
import { fail, suggestion } from '../core/errors.ts'
import { type CalendarUnit, type Weekday, weekdays } from './calendar.ts'
import { zoneName } from './calendar-zone.ts'

/**
 * `final`: one result a window, when nothing can come into it any more. `current`: a result
 * whenever a window has changed, each replacing the one before; the last of them is the final one.
 */
export type Emit = 'final' | 'current'

export interface WindowOptions {
  /** How long after its end a window still takes messages. Nothing, where it is not said. */
  readonly lateness?: Duration
  /** `final`, where it is not said. */
  readonly emit?: Emit
}

interface WindowData {
  readonly latenessMs: number
  readonly emit: Emit
}

/** Stretches of one size, each beginning where the one before ends. */
export interface TumblingWindow extends WindowData {
  readonly kind: 'tumbling'
  readonly sizeMs: number
  readonly offsetMs: number
}

/** Stretches of one size that begin every so often, so that a message is in several. */
export interface HoppingWindow extends WindowData {
  readonly kind: 'hopping'
  readonly sizeMs: number
  readonly everyMs: number
  readonly offsetMs: number
}

/** Wherever a stretch of that size is put on a key's time line: each set of messages it can hold. */
export interface SlidingWindow extends WindowData {
  readonly kind: 'sliding'
  readonly sizeMs: number
}

/** A key's messages, as long as none is more than `gapMs` after the one before. */
export interface SessionWindow extends WindowData {
  readonly kind: 'session'
  readonly gapMs: number
  /** From its first to its last message; what would make it longer begins another. */
  readonly longestMs?: number
}

/** Days, weeks or months by the clocks of a time zone. */
export interface CalendarWindow extends WindowData {
  readonly kind: 'calendar'
  readonly unit: CalendarUnit
  readonly timeZone: string
  readonly weekStart?: Weekday
  readonly offsetMs: number
}

/** Windows that are the same for all keys and need nothing but a message's time to be found. */
export type AlignedWindow = TumblingWindow | HoppingWindow | CalendarWindow
export type Window = AlignedWindow | SlidingWindow | SessionWindow

export interface TumblingOptions extends WindowOptions {
  /** Begins each window so much later than a multiple of its size since 1970 (UTC). */
  readonly offset?: Duration
}

export interface HoppingOptions extends TumblingOptions {
  /** How long after one window the next begins. */
  readonly every: Duration
}

export interface SessionOptions extends WindowOptions {
  /** The longest silence within a session. */
  readonly gap: Duration
  /** The longest time from its first to its last message. */
  readonly longest?: Duration
}

export interface CalendarOptions extends WindowOptions {
  /** Such as 'Europe/Berlin' or 'UTC'. */
  readonly timeZone: string
  /** With 'week': Monday, where nothing is said. */
  readonly weekStart?: Weekday
  /** Begins each window so much after midnight by the clocks there: less than a day. */
  readonly offset?: Duration
}

/** A hopping window that puts a message into more windows than this is a mistake. */
export const mostWindowsOfMessage = 10_000
const dayMs = 86_400_000
const shared = ['lateness', 'emit']

/** Windows of 15 minutes, one after the other: `tumbling('15m')`. Throws `OPTIONS_INVALID`. */
export function tumbling(size: Duration, options: TumblingOptions = {}): TumblingWindow {
  checkKeys('tumbling', options, ['offset', ...shared])
  const sizeMs = durationOption("tumbling: 'size'", size, 1)
  const offsetMs = offsetOf('tumbling', options.offset, sizeMs, 'its size')
  return Object.freeze({ kind: 'tumbling', sizeMs, offsetMs, ...common('tumbling', options) })
}

/**
 * Windows of an hour that begin every 5 minutes: `hopping('1h', { every: '5m' })`.
 * Throws `OPTIONS_INVALID`.
 */
export function hopping(size: Duration, options: HoppingOptions): HoppingWindow {
  checkKeys('hopping', options, ['every', 'offset', ...shared])
  const sizeMs = durationOption("hopping: 'size'", size, 1)
  const everyMs = durationOption("hopping: option 'every'", options.every, 1)
  if (everyMs > sizeMs) {
    const both = `${durationText(everyMs)} is longer than the size, ${durationText(sizeMs)}`
    throw bad(`hopping: option 'every': ${both}, so messages between would be in no window`)
  }
  const each = Math.ceil(sizeMs / everyMs)
  if (each > mostWindowsOfMessage) {
    const seen = `each message would be in ${each} windows, ${mostWindowsOfMessage} are allowed`
    throw bad(`hopping: option 'every': ${seen}; begin them less often, or use sliding`)
  }
  const offsetMs = offsetOf('hopping', options.offset, everyMs, "'every'")
  return Object.freeze({
    ...({ kind: 'hopping', sizeMs, everyMs, offsetMs } as const),
    ...common('hopping', options),
  })
}

/**
 * The 10 minutes up to each message, and the 10 minutes behind each, as in Kafka Streams (KIP-450):
 * `sliding('10m')`. Both ends belong to a window. Throws `OPTIONS_INVALID`.
 */
export function sliding(size: Duration, options: WindowOptions = {}): SlidingWindow {
  checkKeys('sliding', options, shared)
  const sizeMs = durationOption("sliding: 'size'", size, 1)
  return Object.freeze({ kind: 'sliding', sizeMs, ...common('sliding', options) })
}

/**
 * As long as a key is active: `session({ gap: '30m', longest: '24h' })`. A silence of exactly the
 * gap does not end it. With `longest`, where one session is cut depends on the order in which
 * messages arrive. Throws `OPTIONS_INVALID`.
 */
export function session(options: SessionOptions): SessionWindow {
  checkKeys('session', options, ['gap', 'longest', ...shared])
  const gapMs = durationOption("session: option 'gap'", options.gap, 1)
  if (options.longest === undefined) {
    return Object.freeze({ kind: 'session', gapMs, ...common('session', options) })
  }
  const longestMs = durationOption("session: option 'longest'", options.longest, 1)
  return Object.freeze({ kind: 'session', gapMs, longestMs, ...common('session', options) })
}

/**
 * Days, weeks or months by the clocks of a place: `calendar('day', { timeZone: 'Europe/Berlin' })`.
 * Throws `OPTIONS_INVALID`.
 */
export function calendar(unit: CalendarUnit, options: CalendarOptions): CalendarWindow {
  if (!['day', 'week', 'month'].includes(unit)) {
    throw bad(`calendar: '${String(unit)}' was given; 'day', 'week' or 'month' is needed`)
  }
  checkKeys('calendar', options, ['timeZone', 'weekStart', 'offset', ...shared])
  const data = {
    ...({ kind: 'calendar', unit, timeZone: timeZoneOf(options.timeZone) } as const),
    ...(unit === 'week' ? { weekStart: weekStartOf(options.weekStart) } : {}),
    offsetMs: offsetOf('calendar', options.offset, dayMs, 'a day'),
    ...common('calendar', options),
  }
  if (unit !== 'week' && options.weekStart !== undefined) {
    throw bad(`calendar: option 'weekStart': a ${unit} has none; leave it out`)
  }
  return Object.freeze(data)
}

function timeZoneOf(timeZone: unknown): string {
  const name = typeof timeZone === 'string' ? zoneName(timeZone) : undefined
  if (name !== undefined) return name
  const near = suggestion(String(timeZone), ['UTC', ...Intl.supportedValuesOf('timeZone')])
  const hint = near || "a name such as 'Europe/Berlin' or 'UTC' is needed"
  const seen = timeZone === undefined ? 'is missing' : `'${String(timeZone)}' is none`
  throw bad(`calendar: option 'timeZone' ${seen}; ${hint}`)
}

function weekStartOf(weekStart: unknown = 'monday'): Weekday {
  if (weekdays.includes(weekStart as Weekday)) return weekStart as Weekday
  const hint = suggestion(String(weekStart), weekdays) || `one of ${weekdays.join(', ')} is needed`
  throw bad(`calendar: option 'weekStart': '${String(weekStart)}' was given; ${hint}`)
}

function offsetOf(kind: string, offset: unknown, belowMs: number, below: string): number {
  const offsetMs = offset === undefined ? 0 : durationOption(`${kind}: option 'offset'`, offset)
  if (offsetMs < belowMs) return offsetMs
  throw bad(`${kind}: option 'offset': ${durationText(offsetMs)} is not less than ${below}`)
}

function common(kind: string, { lateness = 0, emit = 'final' }: WindowOptions): WindowData {
  const latenessMs = durationOption(`${kind}: option 'lateness'`, lateness)
  if (emit === 'final' || emit === 'current') return { latenessMs, emit }
  throw bad(`${kind}: option 'emit': '${String(emit)}' was given; 'final' or 'current' is needed`)
}

function checkKeys(kind: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw bad(`${kind}: its options are needed: ${known.join(', ')}`)
  }
  const unknown = Object.keys(options).find((key) => !known.includes(key))
  if (unknown === undefined) return
  const hint = suggestion(unknown, known) || `known: ${known.join(', ')}`
  throw bad(`${kind}: unknown option '${unknown}', ${hint}`)
}

const bad = (message: string) => fail('OPTIONS_INVALID', message)
