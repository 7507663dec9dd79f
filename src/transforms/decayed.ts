/**
 * Sums, counts and means in which what is older weighs less: half as much with every half-life of
 * event time. A value that comes late counts with the weight that its own time gives it, so order
 * changes nothing but the last digits.
 */
import { fail } from '../core/errors.ts'
import type { Aggregator, Maybe } from './aggregator.ts'
import { checkNumber } from './checked-values.ts'
import { readNumber, readNumbers, unreadable } from './saved.ts'

export interface DecayedState {
  /** As of `newestMs`, the time of the newest value. */
  sum: number
  weight: number
  newestMs: number
}

/**
 * The sum as of the time at which it is asked; as of the newest value where that time lies before it.
 * Of nothing 0.
 */
export const decayedSum = (halfLifeMs: number) =>
  decayed('decayedSum', halfLifeMs, ({ sum }, fading) => sum * fading + 0)

/** How many values there are, each by its weight. Of nothing 0. */
export const decayedCount = (halfLifeMs: number) =>
  decayed('decayedCount', halfLifeMs, ({ weight }, fading) => weight * fading)

/** The mean by weight. It does not fade: without new values it stays as it is. Of nothing null. */
export const decayedMean = (halfLifeMs: number) =>
  decayed('decayedMean', halfLifeMs, ({ sum, weight }) => (weight === 0 ? null : sum / weight))

function decayed<Out>(
  kind: string,
  halfLifeMs: number,
  result: (state: DecayedState, fading: number) => Out,
): Aggregator<Maybe<number>, Out, DecayedState> {
  const name = `${kind}(${halfLifeMs} ms)`
  if (!(Number.isFinite(halfLifeMs) && halfLifeMs > 0)) {
    throw fail('PIPELINE_INVALID', `${name}: a half-life is a number of milliseconds above 0`)
  }
  /** The weight, at a later time, of what has the weight 1 at an earlier one. */
  const left = (earlierMs: number, laterMs: number) => 2 ** ((earlierMs - laterMs) / halfLifeMs)
  const put = (state: DecayedState, sum: number, weight: number, timeMs: number) => {
    if (timeMs > state.newestMs) {
      const fading = left(state.newestMs, timeMs)
      // + 0: a sum that faded away from below is -0, which JSON does not have.
      state.sum = state.sum * fading + sum + 0
      state.weight = state.weight * fading + weight
      state.newestMs = timeMs
    } else {
      const fading = left(timeMs, state.newestMs)
      state.sum += sum * fading + 0
      state.weight += weight * fading
    }
    return state
  }
  return {
    name,
    version: 1,
    order: 'nearly',
    start: () => ({ sum: 0, weight: 0, newestMs: Number.NEGATIVE_INFINITY }),
    check: (value) => checkNumber(name, value),
    add(state, value, timeMs) {
      checkNumber(name, value)
      return value === null || value === undefined ? state : put(state, value, 1, timeMs)
    },
    merge: (one, other) =>
      other.weight === 0 ? one : put(one, other.sum, other.weight, other.newestMs),
    result: (state, atMs) =>
      result(state, atMs > state.newestMs && state.weight > 0 ? left(state.newestMs, atMs) : 1),
    save: ({ sum, weight, newestMs }) => (weight === 0 ? [] : [sum, weight, newestMs]),
    load(saved) {
      const numbers = readNumbers(name, saved)
      if (numbers.length !== 0 && numbers.length !== 3) throw unreadable(name, 'has another form')
      const [sum = 0, weight = 0, newestMs = Number.NEGATIVE_INFINITY] = numbers
      if (weight < 0) throw unreadable(name, `has the weight ${readNumber(name, weight)}`)
      return { sum, weight, newestMs }
    },
  }
}
