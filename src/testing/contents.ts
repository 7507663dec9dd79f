/** What topics hold, as a test looks at it: since it last looked, or all. */
import { messageOf } from '../core/errors.ts'
import { Message } from '../core/message.ts'
import type { Log } from '../log/log.ts'
import { check } from '../pipeline/decode.ts'
import type { AnyTopic } from '../pipeline/definition.ts'

/** A message of a topic as a test sees it. */
export interface TestMessage<T = unknown> {
  readonly id: string
  readonly key: string | null
  /** Event time, milliseconds since the epoch. */
  readonly time: number
  readonly version: number
  /** Null: a delete. */
  readonly value: T | null
  readonly partition: number
}

/** How long what was written may take to be seen on Kafka. */
const patienceMs = 30_000

export class Contents {
  readonly #log: Log
  readonly #pause: () => Promise<void>
  /** By topic, where each partition was read to. */
  readonly #seen = new Map<string, number[]>()

  constructor(log: Log, pause: () => Promise<void>) {
    this.#log = log
    this.#pause = pause
  }

  /** What came since the last call for this topic. */
  async fresh(topic: AnyTopic): Promise<TestMessage[]> {
    const seen = this.#seen.get(topic.name) ?? []
    const partitions = await this.#read(topic.name, seen)
    this.#seen.set(
      topic.name,
      partitions.map(({ end }) => end),
    )
    return inOrder(partitions.map(({ messages }) => messages)).map((one) => shownAs(topic, one))
  }

  async all(topic: AnyTopic): Promise<TestMessage[]> {
    const partitions = await this.#read(topic.name, [])
    return inOrder(partitions.map(({ messages }) => messages)).map((one) => shownAs(topic, one))
  }

  /** Resolves once what was written by now is seen. Where a topic ends, by partition. */
  async ends(topic: string): Promise<number[]> {
    const ends: number[] = []
    const partitions = (await this.#log.topic(topic))?.partitions ?? 0
    for (let partition = 0; partition < partitions; partition++) {
      const written = await this.#log.writtenEnd(topic, partition)
      const untilMs = performance.now() + patienceMs
      let { end } = await this.#log.offsets(topic, partition)
      while (end < written && performance.now() < untilMs) {
        await this.#pause()
        end = (await this.#log.offsets(topic, partition)).end
      }
      ends.push(end)
    }
    return ends
  }

  async #read(
    topic: string,
    from: readonly number[],
  ): Promise<{ readonly end: number; readonly messages: Message[] }[]> {
    const ends = await this.ends(topic)
    return Promise.all(
      ends.map(async (end, partition) => {
        const messages: Message[] = []
        const untilMs = performance.now() + patienceMs
        for (let offset = from[partition] ?? 0; offset < end; ) {
          const batch = await this.#log.read(topic, partition, offset)
          if (batch === undefined) {
            if (performance.now() > untilMs) break
            await this.#pause()
            continue
          }
          for (let index = 0; index < batch.count; index++) {
            if (batch.offsets[index]! < end) messages.push(new Message(batch, index))
          }
          offset = batch.nextOffset
        }
        return { end, messages }
      }),
    )
  }
}

/** By time, those of a time by id, but within a partition as they were written. */
function inOrder(partitions: readonly (readonly Message[])[]): Message[] {
  const next = partitions.map(() => 0)
  const sorted: Message[] = []
  for (;;) {
    let first: number | undefined
    for (const [partition, messages] of partitions.entries()) {
      const message = messages[next[partition]!]
      if (message === undefined) continue
      const before = first === undefined ? undefined : partitions[first]![next[first]!]!
      if (before === undefined || isBefore(message, before)) first = partition
    }
    if (first === undefined) return sorted
    sorted.push(partitions[first]![next[first]!++]!)
  }
}

/** `posts/9` comes before `posts/10`. */
const byId = new Intl.Collator('en', { numeric: true })

function isBefore(one: Message, other: Message): boolean {
  if (one.time !== other.time) return one.time < other.time
  return byId.compare(one.id, other.id) < 0
}

function shownAs(topic: AnyTopic, message: Message): TestMessage {
  const { id, key, time, version, partition } = message
  const value = message.value === null ? null : readAs(topic, message.value)
  return { id, key: key === null ? null : String(key), time, version, value, partition }
}

/** What reads the topic would get; bytes that are none of its values as text. */
function readAs({ schema }: AnyTopic, bytes: Buffer): unknown {
  try {
    const value: unknown = JSON.parse(String(bytes))
    return schema === undefined ? value : check(schema, value)
  } catch (error) {
    return `${bytes} (no value of this topic: ${messageOf(error)})`
  }
}
