/**
 * Reads a topic from its end backwards, the newest message over all partitions first, and stops at
 * bounds of number, time and bytes: however much there is, a look costs little.
 */
import type { Batch } from '../core/batch.ts'
import { idOf } from '../core/identity.ts'
import type { Log, TopicInfo } from '../log/log.ts'
import type { Lineage } from './message-lineage.ts'
import type { Searched } from './state.ts'

/** Which messages are looked for; all of them where nothing is said. */
export interface Wanted {
  readonly key?: string | undefined
  readonly id?: string | undefined
  /** By their ids: a message, what it was made of and what was made of it. */
  readonly lineage?: Lineage
  readonly isWanted?: Test
}

type Test = (batch: Batch, index: number) => boolean

/** What a search may still cost; one may serve several topics. */
export class Budget {
  readonly #nowMs: () => number
  readonly #untilMs: number
  readonly #whole: Budget | undefined
  #bytesLeft: number
  messages = 0
  bytes = 0

  /** `whole`: what this one is a part of. */
  constructor(
    { forMs, bytes }: { forMs: number; bytes: number },
    nowMs = () => performance.now(),
    whole?: Budget,
  ) {
    this.#nowMs = nowMs
    this.#whole = whole
    this.#untilMs = nowMs() + forMs
    this.#bytesLeft = bytes
  }

  get isSpent(): boolean {
    return this.#bytesLeft <= 0 || this.#nowMs() > this.#untilMs
  }

  /** One of `parts` equal parts of what is left; what it spends this one has spent. */
  share(parts: number): Budget {
    const forMs = (this.#untilMs - this.#nowMs()) / parts
    return new Budget({ forMs, bytes: this.#bytesLeft / parts }, this.#nowMs, this)
  }

  spend(batch: Batch): void {
    this.#whole?.spend(batch)
    this.messages += batch.count
    this.bytes += batch.bytes.length
    this.#bytesLeft -= batch.bytes.length
  }
}

export interface Found {
  readonly batch: Batch
  readonly index: number
}

export interface SearchResult {
  /** The newest first. */
  readonly found: readonly Found[]
  /** By partition, the offset before which to go on; undefined: nothing is left. */
  readonly before: readonly number[] | undefined
  readonly searched: Searched
}

/** So many messages of a partition are read whatever they cost: each call comes further. */
const firstWindow = 16
const largestWindow = 16_384
const readBytes = 256 * 1024

/** Searches a topic before the given offsets (default: its ends), for at most `limit` messages. */
export async function searchBackwards(
  log: Log,
  topic: TopicInfo,
  wanted: Wanted,
  limit: number,
  budget: Budget,
  before?: readonly number[],
): Promise<SearchResult> {
  const test = testOf(wanted)
  const tails = await Promise.all(
    Array.from({ length: topic.partitions }, async (_, partition) => {
      const { start, end } = await log.offsets(topic.name, partition)
      return new Tail(log, topic.name, partition, start, Math.min(end, before?.[partition] ?? end))
    }),
  )
  const found: Found[] = []
  while (found.length < limit) {
    for (const tail of tails) await tail.fill(test, budget)
    // Which is newest can only be said when every partition has one, or has none left.
    if (tails.some((tail) => !tail.isReady)) break
    const next = newestOf(tails)
    if (next === undefined) break
    found.push(next.take())
  }
  const isOver = tails.every((tail) => tail.isOver)
  const { messages, bytes } = budget
  return {
    found,
    before: isOver ? undefined : tails.map((tail) => tail.before),
    searched: { messages, bytes, isComplete: isOver || found.length >= limit },
  }
}

/** The end of one partition, read back a window at a time. */
class Tail {
  readonly #log: Log
  readonly #topic: string
  readonly #partition: number
  readonly #start: number
  /** Everything from here on was read. */
  #upper: number
  #window = firstWindow
  /** Read and not taken, the newest last. */
  #waiting: Found[] = []

  constructor(log: Log, topic: string, partition: number, start: number, end: number) {
    this.#log = log
    this.#topic = topic
    this.#partition = partition
    this.#start = start
    this.#upper = end
  }

  get isReady(): boolean {
    return this.#waiting.length > 0 || this.#upper <= this.#start
  }

  get isOver(): boolean {
    return this.#waiting.length === 0 && this.#upper <= this.#start
  }

  /** The offset before which nothing was taken. */
  get before(): number {
    const newest = this.#waiting.at(-1)
    return newest === undefined ? this.#upper : newest.batch.offsets[newest.index]! + 1
  }

  get newestMs(): number {
    const newest = this.#waiting.at(-1)!
    return newest.batch.times[newest.index]!
  }

  get hasWaiting(): boolean {
    return this.#waiting.length > 0
  }

  take(): Found {
    return this.#waiting.pop()!
  }

  /** Reads back until something fits, the start is reached or the budget is spent. */
  async fill(test: Test, budget: Budget): Promise<void> {
    while (!this.isReady && !budget.isSpent) {
      const lower = Math.max(this.#start, this.#upper - this.#window)
      const rest: Found[] = []
      let offset = lower
      while (offset < this.#upper) {
        if (budget.isSpent && this.#window > firstWindow) return
        const options = { maxBytes: readBytes }
        const batch = await this.#log.read(this.#topic, this.#partition, offset, options)
        if (batch === undefined) break
        budget.spend(batch)
        for (let index = 0; index < batch.count; index++) {
          const at = batch.offsets[index]!
          if (at >= lower && at < this.#upper && test(batch, index)) rest.push({ batch, index })
        }
        offset = batch.nextOffset
      }
      this.#waiting = rest
      this.#upper = lower
      this.#window = Math.min(this.#window * 4, largestWindow)
    }
  }
}

function newestOf(tails: readonly Tail[]): Tail | undefined {
  const waiting = tails.filter((tail) => tail.hasWaiting)
  if (waiting.length === 0) return undefined
  return waiting.reduce((newest, tail) => (tail.newestMs > newest.newestMs ? tail : newest))
}

function testOf({ key, id, lineage, isWanted }: Wanted): Test {
  const bytes = key === undefined ? undefined : Buffer.from(key)
  return (batch, index) => {
    if (bytes !== undefined && !hasKey(batch, index, bytes)) return false
    if (id !== undefined && idOf(batch, index) !== id) return false
    if (lineage !== undefined && !lineage.has(idOf(batch, index))) return false
    return isWanted === undefined || isWanted(batch, index)
  }
}

function hasKey(batch: Batch, index: number, key: Buffer): boolean {
  const start = batch.keyStarts[index]!
  const end = batch.keyEnds[index]!
  if (start < 0 || end - start !== key.length) return false
  return batch.bytes.compare(key, 0, key.length, start, end) === 0
}
