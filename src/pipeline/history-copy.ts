/**
 * Copies topics as they are now: each into one partition, whichever message of its partitions has the
 * earliest event time next, with ids as they are. So messages of a partition keep the order in which
 * they came, and those that came late are late again.
 */
import type { Batch } from '../core/batch.ts'
import { BatchBuilder } from '../core/batch-builder.ts'
import { idOf, versionOf, withIdentity } from '../core/identity.ts'
import { Message } from '../core/message.ts'
import type { Log } from '../log/log.ts'

const bytesPerCommit = 4 * 1024 * 1024

/** One partition, up to where it ended when the copy began. */
class Cursor {
  readonly #log: Log
  readonly #place: { readonly topic: string; readonly partition: number }
  readonly #end: number
  #offset: number
  batch: Batch | undefined
  index = 0

  constructor(log: Log, topic: string, partition: number, range: { start: number; end: number }) {
    this.#log = log
    this.#place = { topic, partition }
    this.#offset = range.start
    this.#end = range.end
  }

  /** Of its next message; Infinity: that was all. */
  get timeMs(): number {
    return this.batch === undefined ? Number.POSITIVE_INFINITY : this.batch.times[this.index]!
  }

  /** Moves to the next message. */
  async advance(): Promise<void> {
    const { topic, partition } = this.#place
    this.index++
    while (this.batch === undefined || this.index >= this.batch.count) {
      this.batch = undefined
      if (this.#offset >= this.#end) return
      const read = await this.#log.read(topic, partition, this.#offset)
      if (read === undefined) return
      this.#offset = read.nextOffset
      this.batch = read
      this.index = 0
    }
    if (this.batch.offsets[this.index]! >= this.#end) this.batch = undefined
  }
}

/** Copies topics, which exist on both sides. How many messages that were. */
export async function copyHistory(
  log: Log,
  names: readonly string[],
  copy: Log,
): Promise<ReadonlyMap<string, number>> {
  // All ends first: what one topic says of another's messages is then there, or not, in both.
  const cursors = new Map<string, Cursor[]>()
  for (const name of names) {
    const { partitions } = (await log.topic(name))!
    const numbers = Array.from({ length: partitions }, (_, partition) => partition)
    const ranges = await Promise.all(numbers.map((partition) => log.offsets(name, partition)))
    cursors.set(
      name,
      ranges.map((range, partition) => new Cursor(log, name, partition, range)),
    )
  }
  const counts = new Map<string, number>()
  for (const [name, all] of cursors) counts.set(name, await copyTopic(name, all, copy))
  return counts
}

async function copyTopic(name: string, cursors: readonly Cursor[], copy: Log): Promise<number> {
  const builder = new BatchBuilder(name, 0)
  let count = 0
  for (const cursor of cursors) await cursor.advance()
  for (;;) {
    const [first, next] = earliest(cursors)
    if (first?.batch === undefined) break
    // Of one time it is the turn of the partition that stands first.
    do {
      append(builder, first.batch, first.index)
      count++
      await first.advance()
    } while (first.batch !== undefined && first.timeMs < next && builder.sizeBytes < bytesPerCommit)
    if (builder.sizeBytes >= bytesPerCommit) await flush(builder, copy)
  }
  await flush(builder, copy)
  return count
}

async function flush(builder: BatchBuilder, copy: Log): Promise<void> {
  if (builder.count === 0) return
  await copy.commit({ outputs: [{ topic: builder.topic, partition: 0, batch: builder.build() }] })
}

/** The cursor whose turn it is, and the time at which that of another comes. */
function earliest(cursors: readonly Cursor[]): [Cursor | undefined, number] {
  let first: Cursor | undefined
  let next = Number.POSITIVE_INFINITY
  for (const cursor of cursors) {
    if (first === undefined || cursor.timeMs < first.timeMs) {
      next = Math.min(next, first?.timeMs ?? next)
      first = cursor
    } else next = Math.min(next, cursor.timeMs)
  }
  return [first, next]
}

function append(builder: BatchBuilder, batch: Batch, index: number): void {
  const { key, value, headers } = new Message(batch, index)
  const identity = { id: idOf(batch, index), version: versionOf(batch, index) }
  builder.append(key, value, batch.times[index]!, withIdentity(headers, identity))
}
