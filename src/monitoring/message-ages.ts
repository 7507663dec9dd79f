/**
 * How old the oldest message is that a reader has not worked on yet: lag in seconds. One message is
 * looked at, at the committed position, and seldom: nothing else of a topic is read for it.
 */
import type { Log, TopicPartition } from '../log/log.ts'

/** Where a reader stands in a partition. */
export interface ReadPlace extends TopicPartition {
  /** The next offset that it reads. */
  readonly position: number
  /** Where the partition ends; a reader that stands there has caught up. */
  readonly end: number
}

interface Seen {
  readonly position: number
  /** Undefined: it had caught up since, or there was none. */
  readonly timeMs: number | undefined
  readonly lookedAtMs: number
}

/** A position that moves on is looked at anew no more often. */
const everyMs = 5000
/** A position that stands still too: its topic may have been made anew. */
const againMs = 60_000
/** At one time; the others have their turn at the next. */
const mostReads = 64
/** Gaps behind a position: markers of transactions, what was aborted or compacted away. */
const mostGaps = 4

/** The time of the first message at or behind an offset; undefined: there is none yet. */
export async function timeAt(
  log: Pick<Log, 'read'>,
  { topic, partition, position }: Omit<ReadPlace, 'end'>,
): Promise<number | undefined> {
  let offset = position
  for (let gaps = 0; gaps < mostGaps; gaps++) {
    const batch = await log.read(topic, partition, offset, { maxBytes: 1 })
    if (batch === undefined) return undefined
    if (batch.count > 0) return batch.times[0]
    offset = batch.nextOffset
  }
  return undefined
}

/** Seconds since a message's time; 0 for one of the future, and where there is none. */
export const ageSeconds = (nowMs: number, timeMs: number | undefined): number =>
  timeMs === undefined ? 0 : Math.max(0, nowMs - timeMs) / 1000

export class MessageAges {
  readonly #log: Pick<Log, 'read'>
  readonly #seen = new Map<string, Seen>()

  constructor(log: Pick<Log, 'read'>) {
    this.#log = log
  }

  /**
   * In seconds, in the order of `places`; `reader` names whose they are. 0 where it has caught up, and
   * for a moment after that. Between two looks at a position that moves on, the age is that of the
   * message which stood at the earlier one, so that it is not told too low. A partition that cannot be
   * read keeps what was known of it. Forgets places that are no more among those of a reader.
   */
  async of(reader: string, places: readonly ReadPlace[], nowMs: number): Promise<number[]> {
    const names = places.map(({ topic, partition }) => `${reader} ${topic}/${partition}`)
    const due: { readonly name: string; readonly place: ReadPlace; readonly sinceMs: number }[] = []
    for (const [index, place] of places.entries()) {
      const name = names[index]!
      const seen = this.#seen.get(name)
      if (place.position >= place.end) {
        if (seen !== undefined) this.#seen.set(name, { ...seen, timeMs: undefined })
        continue
      }
      const sinceMs = seen?.lookedAtMs ?? 0
      const isSame = seen?.position === place.position && seen.timeMs !== undefined
      if (nowMs - sinceMs >= (isSame ? againMs : everyMs)) due.push({ name, place, sinceMs })
    }
    due.sort((a, b) => a.sinceMs - b.sinceMs)
    const looks = due.slice(0, mostReads).map(({ name, place }) => this.#look(name, place, nowMs))
    await Promise.all(looks)
    this.#forgetOthers(reader, new Set(names))
    return names.map((name) => ageSeconds(nowMs, this.#seen.get(name)?.timeMs))
  }

  async #look(name: string, place: ReadPlace, nowMs: number): Promise<void> {
    const { position } = place
    const before = this.#seen.get(name)?.timeMs
    const timeMs = await timeAt(this.#log, place).catch(() => before)
    this.#seen.set(name, { position, timeMs, lookedAtMs: nowMs })
  }

  #forgetOthers(reader: string, names: ReadonlySet<string>): void {
    for (const name of this.#seen.keys()) {
      if (name.startsWith(`${reader} `) && !names.has(name)) this.#seen.delete(name)
    }
  }
}
