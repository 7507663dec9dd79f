/** Counts the dead letters that wait, by reading what comes to their topics and no byte twice. */
import type { Batch } from '../core/batch.ts'
import type { Log, TopicInfo } from '../log/log.ts'

const bytesPerLook = 8 * 1024 * 1024
/** So many keys are told apart; of more, each message counts as one. */
const mostKeys = 500_000

interface Counted {
  readonly identity: string
  readonly offsets: number[]
  readonly keys: Set<string>
  beyond: number
}

export class DeadLetterCount {
  readonly #topics = new Map<string, Counted>()

  /** Reads on, a bounded stretch. Right once all that there is was read. */
  async look(log: Log, topics: readonly TopicInfo[]): Promise<void> {
    let bytesLeft = bytesPerLook
    for (const topic of topics) {
      let counted = this.#topics.get(topic.name)
      if (counted === undefined || counted.identity !== topic.identity) {
        const offsets = new Array<number>(topic.partitions).fill(0)
        counted = { identity: topic.identity, offsets, keys: new Set(), beyond: 0 }
        this.#topics.set(topic.name, counted)
      }
      for (const partition of counted.offsets.keys()) {
        while (bytesLeft > 0) {
          const batch = await log.read(topic.name, partition, counted.offsets[partition]!)
          if (batch === undefined) break
          bytesLeft -= batch.bytes.length
          count(counted, batch)
          counted.offsets[partition] = batch.nextOffset
        }
      }
    }
  }

  of(topic: string): number {
    const counted = this.#topics.get(topic)
    return counted === undefined ? 0 : counted.keys.size + counted.beyond
  }
}

function count(counted: Counted, batch: Batch): void {
  const { keys } = counted
  for (let index = 0; index < batch.count; index++) {
    const start = batch.keyStarts[index]!
    const text = start < 0 ? '' : batch.bytes.toString('latin1', start, batch.keyEnds[index]!)
    const key = `${batch.partition}/${text}`
    if (batch.valueStarts[index]! < 0) {
      if (!keys.delete(key) && counted.beyond > 0) counted.beyond--
    } else if (keys.size < mostKeys) keys.add(key)
    else if (!keys.has(key)) counted.beyond++
  }
}
