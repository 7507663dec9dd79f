/**
 * An input whose messages are taken a part at a time, in an order with others: what was read and not
 * taken yet lies here. Its checkpoints know only of what was taken.
 */
import { type Batch, partOf } from '../core/batch.ts'
import type { Clock } from '../core/clock.ts'
import { PartitionWatermark } from '../transforms/watermark.ts'
import type { PipelineSettings } from './definition.ts'
import { alwaysLate, neverLate, passedWatermark } from './event-time.ts'
import { isRepartition } from './internal-names.ts'
import type { LaneInput, Read } from './lane-input.ts'

export interface PartedInput extends LaneInput {
  /** Of messages that came through a topic of the pipeline's own. */
  readonly isPassing: boolean
  /** True: something lies here. Reads on where nothing does. */
  fill(): Promise<boolean>
  /** Messages that lie here; 0 where only a gap was read. */
  count(): number
  /** When the next message that lies here came, by event time: see `arrivalsOf`. */
  nextMs(): number
  /** Takes what came before a time, `andThen` also; the next message at least. */
  take(untilMs: number, andThen: boolean): Read
}

export interface PartedOptions {
  readonly settings: PipelineSettings
  readonly clock: Clock
}

export function partedInput(input: LaneInput, { settings, clock }: PartedOptions): PartedInput {
  const isPassing = isRepartition(input.topic)
  const { maxSkewMs } = settings
  const knownMs = input.time?.atMs ?? neverLate
  const savedMs = Number.isFinite(knownMs) && !isPassing ? knownMs : null
  const watermark = new PartitionWatermark({ outOfOrderMs: 0, maxSkewMs }, savedMs)
  let lying: Read | undefined
  let arrivals: Float64Array = new Float64Array()
  let from = 0
  let offset = input.offset()
  const part = (read: Read, to: number): Read => {
    const batch = partOf(read.batch, from, to)
    // What was lost was lost before the first.
    const expired = from === 0 ? read.expired : 0
    const { count, bytes } = read.batch
    const sizeBytes = count === 0 ? 0 : (bytes.length * batch.count) / count
    const taken = { batch, unreadable: [], offset: batch.nextOffset, expired, sizeBytes }
    offset = batch.nextOffset
    from = to
    if (to === count) lying = undefined
    return taken
  }
  const fill = async () => {
    if (lying !== undefined) return true
    lying = await input.read()
    if (lying === undefined) return false
    from = 0
    arrivals = arrivalsOf(lying.batch, isPassing ? undefined : watermark, clock.now())
    return true
  }
  return {
    ...input,
    isPassing,
    fill,
    offset: () => offset,
    count: () => (lying === undefined ? 0 : lying.batch.count - from),
    nextMs: () => arrivals[from]!,
    take(untilMs, andThen) {
      const { count } = lying!.batch
      let to = Math.min(from + 1, count)
      while (to < count && (arrivals[to]! < untilMs || (andThen && arrivals[to] === untilMs))) to++
      return part(lying!, to)
    },
    async read() {
      return (await fill()) ? part(lying!, lying!.batch.count) : undefined
    },
  }
}

/**
 * By message, how far event time had come where it came from when it came: its own time, or that of
 * an earlier message which was later. So a message out of order keeps its place among those of other
 * inputs, whenever they are read. A time that is not believed counts for nothing.
 */
function arrivalsOf(
  batch: Batch,
  watermark: PartitionWatermark | undefined,
  nowMs: number,
): Float64Array {
  const arrivals = new Float64Array(batch.count)
  for (let index = 0; index < batch.count; index++) {
    const timeMs = batch.times[index]!
    if (watermark !== undefined) {
      watermark.observe(timeMs, nowMs)
      arrivals[index] = watermark.atMs
    } else {
      const beforeMs = passedWatermark(batch, index)
      arrivals[index] = beforeMs === alwaysLate ? neverLate : Math.max(beforeMs, timeMs)
    }
  }
  return arrivals
}
