/** Places in a topic as people name them: `start`, `end`, an offset, or a time. */
import { InvalidArgumentError } from 'commander'
import type { Log } from '../log/log.ts'

export type Position =
  | { readonly kind: 'start' }
  | { readonly kind: 'end' }
  | { readonly kind: 'offset'; readonly offset: number }
  | { readonly kind: 'time'; readonly timeMs: number }

export const positionHint = 'start, end, an offset, or a time such as 2026-01-31T12:00:00Z'

/** Throws commander's `InvalidArgumentError`. A time without a zone is UTC. */
export function parsePosition(text: string): Position {
  if (text === 'start' || text === 'end') return { kind: text }
  if (/^\d+$/.test(text)) return { kind: 'offset', offset: Number(text) }
  const isIso = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?$/i
  const hasZone = /(?:Z|[+-]\d\d:?\d\d)$/i.test(text.slice(10))
  const timeMs = isIso.test(text)
    ? Date.parse(text.length > 10 && !hasZone ? `${text}Z` : text)
    : NaN
  if (Number.isNaN(timeMs)) throw new InvalidArgumentError(`${positionHint} is needed.`)
  return { kind: 'time', timeMs }
}

/** The offset of that place in one partition, within its bounds. */
export async function offsetAt(
  log: Log,
  topic: string,
  partition: number,
  position: Position,
): Promise<number> {
  const { start, end } = await log.offsets(topic, partition)
  if (position.kind === 'start') return start
  if (position.kind === 'end') return end
  if (position.kind === 'time') return log.offsetAtTime(topic, partition, position.timeMs)
  return Math.min(end, Math.max(start, position.offset))
}
