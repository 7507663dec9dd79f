/** Places in a topic as people name them: its start or end, an offset, a time, or so long ago. */
import { durationText, readDuration } from '../core/duration.ts'
import type { Log } from '../log/log.ts'

export type Position =
  | { readonly kind: 'start' }
  | { readonly kind: 'end' }
  | { readonly kind: 'offset'; readonly offset: number }
  | { readonly kind: 'time'; readonly timeMs: number }
  /** Before the moment at which somebody asks. */
  | { readonly kind: 'ago'; readonly agoMs: number }

export const positionHint =
  "earliest, latest, an offset, a time such as 2026-01-31T12:00:00Z, or so long ago, such as '-1h'"

const edges: Readonly<Record<string, Position>> = {
  ...{ start: { kind: 'start' }, earliest: { kind: 'start' } },
  ...{ end: { kind: 'end' }, latest: { kind: 'end' } },
}
const isoTime = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?$/i
const zone = /(?:Z|[+-]\d\d:?\d\d)$/i

/** Undefined: it is no place. A time without a zone is UTC. */
export function readPosition(text: string): Position | undefined {
  if (Object.hasOwn(edges, text)) return edges[text]
  if (/^\d+$/.test(text)) return { kind: 'offset', offset: Number(text) }
  const agoMs = text.startsWith('-') ? readDuration(text.slice(1)) : undefined
  if (agoMs !== undefined) return { kind: 'ago', agoMs }
  if (!isoTime.test(text)) return undefined
  const hasZone = text.length <= 10 || zone.test(text.slice(10))
  const timeMs = Date.parse(hasZone ? text : `${text}Z`)
  return Number.isNaN(timeMs) ? undefined : { kind: 'time', timeMs }
}

/** The offset of that place in one partition, within its bounds. */
export async function offsetAt(
  log: Log,
  topic: string,
  partition: number,
  position: Position,
  nowMs = Date.now(),
): Promise<number> {
  const { start, end } = await log.offsets(topic, partition)
  switch (position.kind) {
    case 'start':
      return start
    case 'end':
      return end
    case 'time':
      return log.offsetAtTime(topic, partition, position.timeMs)
    case 'ago':
      return log.offsetAtTime(topic, partition, nowMs - position.agoMs)
    case 'offset':
      return Math.min(end, Math.max(start, position.offset))
  }
}

/** For people. */
export function positionText(position: Position): string {
  switch (position.kind) {
    case 'start':
      return 'earliest'
    case 'end':
      return 'latest'
    case 'time':
      return new Date(position.timeMs).toISOString()
    case 'ago':
      return `${durationText(position.agoMs)} ago`
    case 'offset':
      return `offset ${position.offset}`
  }
}
