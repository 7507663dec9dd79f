/** Follows a topic, value by value, from its beginning: for figures and panels over all that it holds. */
import type { Log } from '../log/log.ts'
import type { Codecs } from './codecs.ts'
import { decodeValue } from './decode.ts'
import type { AnyTopic } from './definition.ts'
import { deleted } from './rows.ts'

export interface Follower {
  /** Takes in one value and the time of its message, milliseconds since 1970. */
  take(value: unknown, timeMs: number): void
  /** A message that cannot be read, or that `take` threw on. */
  miss(): void
}

export class TopicFollower {
  readonly #log: Log
  readonly #topic: AnyTopic
  readonly #follower: Follower
  readonly #codecs: Codecs | undefined
  #offsets: number[] | undefined

  constructor(log: Log, topic: AnyTopic, follower: Follower, codecs?: Codecs) {
    this.#codecs = codecs
    this.#log = log
    this.#topic = topic
    this.#follower = follower
  }

  /** Reads what came since the last call, at most about `maxBytes` of it. True: there may be more. */
  async read(maxBytes = 4 * 1024 * 1024): Promise<boolean> {
    const { name, schema, format } = this.#topic
    // Without its codec nothing of it can be read: not yet, or not in this process.
    if (format !== undefined && this.#codecs?.of(name) === undefined) return false
    if (this.#offsets === undefined) {
      const info = await this.#log.topic(name)
      if (info === undefined) return false
      this.#offsets = new Array(info.partitions).fill(0)
    }
    let more = false
    for (const [partition, offset] of this.#offsets.entries()) {
      const batch = await this.#log.read(name, partition, offset, { maxBytes })
      if (batch === undefined) continue
      const codec = this.#codecs?.of(name)
      const loading = codec?.prepare(batch)
      if (loading !== undefined) await loading
      more = true
      this.#offsets[partition] = batch.nextOffset
      for (let index = 0; index < batch.count; index++) {
        try {
          const value = decodeValue(batch, index, schema, codec)
          if (value !== deleted) this.#follower.take(value, batch.times[index]!)
        } catch {
          this.#follower.miss()
        }
      }
    }
    return more
  }
}
