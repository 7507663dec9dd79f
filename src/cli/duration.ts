/** Durations, sizes and counts as people type them on the command line, and read them. */
import { InvalidArgumentError } from 'commander'
import { durationHint, readDuration } from '../core/duration.ts'

export { durationText } from '../core/duration.ts'

const sizes = { k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 }

/** Milliseconds of '7d', '15m', '1h30m', '500ms'. Throws commander's `InvalidArgumentError`. */
export function parseDuration(text: string): number {
  const durationMs = readDuration(text)
  if (durationMs === undefined) throw new InvalidArgumentError(`${durationHint} is needed.`)
  return durationMs
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
