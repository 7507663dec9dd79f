/**
 * How many messages topics hold. Compaction leaves gaps between offsets: there what is stored is
 * counted, now and then, and what came since is added.
 */
import type { Log, OffsetRange, TopicInfo } from '../log/log.ts'

const countEveryMs = 5000
/** A log that has to read all to count it is asked more seldom: this many times what it took. */
const restsPerWork = 50

interface Counted {
  readonly identity: string
  readonly againAtMs: number
  readonly messages: number
  /** Of all partitions, when it was counted. */
  readonly ends: number
}

export class TopicCounts {
  readonly #counted = new Map<string, Counted>()

  /** For each topic by name; `ranges` are its partitions'. Forgets topics that are gone. */
  async look(
    log: Log,
    topics: readonly TopicInfo[],
    ranges: ReadonlyMap<string, readonly OffsetRange[]>,
    nowMs: number,
  ): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>()
    for (const topic of topics) {
      counts.set(topic.name, await this.#of(log, topic, ranges.get(topic.name) ?? [], nowMs))
    }
    for (const name of this.#counted.keys()) if (!counts.has(name)) this.#counted.delete(name)
    return counts
  }

  async #of(
    log: Log,
    { name, identity, cleanup }: TopicInfo,
    ranges: readonly OffsetRange[],
    nowMs: number,
  ): Promise<number> {
    if (cleanup === 'delete') return sum(ranges.map(({ start, end }) => end - start))
    const ends = sum(ranges.map(({ end }) => end))
    const known = this.#counted.get(name)
    const isNew = known?.identity === identity && nowMs < known.againAtMs
    if (isNew && ends >= known.ends) return known.messages + ends - known.ends
    const startedMs = performance.now()
    const messages = sum(
      await Promise.all(
        ranges.map((range, partition) =>
          range.start < range.end ? log.count(name, partition, range) : 0,
        ),
      ),
    )
    const restMs = Math.max(countEveryMs, (performance.now() - startedMs) * restsPerWork)
    this.#counted.set(name, { identity, againAtMs: nowMs + restMs, messages, ends })
    return messages
  }
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0)
