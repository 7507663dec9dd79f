/** What bench/windows.ts works on: payments made from a seed, with keys, event times and some disorder. */
import type { Batch } from '../src/core/batch.ts'
import { BatchBuilder } from '../src/core/batch-builder.ts'
import { seededRandom } from '../src/core/random.ts'
import { murmur2 } from '../src/log/partitioner.ts'

export const partitions = 4
export const minuteMs = 60_000
/** Of event time, how far a message may be behind those before it; what windows wait is more. */
const disorderMs = 2000
/** As a producer that lingers sends them. */
const batchMessages = 1000

export interface Load {
  readonly messages: number
  readonly keys: number
  /** The share of messages that one key has; the others have the rest in equal parts. */
  readonly hotShare: number
  /** Every key once before any comes again, instead of by chance. */
  readonly isEach: boolean
  /** Event time of the first message. */
  readonly startMs: number
  /** By which it goes on with each message. */
  readonly stepMs: number
  /** What was made before: the first message has this number. */
  readonly from: number
}

/** An hour of them is kept, so where every key comes once all have to be within less. */
const longestMs = 20 * minuteMs

/** Ends in the past, so that no clock takes it for the future, and begins with a minute. */
export function loadOf(messages: number, keys: number, isEach = false): Load {
  const stepMs = isEach ? Math.min(1, longestMs / messages) : 1
  const lengthMs = Math.ceil(messages * stepMs)
  const startMs = Math.floor((Date.now() - lengthMs - 20 * minuteMs) / minuteMs) * minuteMs
  return { messages, keys, hotShare: isEach ? 0 : 0.05, isEach, startMs, stepMs, from: 0 }
}

/** Calls back with the key's number, the amount in cents and the event time of each message. */
function each(load: Load, take: (key: number, cents: number, timeMs: number) => void): void {
  const random = seededRandom(7 + load.from)
  for (let index = load.from; index < load.from + load.messages; index++) {
    const isHot = random() < load.hotShare
    const chosen = load.isEach ? index % load.keys : 1 + Math.floor(random() * (load.keys - 1))
    const cents = 100 + Math.floor(random() * 20_000)
    const behindMs = Math.floor(random() * disorderMs)
    take(isHot ? 0 : chosen, cents, load.startMs + Math.floor(index * load.stepMs) - behindMs)
  }
}

/** The messages as batches of one partition each, in the order in which they are to be written. */
export function batchesOf(load: Load, topic: string): Batch[] {
  const batches: Batch[] = []
  const builders = Array.from({ length: partitions }, (_, at) => new BatchBuilder(topic, at))
  each(load, (number, cents, timeMs) => {
    const card = `card-${String(number).padStart(8, '0')}`
    const key = Buffer.from(card)
    const value = `{"card":"${card}","amount":${cents / 100},"terminal":"terminal-${cents % 500}"}`
    const partition = (murmur2(key) & 0x7fffffff) % partitions
    const builder = builders[partition]!
    builder.append(key, value, timeMs)
    if (builder.count < batchMessages) return
    batches.push(builder.build())
    builders[partition] = new BatchBuilder(topic, partition)
  })
  for (const builder of builders) if (builder.count > 0) batches.push(builder.build())
  return batches
}

/** By start of a minute, how many messages are in it. */
export function minutesOf(load: Load): Map<number, number> {
  const minutes = new Map<number, number>()
  each(load, (_, __, timeMs) => {
    const startMs = Math.floor(timeMs / minuteMs) * minuteMs
    minutes.set(startMs, (minutes.get(startMs) ?? 0) + 1)
  })
  return minutes
}
