/**
 * Features as they were when something was made of them, beside what the same messages would be given
 * now from all of history: what came later than it should have, or was changed since, shows here.
 */
import { Message } from '../core/message.ts'
import type { Log } from '../log/log.ts'
import { type Codecs, prepared } from './codecs.ts'
import { decodeValue } from './decode.ts'
import type { AnyTopic } from './definition.ts'
import type { History } from './history-run.ts'
import { deleted } from './rows.ts'
import { SeenFields } from './seen-fields.ts'

export interface SkewExample {
  readonly id: string
  readonly time: string
  /** Null also where it is missing. */
  readonly logged: unknown
  readonly recomputed: unknown
}

export interface FeatureSkew {
  readonly feature: string
  readonly differing: number
  /** Of the rows that were compared. */
  readonly share: number
  /** Of two numbers; null: no two numbers differ. */
  readonly largest: number | null
  /** Those that differ most. */
  readonly examples: readonly SkewExample[]
}

export interface Skew {
  /** Logged messages of which history has a row. */
  readonly compared: number
  /** Those of which it has none: retention took them, or they were late. */
  readonly unknown: number
  readonly features: readonly FeatureSkew[]
}

const mostExamples = 3

type Fields = { readonly [field: string]: unknown }
type Logged = { readonly id: string; readonly timeMs: number; readonly value: Fields }
type Ends = readonly number[]

/** Where a topic ends now: what is logged later is not in a history that is made from now on. */
export async function endsOf(log: Log, topic: string): Promise<Ends> {
  const { partitions = 0 } = (await log.topic(topic)) ?? {}
  const numbers = Array.from({ length: partitions }, (_, partition) => partition)
  const ranges = await Promise.all(numbers.map((partition) => log.offsets(topic, partition)))
  return ranges.map(({ end }) => end)
}

export interface LoggedFeatures {
  readonly log: Log
  readonly topic: AnyTopic
  readonly ends: Ends
  readonly codecs?: Codecs | undefined
}

/**
 * Compares by the ids of messages. Throws `OPTIONS_INVALID` for a feature that no row of the history has,
 * or no message that was logged: there is nothing to compare.
 */
export async function skewOf(
  history: Pick<History, 'rows' | 'features'>,
  features: readonly string[],
  logged: LoggedFeatures,
): Promise<Skew> {
  const recomputed = new Map<string, readonly unknown[]>()
  const inHistory = new SeenFields(features, history.features)
  for await (const { id, value } of history.rows()) {
    inHistory.note(value)
    recomputed.set(
      id,
      features.map((name) => (value as Fields)[name]),
    )
  }
  inHistory.check('features: no row of the history')
  const inLogged = new SeenFields(features)
  const all = features.map((name) => new Differences(name))
  let compared = 0
  let unknown = 0
  for await (const message of loggedMessages(logged)) {
    inLogged.note(message.value)
    const row = recomputed.get(message.id)
    if (row === undefined) {
      unknown++
      continue
    }
    compared++
    for (const [place, one] of all.entries()) one.compare(message, row[place])
  }
  inLogged.check(`features: no message of topic ${logged.topic.name}`)
  return { compared, unknown, features: all.map((one) => one.told(compared)) }
}

class Differences {
  readonly #feature: string
  #differing = 0
  #largest: number | null = null
  #examples: { readonly by: number; readonly example: SkewExample }[] = []

  constructor(feature: string) {
    this.#feature = feature
  }

  compare({ id, timeMs, value }: Logged, recomputed: unknown = null): void {
    const logged = value[this.#feature] ?? null
    if (JSON.stringify(logged) === JSON.stringify(recomputed)) return
    this.#differing++
    const isNumber = typeof logged === 'number' && typeof recomputed === 'number'
    const by = isNumber ? Math.abs(logged - recomputed) : Number.POSITIVE_INFINITY
    if (isNumber) this.#largest = Math.max(this.#largest ?? 0, by)
    const least = this.#examples.at(-1)?.by ?? Number.NEGATIVE_INFINITY
    if (this.#examples.length === mostExamples && by <= least) return
    const example = { id, time: new Date(timeMs).toISOString(), logged, recomputed }
    this.#examples.push({ by, example })
    // The order of those that differ as much is that in which they came.
    this.#examples.sort((one, other) => (one.by === other.by ? 0 : other.by - one.by))
    this.#examples.length = Math.min(this.#examples.length, mostExamples)
  }

  told(compared: number): FeatureSkew {
    return {
      feature: this.#feature,
      differing: this.#differing,
      share: compared === 0 ? 0 : this.#differing / compared,
      largest: this.#largest,
      examples: this.#examples.map(({ example }) => example),
    }
  }
}

async function* loggedMessages({
  log,
  topic,
  ends,
  codecs,
}: LoggedFeatures): AsyncGenerator<Logged> {
  const codec = codecs?.of(topic.name)
  for (const [partition, end] of ends.entries()) {
    for (let offset = 0; offset < end; ) {
      const batch = await log.read(topic.name, partition, offset)
      if (batch === undefined) break
      await prepared(codec, batch, (_, work) => work())
      for (let index = 0; index < batch.count; index++) {
        if (batch.offsets[index]! >= end) break
        const value = decodeValue(batch, index, undefined, codec)
        if (value === deleted || typeof value !== 'object' || value === null) continue
        const { id, time } = new Message(batch, index)
        yield { id, timeMs: time, value: value as Fields }
      }
      offset = batch.nextOffset
    }
  }
}
