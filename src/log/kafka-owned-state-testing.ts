/** A changelog of one partition, of which everything can be set by hand, and its owners' states. */
import type { Batch } from '../core/batch.ts'
import type { Clock } from '../core/clock.ts'
import { KafkaOwnedStates } from './kafka-owned-states.ts'
import { StateFiles } from './kafka-state-files.ts'
import { output } from './log.contract.support.ts'
import { defaultTopicSettings, type OwnedState, type TopicInfo } from './log.ts'
import { encodeRecordBatch } from './record-batch.ts'

export type Change = readonly [key: string, value: string | null]

export class FakeChangelog {
  /** What can be read, by offset. */
  readonly messages = new Map<number, Change>()
  settings: Partial<TopicInfo> = { cleanup: 'compact' }
  identity = 'first'
  start = 0
  end = 0
  written: number | undefined
  nowMs = 1_000_000_000
  tombstonesMs = 1_000_000
  stepBytes: number | undefined
  /** Offsets at which somebody read. */
  readonly reads: number[] = []
  messagesInRead = 1000
  whileReading: (() => void) | undefined
  /** Others have a turn while it is read. */
  isSlow = false
  readonly #folder: string | undefined

  constructor(folder?: string) {
    this.#folder = folder
  }

  /** Those of another process on the same directory, or on another. */
  states(folder = this.#folder): KafkaOwnedStates {
    const clock: Clock = {
      now: () => this.nowMs,
      sleep: async (waitMs) => {
        this.nowMs += waitMs
        await new Promise((resolve) => setImmediate(resolve))
      },
    }
    return new KafkaOwnedStates({
      topics: {
        topic: async (name) => this.#info(name),
        writtenEnd: async () => this.written ?? this.end,
        ensureTopic: async () => undefined,
      },
      read: async (_topic, _partition, offset) => {
        if (this.isSlow) await new Promise((resolve) => setImmediate(resolve))
        return this.#read(offset)
      },
      offsets: async () => ({ start: this.start, end: this.end }),
      tombstonesMs: async () => this.tombstonesMs,
      files: () => StateFiles.of(folder, 'cluster'),
      ...{ clock, stepBytes: this.stepBytes },
    })
  }

  /** A transaction of somebody; returns the offset of its first message. */
  write(...changes: Change[]): number {
    const base = this.end
    for (const [index, change] of changes.entries()) this.messages.set(base + index, change)
    // And its marker.
    this.end = base + changes.length + 1
    return base
  }

  /** The same through a process that is told of it. */
  commit(states: KafkaOwnedStates, ...changes: Change[]): void {
    this.tell(states, this.write(...changes), changes)
  }

  tell(states: KafkaOwnedStates, base: number, changes: readonly Change[]): void {
    const sent = changes.map(([key, value]) => ({ key, value }))
    const bytes = encodeRecordBatch(output('s.changelog', 0, sent).batch, { compression: 'none' })
    const part = { topic: 's.changelog', partition: 0, bytes, count: changes.length }
    states.committed({ parts: [part], baseOffsets: [base] })
  }

  /** What all of it says. */
  content(): [string, string][] {
    const found = new Map<string, string>()
    for (const [, [key, value]] of [...this.messages].sort(([a], [b]) => a - b)) {
      if (value === null) found.delete(key)
      else found.set(key, value)
    }
    return [...found].sort(([a], [b]) => Buffer.from(a).compare(Buffer.from(b)))
  }

  /** Keeps the newest of each key, and no delete. */
  compact(): void {
    const newest = new Map([...this.messages].map(([offset, [key]]) => [key, offset]))
    for (const [offset, [key, value]] of this.messages) {
      if (newest.get(key) !== offset || value === null) this.messages.delete(offset)
    }
  }

  #info(name: string): TopicInfo {
    const { identity, settings } = this
    return { ...defaultTopicSettings, ...settings, name, identity, partitions: 1 }
  }

  #read(from: number): Batch | undefined {
    this.reads.push(from)
    this.whileReading?.()
    const offset = Math.max(from, this.start)
    if (offset >= this.end) return undefined
    const offsets: number[] = []
    let next = offset
    for (; next < this.end && offsets.length < this.messagesInRead; next++) {
      if (this.messages.has(next)) offsets.push(next)
    }
    const sent = offsets.map((one) => this.messages.get(one)!)
    const { batch } = output(
      's.changelog',
      0,
      sent.map(([key, value]) => ({ key, value })),
    )
    for (const [index, one] of offsets.entries()) batch.offsets[index] = one
    return Object.assign(batch, { nextOffset: next })
  }
}

export async function contentOf(state: OwnedState): Promise<[string, string][]> {
  const found = await state.scan({ limit: 1_000_000 })
  return found.map(([key, value]) => [key, value.toString()])
}
