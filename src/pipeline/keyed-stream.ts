/** What a chain can do with messages that have a key in common, which needs state. */
import { type Duration, durationOption, durationText } from '../core/duration.ts'
import { fail } from '../core/errors.ts'
import type { Aggregator, Json } from '../transforms/aggregator.ts'
import { DistinctStep } from '../transforms/distinct-step.ts'
import { type Aggregates, aggregateOf, type Over, type ResultsOf } from '../transforms/over.ts'
import { type At, ProcessStep } from '../transforms/process-step.ts'
import { reduction } from '../transforms/reduction.ts'
import type { RowStep } from '../transforms/row-step.ts'
import { checkVersioned } from '../transforms/versioned.ts'
import type { Window } from '../transforms/window.ts'
import { isAligned } from '../transforms/window-assign.ts'
import type { AnyTopic, Step } from './definition.ts'
import type { Fresh, InJson, Stream } from './pipeline.ts'
import { type Table, tableStep } from './table.ts'
import { checkKeys, type Topic, type Writable } from './topic.ts'

/** Shows an intersection as one object type. */
type Flat<T> = { [K in keyof T]: T[K] } & {}

/** What every result of a window says beside what was asked for. */
export interface OfWindow {
  readonly key: string
  /** The beginning of the window, in ISO 8601. */
  readonly start: string
  /** Its end, which belongs to sliding and session windows and to no other. */
  readonly end: string
}

export interface AggregateOptions<T> {
  /** Takes the messages that came when all their windows were closed; else they are only counted. */
  readonly late?: Writable<T>
}

export interface ProcessOptions<T, State, Out, Due = undefined> extends AggregateOptions<T> {
  /** The state of a key that has none. */
  readonly start: () => State
  readonly message: (state: State, value: T, at: At) => Out
  /**
   * Called once event time has come to where `at.setTimer` set the key's timer: with its state, which it
   * may change, and it returns what goes on, as a message with the key and that time.
   */
  readonly timer?: (state: State, at: At) => Due
  /** So long after its last call by event time a key is forgotten; never, where it is not said. */
  readonly timeToLive?: Duration
  /** Of what the state looks like, from 1 on: raised when that changes. Old state is refused without `migrate`. */
  readonly version?: number
  /**
   * State of an older version as it is now: called when a key's state is read, maybe more than once, so
   * it must give the same each time.
   */
  readonly migrate?: (state: never, fromVersion: number) => State
}

export interface ReduceOptions<T> extends AggregateOptions<T> {
  /** Of what the value looks like, see `ProcessOptions`. */
  readonly version?: number
  readonly migrate?: (value: never, fromVersion: number) => T
}

export interface PairOptions<T, How> extends AggregateOptions<T> {
  /** How far apart in event time the two of a pair may be. */
  readonly within: Duration
  /** `inner`, where it is not said: only pairs go on. `left`: who finds no other does too. */
  readonly how?: How
}

type LookedUp<T, K extends string, Other> = Flat<Omit<T, K> & { readonly [P in K]: Other | null }>
type Paired<T, K extends string, Other, How> = Flat<
  Omit<InJson<T>, K> & { readonly [P in K]: How extends 'left' ? Other | null : Other }
>
const processKeys = [
  ...(['start', 'message', 'timer', 'timeToLive', 'version', 'migrate', 'late'] as const),
]
/** What a function returned that goes on; of one without `return` nothing does. */
type GoesOn<Out> = Exclude<Out, undefined | ReturnType<() => void>>
type Next = (steps: readonly Step[]) => Stream<unknown>
type Key<T> = ((value: T) => unknown) | undefined

export class Keyed<T> {
  readonly #key: Key<T>
  readonly #next: Next

  /** `next` adds steps to the chain so far. */
  constructor(key: Key<T>, next: Next) {
    this.#key = key
    this.#next = next
  }

  /**
   * Divides the messages of a key by their event time: `tumbling('15m')`, `hopping('1h', { every: '5m' })`,
   * `sliding('10m')`, `session({ gap: '30m' })`, `calendar('day', { timeZone: 'Europe/Berlin' })`.
   */
  window(window: Window): Windowed<T> {
    return new Windowed<T>(window, this.#key, this.#next)
  }

  /**
   * One message of a key within a time, by event time; the others go no further and are counted as
   * duplicates.
   *
   * @example
   * .keyBy((order) => order.number).distinct('once', { within: '1d' })
   */
  distinct(name: string, options: AggregateOptions<T> & { readonly within: Duration }): Stream<T> {
    checkKeys(`step '${name}'`, options, ['within', 'late'])
    const withinMs = durationOption(`step '${name}': option 'within'`, options.within, 1)
    const step: Step = {
      ...({ kind: 'keyed', name, what: `one within ${durationText(withinMs)}` } as const),
      make: () => new DistinctStep(withinMs) as RowStep,
      late: options.late as AnyTopic | undefined,
    }
    return this.#next(keyed(this.#key, step)) as Stream<T>
  }

  /**
   * State of your own for each key: `message` gets it, may change it, and returns what goes on, or
   * undefined where nothing does. The state is what JSON can hold; what `message` throws makes the
   * message a dead letter and leaves the state as it was. `at.setTimer(time)` has `timer` called when
   * event time comes there, once, before any message of the key from that time on.
   *
   * @example
   * .keyBy((event) => event.user)
   * .process('streaks', {
   *   start: () => ({ days: 0 }),
   *   message: (state, event) => ({ ...event, streak: ++state.days }),
   *   timeToLive: '30d',
   * })
   * .process('silent', {
   *   start: () => ({ since: 0 }),
   *   message: (state, _, at) => {
   *     state.since = at.timeMs
   *     at.setTimer(at.timeMs + 60_000)
   *   },
   *   timer: ({ since }, { key }) => ({ key, since }),
   * })
   */
  process<State, Out, Due = undefined>(
    name: string,
    options: ProcessOptions<T, State, Out, Due>,
  ): Stream<GoesOn<Out | Due>> {
    checkKeys(`step '${name}'`, options, processKeys)
    checkVersioned(`step '${name}'`, options)
    const { start, message, timer, timeToLive, version = 1, migrate, late } = options
    const where = `step '${name}': option 'timeToLive'`
    const timeToLiveMs = timeToLive === undefined ? Infinity : durationOption(where, timeToLive, 1)
    const lives = timeToLive === undefined ? '' : `, kept for ${durationText(timeToLiveMs)}`
    const timed = timer === undefined ? '' : ', with a timer'
    const what = `state of its own, version ${version}${lives}${timed}`
    const step: Step = {
      ...({ kind: 'keyed', name, what } as const),
      make: () =>
        new ProcessStep({
          ...{ version, migrate, timeToLiveMs, start: start as () => Json },
          message: message as (state: unknown, value: unknown, at: At) => unknown,
          timer: timer as ((state: unknown, at: At) => unknown) | undefined,
        }) as RowStep,
      late: late as AnyTopic | undefined,
    }
    return this.#next(keyed(this.#key, step)) as Stream<GoesOn<Out | Due>>
  }

  /**
   * Adds what a table has for the key, as a new field; null where it has nothing.
   *
   * @example
   * .keyBy((order) => order.customer).join('customer', table(customers))
   */
  join<const K extends string, Other>(
    field: Fresh<T, K>,
    other: Table<Other>,
    options?: AggregateOptions<T>,
  ): Stream<LookedUp<T, K, Other>>
  /**
   * Pairs each message with all of another topic that have the same key and an event time at most
   * `within` from its own, in whichever order they come. With `how: 'left'` a message that finds none
   * goes on as well, with null, once none can come any more. The left value goes through JSON; the id
   * of a pair is `left+right`, its time the later of both. Messages that come more than `within`
   * behind the watermark are late.
   *
   * @example
   * .keyBy((view) => view.ad).join('click', clicks, { within: '30m', how: 'left' })
   */
  join<const K extends string, Other, const How extends 'inner' | 'left' = 'inner'>(
    field: Fresh<T, K>,
    other: Topic<Other, never>,
    options: PairOptions<T, How>,
  ): Stream<Paired<T, K, Other, How>>
  join<const K extends string, Other, const How extends 'inner' | 'left'>(
    field: Fresh<T, K>,
    other: Table<Other> | Topic<Other, never>,
    options: AggregateOptions<T> & Partial<PairOptions<T, How>> = {},
  ): Stream<LookedUp<T, K, Other>> | Stream<Paired<T, K, Other, How>> {
    const late = options.late as AnyTopic | undefined
    if (other.kind === 'table') {
      checkKeys(`join '${field}'`, options, ['late'])
      const found = this.#next(keyed(this.#key, tableStep(field, other, late)))
      return found as Stream<LookedUp<T, K, Other>>
    }
    checkKeys(`join '${field}'`, options, ['within', 'how', 'late'])
    const { within, how = 'inner' } = options
    const withinMs = durationOption(`join '${field}': option 'within'`, within)
    if (how !== 'inner' && how !== 'left') {
      throw fail('OPTIONS_INVALID', `join '${field}': option 'how' is 'inner' or 'left'`)
    }
    const step: Step = { kind: 'pair', name: field, other: other as AnyTopic, withinMs, how, late }
    return this.#next(keyed(this.#key, step)) as Stream<Paired<T, K, Other, How>>
  }
}

/** A step with the change of key before it, if there is one. */
function keyed<T>(key: Key<T>, step: Step): Step[] {
  if (key === undefined) return [step]
  return [{ kind: 'keyBy', name: `${step.name}-key`, key: key as never }, step]
}

export class Windowed<T> {
  readonly #window: Window
  readonly #key: Key<T>
  readonly #next: Next

  constructor(window: Window, key: Key<T>, next: Next) {
    this.#window = window
    this.#key = key
    this.#next = next
  }

  /**
   * One result for each key and window, with the fields that the definition names. Its id is
   * `name/key/start`, its version the number of messages in it, its time the last of the window.
   *
   * @example
   * .keyBy((post) => post.author)
   * .window(tumbling('15m', { lateness: '1m' }))
   * .aggregate('by-author', (over) => ({ posts: over.count(), score: over.mean((post) => post.score) }))
   */
  aggregate<const Fields extends Aggregates<T>>(
    name: string,
    definition: (over: Over<T>) => Fields,
    options: AggregateOptions<T> = {},
  ): Stream<Flat<OfWindow & ResultsOf<Fields>>> {
    const aggregator = aggregateOf(definition)
    const own = ['key', 'start', 'end'].find((field) => Object.hasOwn(aggregator.fields, field))
    if (own !== undefined) {
      const words = `step '${name}': '${own}' is a field of every result; name the aggregate otherwise`
      throw fail('PIPELINE_INVALID', words)
    }
    return this.#step(name, aggregator, options) as Stream<Flat<OfWindow & ResultsOf<Fields>>>
  }

  /**
   * One value for each key and window: the first message's, then `combine(value, next)` with each that
   * comes, in the order in which they come. What JSON can hold. What `combine` throws makes the message
   * a dead letter. For windows that are the same for all keys. Where what the value looks like changes,
   * raise `version` and give `migrate`.
   */
  reduce(
    name: string,
    combine: (value: T, next: T) => T,
    options: ReduceOptions<T> = {},
  ): Stream<Flat<OfWindow & { readonly value: T }>> {
    if (!isAligned(this.#window)) {
      const words = `step '${name}': reduce is for windows that are the same for all keys (tumbling, hopping, calendar); use aggregate, or over.with() and an aggregator that can merge`
      throw fail('PIPELINE_INVALID', words)
    }
    checkKeys(`step '${name}'`, options, ['late', 'version', 'migrate'])
    checkVersioned(`step '${name}'`, options)
    const { late, ...versioned } = options
    const combined = combine as unknown as (value: Json, next: Json) => Json
    return this.#step(name, reduction(combined, versioned), { late }) as Stream<
      Flat<OfWindow & { readonly value: T }>
    >
  }

  #step(
    name: string,
    aggregator: Aggregator<never, unknown>,
    options: AggregateOptions<T>,
  ): Stream<unknown> {
    checkKeys(`step '${name}'`, options, ['late'])
    const step: Step = {
      ...({ kind: 'aggregate', name, window: this.#window } as const),
      aggregator: aggregator as Aggregator<unknown, unknown>,
      late: options.late as AnyTopic | undefined,
    }
    return this.#next(keyed(this.#key, step))
  }
}
