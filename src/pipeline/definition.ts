/** A pipeline as data: what a chain has collected, before it is planned or run. */
import type { Message } from '../core/message.ts'
import type { LookupUse } from '../lookups/lookup.ts'
import type { SinkUse } from '../sinks/sink.ts'
import type { SourceUse } from '../sources/source.ts'
import type { Aggregator } from '../transforms/aggregator.ts'
import type { RowStep } from '../transforms/row-step.ts'
import type { Window } from '../transforms/window.ts'
import type { ModelUse } from './model-use.ts'
import type { Position } from './position.ts'
import type { Topic } from './topic.ts'
import type { Topics } from './topics-matching.ts'

export type AnyTopic = Topic<unknown, never>

export type Input =
  | { readonly kind: 'topic'; readonly topic: AnyTopic }
  | {
      readonly kind: 'topics'
      readonly topics: Topics<unknown>
      /** Those that there are, by their names; empty as long as nobody looked. */
      readonly matched: readonly AnyTopic[]
    }
  | { readonly kind: 'source'; readonly name: string; readonly source: SourceUse<unknown> }

export type Target =
  | { readonly kind: 'topic'; readonly topic: AnyTopic }
  | { readonly kind: 'sink'; readonly sink: SinkUse }

export type Step =
  | {
      readonly kind: 'map'
      readonly name: string
      readonly apply: (value: never, message: Message) => unknown
    }
  | {
      readonly kind: 'filter'
      readonly name: string
      readonly test: (value: never, message: Message) => boolean
    }
  | {
      readonly kind: 'flatMap'
      readonly name: string
      readonly apply: (value: never, message: Message) => Iterable<unknown>
    }
  | {
      readonly kind: 'predict'
      /** The field that takes the answer, which is the step's name too. */
      readonly name: string
      readonly model: ModelUse<unknown, unknown>
      readonly input: (value: never) => unknown
    }
  | {
      /** Adds what another system knows of a key. */
      readonly kind: 'lookup'
      /** The field that takes the answer, which is the step's name too. */
      readonly name: string
      readonly lookup: LookupUse<never, unknown>
      readonly by: (value: never) => unknown
      /** `left`: what nothing is known of goes on as well, with null. */
      readonly how: 'inner' | 'left'
      readonly cache: LookupCaching
    }
  | {
      readonly kind: 'join'
      /** The field that takes the other side's value, which is the step's name too. */
      readonly name: string
      readonly other: AnyTopic
    }
  | {
      /** Gives messages another key: from here they go through a topic of the pipeline's own. */
      readonly kind: 'keyBy'
      readonly name: string
      readonly key: (value: never) => unknown
    }
  | {
      /**
       * Messages of another topic come in here, and go by their key through a topic of the pipeline's
       * own to the steps behind this one, which reckon with them. All others go past.
       */
      readonly kind: 'origin'
      readonly name: string
      readonly topic: AnyTopic
      /** Undefined: their own key. */
      readonly key: ((value: never) => unknown) | undefined
    }
  | {
      readonly kind: 'aggregate'
      readonly name: string
      readonly window: Window
      /** Of messages' values; gives what is emitted beside key, start and end. */
      readonly aggregator: Aggregator<unknown, unknown>
      /** Takes what comes too late; undefined: it is counted. */
      readonly late: AnyTopic | undefined
    }
  | {
      /** Lets messages go on in the light of those with the same key before them. */
      readonly kind: 'keyed'
      readonly name: string
      /** What it does, in words; part of the plan. */
      readonly what: string
      /** One for each partition. */
      readonly make: () => RowStep
      readonly late: AnyTopic | undefined
      /** The topic whose newest values it looks things up in. */
      readonly table?: AnyTopic
      /** The table is read to its end before anything is looked up in it. */
      readonly isTableFirst?: boolean
      /** The fields that it adds. */
      readonly adds?: readonly string[]
      /** What it adds is what is known now, whatever the time of a message is. */
      readonly isOfNow?: boolean
      /** Where what it reckons with comes from, when that is not the messages themselves. */
      readonly from?: {
        /** The name of the origin step before it. */
        readonly step: string
        /** The next step reckons with the same. */
        readonly isShared: boolean
      }
    }
  | {
      /** Pairs messages with those of another topic that have the same key and are near in time. */
      readonly kind: 'pair'
      /** The field that takes the other side's value, which is the step's name too. */
      readonly name: string
      readonly other: AnyTopic
      readonly withinMs: number
      /** `left`: who finds no other goes on as well, with null. */
      readonly how: 'inner' | 'left'
      readonly late: AnyTopic | undefined
    }
  | { readonly kind: 'to'; readonly name: string; readonly target: Target }

/** How long answers are remembered, by the clock and not by event time. */
export interface LookupCaching {
  readonly timeToLiveMs: number
  /** Of keys that nothing is known of, or that were refused. */
  readonly negativeTimeToLiveMs: number
  readonly entries: number
}

export type LookupStep = Step & { readonly kind: 'lookup' }
export type KeyedRowStep = Step & { readonly kind: 'keyed' }
export type OriginStep = Step & { readonly kind: 'origin' }
/** Steps that give messages another key. */
export type RekeyStep = Step & { readonly kind: 'keyBy' | 'origin' }
export type PairJoinStep = Step & { readonly kind: 'pair' }
/** Steps that keep state by key, and wait for event time. */
export type KeepingStep = AggregateStep | KeyedRowStep | PairJoinStep
export type AggregateStep = Step & { readonly kind: 'aggregate' }

export interface PipelineSettings {
  /** Of the last 1,000 messages, the share that may become dead letters before the pipeline stops. */
  readonly maxDeadLetterShare: number
  /** What happens when retention took messages that were not read yet. */
  readonly onGap: 'stop' | 'continue'
  /** An input that says nothing for so long does not hold windows open. */
  readonly idleMs: number
  /** A message whose time is further ahead of the clock is late, and moves no watermark. */
  readonly maxSkewMs: number
  /** So long messages wait for an input with nothing to read, which may come to have earlier ones. */
  readonly maxWaitMs: number
  /** In how many other processes a copy of the state is kept warm. */
  readonly standbys: 0 | 1
}

export interface Definition {
  readonly name: string
  readonly inputs: readonly Input[]
  readonly steps: readonly Step[]
  /** Where topics are read from that were never read; undefined: their earliest message. */
  readonly start?: Position | undefined
  readonly settings: PipelineSettings
}

/** True for what `pipeline(...)...to(...)` gives: an app's exports are searched with it. */
export function isPipeline(value: unknown): value is { readonly '~pipeline': Definition } {
  return typeof value === 'object' && value !== null && '~pipeline' in value
}
