/** Durations as people write them: '500ms', '15m', '1h30m', '7d', or a number of milliseconds. */
import { fail } from './errors.ts'

const unitsMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }
const part = /(\d+(?:\.\d+)?)(ms|[smhdw])/g
const whole = /^(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+$/

/** What an option takes that is a length of time. */
export type Duration = string | number

export const durationHint = "a duration such as '500ms', '15m', '1h30m' or '7d'"

/** Milliseconds, rounded to whole ones; undefined when the text is no duration. */
export function readDuration(text: string): number | undefined {
  if (!whole.test(text)) return undefined
  const sum = [...text.matchAll(part)].reduce(
    (total, [, number, unit]) => total + Number(number) * unitsMs[unit as keyof typeof unitsMs],
    0,
  )
  return Math.round(sum)
}

/**
 * Milliseconds of an option: whole, `least` or more. Throws `OPTIONS_INVALID`; `where` begins its
 * message, such as "tumbling: option 'size'".
 */
export function durationOption(where: string, value: unknown, least = 0): number {
  const ms = typeof value === 'string' ? readDuration(value) : value
  if (typeof ms === 'number' && Number.isSafeInteger(ms) && ms >= least) return ms + 0
  const seen = typeof value === 'string' ? `'${value}'` : String(value)
  const kind = `${durationHint}, or whole milliseconds, is needed`
  const bound = least > 0 ? `, of ${durationText(least)} or more` : ''
  throw fail('OPTIONS_INVALID', `${where}: ${seen} was given; ${kind}${bound}`)
}

/** '7 d', '1 h 30 min', '500 ms': the two largest units, for people. */
export function durationText(durationMs: number): string {
  const names: readonly (readonly [number, string])[] = [
    [unitsMs.d, 'd'],
    [unitsMs.h, 'h'],
    [unitsMs.m, 'min'],
    [unitsMs.s, 's'],
    [1, 'ms'],
  ]
  const parts: string[] = []
  let rest = Math.round(durationMs)
  for (const [lengthMs, name] of names) {
    const count = Math.floor(rest / lengthMs)
    if (count > 0 && parts.length < 2) parts.push(`${count} ${name}`)
    rest -= count * lengthMs
  }
  return parts.join(' ') || '0 ms'
}
