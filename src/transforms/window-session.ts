/**
 * Which sessions of a key a message joins. A session is known by its first message, so its id
 * changes when an earlier one joins it, and two become one when a message comes between them.
 */
import type { SessionWindow } from './window.ts'
import { closesAfterMs } from './window-assign.ts'

export interface SessionBounds {
  /** The time of its first message. */
  readonly startMs: number
  /** The time of its last message, which belongs to it. */
  readonly endMs: number
}

/**
 * What a message makes of the sessions: those from index `from` up to, not including, `to` become
 * one with these bounds, none where both are the same: then it is a new one, to be put there.
 */
export interface SessionMerge {
  startMs: number
  endMs: number
  from: number
  to: number
}

export const noMerge = (): SessionMerge => ({ startMs: 0, endMs: 0, from: 0, to: 0 })

/**
 * Finds what a message at `timeMs` does to the `sessions` of its key, ascending, and leaves it in
 * `into`; false when the message is late, and nothing changes. Sessions that the watermark has
 * closed may still be among them and are left alone.
 *
 * A message is late when a session of it alone would be closed, unless it falls into an open
 * session or follows one. So no session ever begins where one that was closed had been, and an id
 * is never given twice.
 */
export function mergeSessions(
  window: SessionWindow,
  sessions: readonly SessionBounds[],
  timeMs: number,
  watermarkMs: number,
  into: SessionMerge,
): boolean {
  const { gapMs, longestMs = Infinity } = window
  const closedBeforeMs = watermarkMs - closesAfterMs(window)
  let next = sessions.length
  while (next > 0 && sessions[next - 1]!.startMs > timeMs) next--
  const before = openAt(sessions, next - 1, closedBeforeMs)
  if (before !== undefined && timeMs <= before.endMs) {
    return told(into, before.startMs, before.endMs, next - 1, next)
  }
  const after = openAt(sessions, next, closedBeforeMs)
  const follows =
    before !== undefined && timeMs - before.endMs <= gapMs && timeMs - before.startMs <= longestMs
  const leads =
    after !== undefined && after.startMs - timeMs <= gapMs && after.endMs - timeMs <= longestMs
  if (follows && leads && after.endMs - before.startMs <= longestMs) {
    return told(into, before.startMs, after.endMs, next - 1, next + 1)
  }
  if (follows) return told(into, before.startMs, timeMs, next - 1, next)
  if (timeMs <= closedBeforeMs) return false
  if (leads) return told(into, timeMs, after.endMs, next, next + 1)
  return told(into, timeMs, timeMs, next, next)
}

/** Starts of sessions that the merged one takes the place of: their ids are given up. */
export function replacedStarts(sessions: readonly SessionBounds[], merge: SessionMerge): number[] {
  return sessions
    .slice(merge.from, merge.to)
    .map(({ startMs }) => startMs)
    .filter((startMs) => startMs !== merge.startMs)
}

function openAt(
  sessions: readonly SessionBounds[],
  index: number,
  closedBeforeMs: number,
): SessionBounds | undefined {
  const session = sessions[index]
  return session === undefined || session.endMs <= closedBeforeMs ? undefined : session
}

function told(into: SessionMerge, startMs: number, endMs: number, from: number, to: number): true {
  into.startMs = startMs
  into.endMs = endMs
  into.from = from
  into.to = to
  return true
}
