/**
 * The look-ups of a pipeline in one worker: opened before it begins, shared by its lanes, with what each
 * remembers.
 */
import type { Clock } from '../core/clock.ts'
import type { Schema } from '../core/schema.ts'
import { LookupCache } from '../lookups/cache.ts'
import type { Lookup, LookupContext } from '../lookups/lookup.ts'
import { check, describeError, Invalid } from './decode.ts'
import type { Definition, LookupStep } from './definition.ts'

/** What became of a key. */
export interface Found {
  /** Null: the other system knows nothing of it. */
  readonly value: unknown
  /** Undefined: there is none; else why the key has no answer. */
  readonly failure?: unknown
}

export const nothing: Found = { value: null }

/** What a pipeline is given of its environment. */
export type ConnectionOf = LookupContext['connection']

export interface LookupCounts {
  /** Messages answered without a question. */
  readonly hits: number
  /** Keys that were asked for. */
  readonly misses: number
  /** Answers remembered now. */
  readonly entries: number
}

export class OpenLookup {
  readonly lookup: Lookup
  readonly #cache: LookupCache<Found>
  readonly #step: LookupStep
  readonly #schema: Schema | undefined
  #hits = 0
  #misses = 0

  constructor(step: LookupStep, lookup: Lookup, clock: Clock) {
    this.#step = step
    this.lookup = lookup
    this.#schema = step.lookup.schema
    this.#cache = new LookupCache(step.cache.entries, () => clock.now())
  }

  cached(key: string): Found | undefined {
    return this.#cache.get(key)
  }

  count(hits: number, misses: number): void {
    this.#hits += hits
    this.#misses += misses
  }

  get counts(): LookupCounts {
    return { hits: this.#hits, misses: this.#misses, entries: this.#cache.size }
  }

  /** An answer as it came, checked and remembered. Throws `STEP_ASYNCHRONOUS`. */
  answered(key: string, value: unknown): Found {
    if (value === null || value === undefined) return this.#remember(key, nothing)
    if (this.#schema === undefined) return this.#remember(key, { value: frozen(value) })
    try {
      return this.#remember(key, { value: frozen(check(this.#schema, value)) })
    } catch (error) {
      if (!(error instanceof Invalid)) throw error
      const words = `what ${this.#step.lookup.place} has for the key does not fit: ${error.message}`
      return this.failed(key, new Invalid(words))
    }
  }

  failed(key: string, failure: unknown): Found {
    // Only its words are kept: what was thrown may hold on to much more.
    const { error, message } = describeError(failure)
    const kept = Object.assign(new Error(message), { name: error })
    return this.#remember(key, { value: null, failure: kept })
  }

  #remember(key: string, found: Found): Found {
    const { timeToLiveMs, negativeTimeToLiveMs } = this.#step.cache
    const isAnswer = found !== nothing && found.failure === undefined
    this.#cache.set(key, found, isAnswer ? timeToLiveMs : negativeTimeToLiveMs)
    return found
  }
}

/** Many messages share it: one whose step changes it must not change the others'. */
function frozen(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  // What holds its data elsewhere (a Date, a Map, a Buffer) cannot be frozen, or not usefully.
  const prototype: unknown = Object.getPrototypeOf(value)
  const isPlain = Array.isArray(value) || prototype === Object.prototype || prototype === null
  if (!isPlain) return value
  Object.freeze(value)
  for (const field of Object.values(value)) frozen(field)
  return value
}

export class OpenLookups {
  readonly steps = new Map<string, OpenLookup>()

  /** Throws what a look-up throws that cannot be opened; then none is open. */
  static async open(
    { steps }: Definition,
    clock: Clock,
    signal: AbortSignal,
    connection: ConnectionOf,
  ): Promise<OpenLookups> {
    const all = new OpenLookups()
    try {
      for (const step of steps) {
        if (step.kind !== 'lookup') continue
        const lookup = await step.lookup.open({ clock, signal, connection })
        all.steps.set(step.name, new OpenLookup(step, lookup, clock))
      }
      return all
    } catch (error) {
      await all.close()
      throw error
    }
  }

  async close(): Promise<void> {
    for (const { lookup } of this.steps.values()) await lookup.close()
    this.steps.clear()
  }
}
