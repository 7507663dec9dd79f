/**
 * The first and the last value by event time. Of several with the same time, the one that came first
 * is `first` and the one that came last is `last`.
 */
import type { Aggregator, Json, Maybe } from './aggregator.ts'
import { checkJson } from './checked-values.ts'
import { readList, readNumber, unreadable } from './saved.ts'

export interface TimedState<Value> {
  /** null: there is none. */
  value: Value | null
  timeMs: number
}

export const first = <Value = Json>() => timed<Value>('first', (timeMs, heldMs) => timeMs < heldMs)
export const last = <Value = Json>() => timed<Value>('last', (timeMs, heldMs) => timeMs >= heldMs)

function timed<Value>(
  name: string,
  goesBefore: (timeMs: number, heldMs: number) => boolean,
): Aggregator<Maybe<Value>, Value | null, TimedState<Value>> {
  const put = (state: TimedState<Value>, value: Maybe<Value>, timeMs: number) => {
    if (value === null || value === undefined) return state
    if (state.value === null || goesBefore(timeMs, state.timeMs)) {
      state.value = value === 0 ? (0 as Value) : value
      state.timeMs = timeMs
    }
    return state
  }
  return {
    name,
    version: 1,
    order: 'ties',
    start: () => ({ value: null, timeMs: 0 }),
    check: (value) => checkJson(name, value),
    add(state, value, timeMs) {
      checkJson(name, value)
      return put(state, value, timeMs)
    },
    merge: (one, other) => put(one, other.value, other.timeMs),
    result: (state) => state.value,
    save: (state) => (state.value === null ? [] : [state.value as Json, state.timeMs]),
    load(saved) {
      const [value, timeMs, ...more] = readList(name, saved)
      if (value === undefined) return { value: null, timeMs: 0 }
      if (value === null || more.length > 0) throw unreadable(name, 'has another form')
      return { value: value as Value, timeMs: readNumber(name, timeMs) }
    },
  }
}
