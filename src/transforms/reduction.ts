/** The aggregate that a user's own function makes: the values of a window folded into one. */

import { fail } from '../core/errors.ts'
import type { Aggregator, Json } from './aggregator.ts'
import { readList, unreadable } from './saved.ts'
import { migrated, type Versioned } from './versioned.ts'

interface Folded {
  /** Undefined: nothing came yet. */
  value: Json | undefined
}

/**
 * Folds values with `combine`, in the order in which they come. Each goes through JSON, as it does when
 * it is kept, so a restart changes nothing. Two states are one when they are combined, so `combine`
 * should give the same however values are grouped.
 */
export function reduction(
  combine: (value: Json, next: Json) => Json,
  { version = 1, migrate }: Versioned = {},
): Aggregator<Json, { readonly value: Json }, Folded> {
  return {
    ...{ name: 'reduction', version, order: 'nearly' },
    migrate:
      migrate &&
      ((saved, from) => readList('reduction', saved).map((one) => migrated(migrate, one, from))),
    start: () => ({ value: undefined }),
    check: inJson,
    add(state, value) {
      state.value = inJson(state.value === undefined ? value : combine(state.value, value))
      return state
    },
    merge(one, other) {
      if (other.value === undefined) return one
      if (one.value === undefined) return other
      one.value = inJson(combine(one.value, other.value))
      return one
    },
    result: ({ value = null }) => ({ value }),
    save: ({ value }) => (value === undefined ? [] : [value]),
    load(saved) {
      const values = readList('reduction', saved)
      if (values.length > 1) throw unreadable('reduction', `has ${values.length} values`)
      return { value: values[0] }
    },
  }
}

function inJson(value: unknown): Json {
  const json = JSON.stringify(value) as string | undefined
  if (json !== undefined) return JSON.parse(json) as Json
  const words = `reduce: a ${typeof value} cannot be kept; give what JSON can hold`
  throw fail('AGGREGATE_INPUT_INVALID', words)
}
