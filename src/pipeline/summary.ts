/**
 * Figures over all messages of a topic: what an application wants to be told while it runs and in
 * the line at its end. They are computed from what the topic holds, so they are the same however
 * often a run was interrupted.
 */
import type { Log } from '../log/log.ts'
import type { Codecs } from './codecs.ts'
import type { AnyTopic } from './definition.ts'
import { TopicFollower } from './follow.ts'
import type { Topic } from './topic.ts'

export interface Figures {
  readonly [name: string]: unknown
}

export interface Summary {
  readonly '~summary': true
  readonly topic: AnyTopic
  readonly start: () => unknown
  readonly add: (state: never, value: never) => void
  readonly figures: (state: never) => Figures
  readonly line: (state: never) => string
}

export interface SummaryOptions<T, State> {
  /** What nothing comes to. */
  readonly start: () => State
  /** Takes one value in. */
  readonly add: (state: State, value: T) => void
  /** The figures for the line at the end. */
  readonly figures: (state: State) => Figures
  /** A few words for the status line. */
  readonly line: (state: State) => string
}

/**
 * Declares figures over a topic.
 *
 * @example
 * export const quality = summary(judged, {
 *   start: () => confusionMatrix(['ham', 'spam']),
 *   add: (matrix, mail) => matrix.add(mail.truth.label, mail.spam.label),
 *   figures: (matrix) => ({ accuracy: matrix.accuracy() }),
 *   line: (matrix) => `accuracy ${matrix.accuracy().toFixed(3)}`,
 * })
 */
export function summary<T, State>(
  topic: Topic<T, never>,
  options: SummaryOptions<T, State>,
): Summary {
  return { '~summary': true, topic, ...options }
}

export function isSummary(value: unknown): value is Summary {
  return typeof value === 'object' && value !== null && '~summary' in value
}

/** Follows a topic and keeps the figures up to date. */
export class SummaryReader {
  readonly #summary: Summary
  readonly #state: unknown
  readonly #follower: TopicFollower
  #unreadable = 0

  constructor(log: Log, summary: Summary, codecs?: Codecs) {
    this.#summary = summary
    this.#state = summary.start()
    const follower = {
      take: (value: unknown) => summary.add(this.#state as never, value as never),
      // What cannot be taken in is counted: it may not end a run that is balanced.
      miss: () => {
        this.#unreadable++
      },
    }
    this.#follower = new TopicFollower(log, summary.topic, follower, codecs)
  }

  /** Reads what came since the last call, or a part of it. True: there may be more. */
  read(): Promise<boolean> {
    return this.#follower.read()
  }

  figures(): Figures {
    const figures = this.#summary.figures(this.#state as never)
    return this.#unreadable === 0 ? figures : { ...figures, unreadable: this.#unreadable }
  }

  line(): string {
    return this.#summary.line(this.#state as never)
  }
}
