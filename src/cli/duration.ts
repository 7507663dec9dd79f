/** Durations, sizes and counts as people type them on the command line, and read them. */
import { InvalidArgumentError } from 'commander'

const unitsMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }
const sizes = { k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 }

/** Milliseconds of '7d', '15m', '1h30m', '500ms'. Throws commander's `InvalidArgumentError`. */
export function parseDuration(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdw])/g)]
  const read = parts.map((part) => part[0]).join('')
  if (parts.length === 0 || read !== text) {
    throw new InvalidArgumentError("a duration such as '500ms', '15m', '1h30m' or '7d' is needed.")
  }
  const sum = parts.reduce(
    (total, part) => total + Number(part[1]) * unitsMs[part[2] as keyof typeof unitsMs],
    0,
  )
  return Math.round(sum)
}

/** Bytes of '1048576', '64k', '1M', '1GiB' (1 k is 1,024 bytes). Throws `InvalidArgumentError`. */
export function parseBytes(text: string): number {
  const [, digits, unit] = /^(\d+)(?:([kmgt])(?:i?b)?)?$/i.exec(text) ?? []
  if (digits === undefined) {
    throw new InvalidArgumentError("a number of bytes is needed, such as 1048576, '64k' or '1GiB'.")
  }
  const factor = unit === undefined ? 1 : sizes[unit.toLowerCase() as keyof typeof sizes]
  return Number(digits) * factor
}

/** A whole number from `least` to `most`, for an option. */
export function parseWhole(least: number, most = Number.MAX_SAFE_INTEGER) {
  return (text: string): number => {
    const number = Number(text)
    if (/^\d+$/.test(text) && number >= least && number <= most) return number
    const range = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `${least} to ${most}`
    throw new InvalidArgumentError(`a whole number is needed, ${range}.`)
  }
}

/** '7 d', '1 h 30 min', '500 ms'. */
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
