/** The least and the greatest value: of numbers by size, of texts by their UTF-16 units. */
import type { Aggregator, Json, Maybe } from './aggregator.ts'
import { checkOrdered, seen } from './checked-values.ts'
import { readList, unreadable } from './saved.ts'

export type Ordered = number | string

export interface ExtremeState<Value extends Ordered> {
  value: Value | null
}

export const min = <Value extends Ordered = number>() => extreme<Value>('min')
export const max = <Value extends Ordered = number>() => extreme<Value>('max')

/**
 * Where numbers and texts come together, every number is less than every text: so that the result
 * depends on no order, and none of them has to fail.
 */
function isLess(one: Ordered, other: Ordered): boolean {
  if (typeof one === typeof other) return one < other
  return typeof one === 'number'
}

function extreme<Value extends Ordered>(
  name: 'min' | 'max',
): Aggregator<Maybe<Value>, Value | null, ExtremeState<Value>> {
  const put = (state: ExtremeState<Value>, value: Maybe<Value>) => {
    if (value === null || value === undefined) return state
    const held = state.value
    // -0 is 0, as JSON has it.
    if (held === null || (name === 'min' ? isLess(value, held) : isLess(held, value))) {
      state.value = value === 0 ? (0 as Value) : value
    }
    return state
  }
  return {
    name,
    version: 1,
    order: 'any',
    start: () => ({ value: null }),
    check: (value) => checkOrdered(name, value),
    add(state, value) {
      checkOrdered(name, value)
      return put(state, value)
    },
    merge: (one, other) => put(one, other.value),
    result: (state) => state.value,
    save: (state): Json => [state.value],
    load(saved) {
      const [value = null, ...more] = readList(name, saved)
      const isOrdered = value === null || typeof value === 'number' || typeof value === 'string'
      if (!isOrdered || more.length > 0) throw unreadable(name, `holds ${seen(value)}`)
      return { value: value as Value | null }
    },
  }
}
