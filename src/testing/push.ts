/** What a test pushes, as messages: checked like what a pipeline writes, with ids that are the same in each run. */
import { BatchBuilder } from '../core/batch-builder.ts'
import { fail, messageOf } from '../core/errors.ts'
import type { Header } from '../core/headers.ts'
import { withIdentity } from '../core/identity.ts'
import type { Log } from '../log/log.ts'
import { partitionOf } from '../log/partitioner.ts'
import { check } from '../pipeline/decode.ts'
import type { AnyTopic } from '../pipeline/definition.ts'
import type { Fed, Feed } from './stand-ins.ts'

type Of<T, Told> = Told | ((value: T) => Told)
export type Time = Date | string | number

export interface PushOptions<T = unknown> {
  /** The key, or what gives it; default: as the topic's declaration says, else none. */
  readonly key?: Of<T, string | null>
  /** Event time; default: as the topic's declaration says, else `t.now()`. */
  readonly time?: Of<T, Time>
  /** Default: by the key; messages without one take turns. */
  readonly partition?: number
  /** Unique in its topic. Default: the topic's name and a number from 0 on. */
  readonly id?: Of<T, string>
}

export type FeedOptions<T = unknown> = Pick<PushOptions<T>, 'key' | 'time' | 'id'>

interface Pushed {
  readonly key: string | null
  readonly value: string | Uint8Array | null
  readonly timeMs: number
  readonly id: string
  readonly number: number
}

export class Pushing {
  readonly #log: Log
  readonly #now: () => number
  readonly #counts = new Map<string, number>()

  constructor(log: Log, now: () => number) {
    this.#log = log
    this.#now = now
  }

  /** Throws `TEST_INVALID` for a value that does not fit; then none is pushed. */
  async push(topic: AnyTopic, values: readonly unknown[], options: PushOptions): Promise<void> {
    const messages = values.map((value, index) => {
      const where = `push to ${topic.name}: value ${index}`
      const checked = checkedBy(topic, value, where)
      return this.#message(topic, where, value, checked, options, jsonOf(value, where))
    })
    await this.#write(topic.name, messages, options.partition)
  }

  /** As another program might have written it: bytes as they are, all else as JSON, nothing checked. */
  async pushRaw(topic: string, values: readonly unknown[], options: PushOptions): Promise<void> {
    const messages = values.map((value, index) => {
      const where = `push to ${topic}: value ${index}`
      const bytes = value === null || value instanceof Uint8Array ? value : jsonOf(value, where)
      return this.#message({ name: topic }, where, value, value, options, bytes)
    })
    await this.#write(topic, messages, options.partition)
  }

  feed(feed: Feed, values: readonly unknown[], options: FeedOptions): void {
    const fed = values.map((value, index): Fed => {
      const where = `feed of ${feed.topic}: value ${index}`
      const json = jsonOf(value, where)
      const { id, key, timeMs } = this.#message(
        { name: feed.topic },
        where,
        ...([value, value, options, json] as const),
      )
      return { id, key, timeMs, json }
    })
    feed.fed.push(...fed)
  }

  #message(
    topic: Pick<AnyTopic, 'name'> & Partial<AnyTopic>,
    where: string,
    value: unknown,
    checked: unknown,
    { key, time, id }: PushOptions,
    bytes: Pushed['value'],
  ): Pushed {
    const number = this.#counts.get(topic.name) ?? 0
    this.#counts.set(topic.name, number + 1)
    const tell = <Told>(given: Of<unknown, Told> | undefined): Told | undefined =>
      typeof given === 'function' ? (given as (value: unknown) => Told)(value) : given
    const declared = <Told>(of: ((value: never) => Told) | undefined): Told | undefined =>
      value === null ? undefined : of?.(checked as never)
    const told = tell<Time>(time) ?? declared(topic.time)
    const timeMs = told === undefined ? this.#now() : timeOf(told, where)
    const ownKey = key === undefined ? declared(topic.key) : tell<string | null>(key)
    return {
      ...{ key: ownKey ?? null, value: bytes, timeMs, number },
      id: tell<string>(id) ?? `${topic.name}/${number}`,
    }
  }

  async #write(
    topic: string,
    messages: readonly Pushed[],
    asked: number | undefined,
  ): Promise<void> {
    // One that a pattern takes in may be new, as when another program makes it.
    const { partitions } = (await this.#log.topic(topic)) ?? (await this.#log.createTopic(topic))
    if (asked !== undefined && !(asked >= 0 && asked < partitions)) {
      const words = `push to ${topic}: it has the partitions 0 to ${partitions - 1}, and no ${asked}`
      throw fail('TEST_INVALID', words)
    }
    const builders = new Map<number, BatchBuilder>()
    for (const { key, value, timeMs, id, number } of messages) {
      const bytes = key === null ? null : Buffer.from(key)
      const partition = asked ?? partitionOf(bytes, partitions, number)
      const builder = builders.get(partition) ?? new BatchBuilder(topic, partition)
      builders.set(partition, builder)
      const headers: Header[] = withIdentity([], { id, version: number })
      builder.append(bytes, value, timeMs, headers)
    }
    const outputs = [...builders].map(([partition, builder]) => ({
      ...{ topic, partition, batch: builder.build() },
    }))
    if (outputs.length > 0) await this.#log.commit({ outputs })
  }
}

function checkedBy({ schema }: AnyTopic, value: unknown, where: string): unknown {
  if (schema === undefined) return value
  try {
    return check(schema, value)
  } catch (error) {
    const seen = shown(value)
    const words = `${where} does not fit its schema: ${messageOf(error)}; it is ${seen}`
    throw fail('TEST_INVALID', `${words}; t.pushRaw pushes what does not fit`, { cause: error })
  }
}

/** So much of a value is quoted. */
const shownLength = 200

export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > shownLength ? `${text.slice(0, shownLength)}...` : text
}

function jsonOf(value: unknown, where: string): string {
  const json = JSON.stringify(value) as string | undefined
  if (json !== undefined) return json
  throw fail('TEST_INVALID', `${where}: a ${typeof value} cannot be written as JSON`)
}

/** Throws `TEST_INVALID` for what is no date. */
export function timeOf(time: Time, where: string): number {
  const timeMs = typeof time === 'number' ? time : new Date(time).getTime()
  if (Math.abs(timeMs) <= 8.64e15) return Math.trunc(timeMs)
  const words = `the time ${JSON.stringify(time)} is no date`
  throw fail('TEST_INVALID', `${where}: ${words}; give a Date, ISO text or milliseconds`)
}
