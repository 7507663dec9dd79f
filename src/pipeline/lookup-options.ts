/** What `.lookup` takes, and the step that it makes. */
import { type Duration, durationOption } from '../core/duration.ts'
import { fail } from '../core/errors.ts'
import type { LookupKey, LookupUse } from '../lookups/lookup.ts'
import type { LookupCaching, LookupStep } from './definition.ts'
import { checkKeys } from './topic.ts'

export interface LookupCacheOptions {
  /** So long an answer is taken for true, by the clock: '5m', where it is not said. */
  readonly timeToLive?: Duration
  /** The same of keys of which nothing is known, or that were refused: '30s', but not longer than the others. */
  readonly negativeTimeToLive?: Duration
  /** So many keys are remembered in each worker, those used last: 10,000, where it is not said. */
  readonly entries?: number
}

export interface LookupOptions<T, Key extends LookupKey, How> {
  /** The key of a message; null or undefined: it has none. */
  readonly by: (value: T) => Key | null | undefined
  /** `left`, where it is not said: all messages go on. `inner`: only those that something is known of. */
  readonly how?: How
  /** How answers are remembered. False: each batch asks. */
  readonly cache?: LookupCacheOptions | false
}

const standard: LookupCaching = {
  ...{ timeToLiveMs: 300_000, negativeTimeToLiveMs: 30_000, entries: 10_000 },
}
const none: LookupCaching = { timeToLiveMs: 0, negativeTimeToLiveMs: 0, entries: 0 }

/** Throws `OPTIONS_INVALID`. */
export function lookupStep(
  field: string,
  lookup: LookupUse<never, unknown>,
  options: LookupOptions<never, LookupKey, 'inner' | 'left'>,
): LookupStep {
  const where = `lookup '${field}'`
  if ((lookup as Partial<typeof lookup> | undefined)?.kind !== 'lookup') {
    const words = `${where}: give what to look up in: http(), postgres() of millrace/lookups`
    throw fail('OPTIONS_INVALID', words)
  }
  checkKeys(where, options ?? {}, ['by', 'how', 'cache'])
  const { by, how = 'left', cache = {} } = options ?? {}
  if (typeof by !== 'function') {
    throw fail('OPTIONS_INVALID', `${where}: option 'by' is a function that gives a message's key`)
  }
  if (how !== 'inner' && how !== 'left') {
    throw fail('OPTIONS_INVALID', `${where}: option 'how' is 'inner' or 'left'`)
  }
  const caching = cache === false ? none : cachingOf(`${where}: option 'cache`, cache)
  return { kind: 'lookup', name: field, lookup, by, how, cache: caching }
}

function cachingOf(where: string, cache: LookupCacheOptions): LookupCaching {
  checkKeys(`${where}'`, cache, ['timeToLive', 'negativeTimeToLive', 'entries'])
  const { timeToLive = standard.timeToLiveMs, entries = standard.entries } = cache
  if (!Number.isSafeInteger(entries) || entries < 1) {
    const words = `${where}.entries': ${entries} was given; a whole number, 1 or more, is needed`
    throw fail('OPTIONS_INVALID', `${words} (cache: false remembers nothing)`)
  }
  const timeToLiveMs = durationOption(`${where}.timeToLive'`, timeToLive, 1)
  const { negativeTimeToLive = Math.min(standard.negativeTimeToLiveMs, timeToLiveMs) } = cache
  const negativeTimeToLiveMs = durationOption(`${where}.negativeTimeToLive'`, negativeTimeToLive)
  return { timeToLiveMs, negativeTimeToLiveMs, entries }
}
