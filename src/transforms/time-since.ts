/** How long ago the value before was. */
import type { Aggregator } from './aggregator.ts'
import { readNumbers, unreadable } from './saved.ts'

export interface SinceState {
  /** The newest time, and the newest but one; -Infinity where there is none. */
  latestMs: number
  beforeMs: number
}

/**
 * Milliseconds between the time at which it is asked and the value before. A value of that very time
 * is the one that asks, and does not count once. null where there is none before, and where the asking
 * value came so late that what was before it is forgotten: the two newest times are kept.
 */
export function timeSince(): Aggregator<unknown, number | null, SinceState> {
  const put = (state: SinceState, timeMs: number) => {
    if (timeMs >= state.latestMs) {
      state.beforeMs = state.latestMs
      state.latestMs = timeMs
    } else if (timeMs > state.beforeMs) state.beforeMs = timeMs
    return state
  }
  return {
    name: 'timeSince',
    version: 1,
    order: 'any',
    start: () => ({ latestMs: Number.NEGATIVE_INFINITY, beforeMs: Number.NEGATIVE_INFINITY }),
    check() {},
    add: (state, value, timeMs) =>
      value === null || value === undefined ? state : put(state, timeMs),
    merge: (one, other) => put(put(one, other.latestMs), other.beforeMs),
    result({ latestMs, beforeMs }, atMs) {
      const before = latestMs < atMs ? latestMs : latestMs === atMs ? beforeMs : null
      return before === null || before === Number.NEGATIVE_INFINITY ? null : atMs - before
    },
    save: ({ latestMs, beforeMs }) => [latestMs, beforeMs].filter(Number.isFinite),
    load(saved) {
      const times = readNumbers('timeSince', saved)
      const [latestMs = Number.NEGATIVE_INFINITY, beforeMs = Number.NEGATIVE_INFINITY] = times
      if (times.length > 2 || beforeMs > latestMs) throw unreadable('timeSince', 'has other times')
      return { latestMs, beforeMs }
    },
  }
}
