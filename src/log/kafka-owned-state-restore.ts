/**
 * Brings a local copy up to the end of its changelog. Messages are put in the order of their keys, many
 * at once: so a page of the file is written once for many of them, which is what a restore takes long
 * for.
 */
import type { Batch } from '../core/batch.ts'
import type { Clock } from '../core/clock.ts'
import { DecidedWait } from './kafka-decided-end.ts'
import type { CopyPlace, StateFile } from './kafka-owned-state-file.ts'
import type { Log } from './log.ts'

export interface RestoreOptions {
  readonly file: StateFile
  readonly topic: string
  readonly partition: number
  readonly identity: string
  /** Behind the last message to be restored: all before it is decided. */
  readonly end: number
  /** When the end was asked for. */
  readonly askedAtMs: number
  readonly read: Log['read']
  readonly clock: Clock
  /** After so much is read it is put; default 24 MiB, and more for a large copy. */
  readonly stepBytes?: number | undefined
  /** Deletes that came after what the copy has may be gone: where there is any change it is made anew. */
  readonly isTooOld: boolean
  /** After each step: where it began and what it has reached. */
  onPosition(from: number, position: number): void
}

/** A stretch of a batch. */
interface Slice {
  readonly batch: Batch
  readonly from: number
  readonly to: number
}

const readBytes = 1024 * 1024
/** Numbers of messages in a step take 20 bits, see `inOrder`. */
const mostMessages = 2 ** 20
/** A large copy has many pages, so that it takes larger steps for many of their changes to be on one. */
const smallStepBytes = 24 * 1024 * 1024
const largeStepBytes = 64 * 1024 * 1024
const stepShare = 1 / 4
/** One puts while the other waits for its broker. */
const mostRestores = 2
/** Others have a turn in between. */
const messagesInTurn = 5_000

/** What is read waits in memory to be put: so some restores go at a time, and the others after them. */
export class RestoreTurns {
  readonly #waiting: (() => void)[] = []
  #free = mostRestores

  async take(work: () => Promise<void>): Promise<void> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }
}

export async function restore(options: RestoreOptions): Promise<void> {
  const { file, topic, partition, end, read, clock } = options
  const waiting = new DecidedWait(clock, topic, partition)
  let { isTooOld } = options
  let filling = new Filling(options)
  while (filling.position < end) {
    const { position } = filling
    const batch = await read(topic, partition, position, { maxBytes: readBytes })
    if (batch === undefined) {
      await waiting.wait(position)
      continue
    }
    const slices = slicesOf(batch, end)
    if (isTooOld && slices.length > 0 && position > 0) {
      isTooOld = false
      file.clear()
      filling = new Filling(options)
      continue
    }
    for (const slice of slices) await filling.add(slice)
    filling.position = Math.min(end, batch.nextOffset)
  }
  await filling.end()
}

/** One way from where a copy stands to the end. */
class Filling {
  readonly #options: RestoreOptions
  readonly #from: number
  readonly #wholeAtMs: number
  #step = new Step()
  #readBytes = 0
  /** The offset from which to read on. */
  position: number

  constructor(options: RestoreOptions) {
    const { file, askedAtMs } = options
    const { position, wholeAtMs } = file.place
    this.#options = options
    this.#from = position
    this.position = position
    // Until it is whole again, the copy is as old as when it was; a new one begins to be so now.
    this.#wholeAtMs = position === 0 ? askedAtMs : wholeAtMs
    file.isFilling = true
  }

  async add(slice: Slice): Promise<void> {
    if (!this.#step.hasRoomFor(slice, this.#stepBytes())) {
      await this.#put(slice.batch.offsets[slice.from]!, this.#wholeAtMs)
    }
    this.#step.add(slice)
    this.#readBytes += slice.batch.bytes.length
  }

  #stepBytes(): number {
    const share = this.#readBytes * stepShare
    return this.#options.stepBytes ?? Math.min(largeStepBytes, Math.max(smallStepBytes, share))
  }

  async end(): Promise<void> {
    const { file, end, askedAtMs } = this.#options
    await this.#put(end, askedAtMs)
    file.isFilling = false
  }

  /** What was added; all before `position` is in the copy then. */
  async #put(position: number, wholeAtMs: number): Promise<void> {
    const { file, identity, onPosition } = this.#options
    await this.#step.putInto(file, { identity, position, wholeAtMs })
    this.#step = new Step()
    onPosition(this.#from, position)
  }
}

/** No further than `end`: what is behind it may be a part of a commit. */
function slicesOf(batch: Batch, end: number): Slice[] {
  let { count } = batch
  while (count > 0 && batch.offsets[count - 1]! >= end) count--
  const slices: Slice[] = []
  for (let from = 0; from < count; from += mostMessages) {
    slices.push({ batch, from, to: Math.min(count, from + mostMessages) })
  }
  return slices
}

/** Messages that are put in one transaction. */
class Step {
  readonly #slices: Slice[] = []
  #sizeBytes = 0
  count = 0

  hasRoomFor({ from, to }: Slice, stepBytes: number): boolean {
    if (this.count === 0) return true
    return this.count + to - from <= mostMessages && this.#sizeBytes < stepBytes
  }

  add(slice: Slice): void {
    this.#slices.push(slice)
    this.count += slice.to - slice.from
    this.#sizeBytes += slice.batch.bytes.length
  }

  async putInto(file: StateFile, place: CopyPlace): Promise<void> {
    file.beginChange()
    try {
      const order = this.#inOrder()
      let slice = 0
      const starts = this.#starts()
      for (let index = 0; index < order.length; index++) {
        const number = order[index]! % mostMessages
        while (number < starts[slice]!) slice--
        while (number >= starts[slice + 1]!) slice++
        const { batch, from } = this.#slices[slice]!
        file.put(batch, from + number - starts[slice]!)
        if (index % messagesInTurn === messagesInTurn - 1) {
          await new Promise((resolve) => setImmediate(resolve))
        }
      }
      file.endChange(place)
    } catch (error) {
      file.dropChange()
      throw error
    }
  }

  /** The number of the first message of each slice, and behind the last. */
  #starts(): number[] {
    const starts = [0]
    for (const { from, to } of this.#slices) starts.push(starts.at(-1)! + to - from)
    return starts
  }

  /**
   * Numbers of messages, by their keys: 33 bits of the key where keys begin to differ, then 20 of the
   * message's number. Keys that agree in those bits keep the order of the messages, so that the last
   * change of a key is put last whatever the order of others.
   */
  #inOrder(): Float64Array {
    const order = new Float64Array(this.count)
    const skipped = this.#commonBytes()
    let number = 0
    for (const { batch, from, to } of this.#slices) {
      for (let index = from; index < to; index++) {
        order[number] = beginOf(batch, index, skipped) * mostMessages + number
        number++
      }
    }
    return order.sort()
  }

  /** How many bytes all keys begin with alike. */
  #commonBytes(): number {
    const [first] = this.#slices
    if (first === undefined) return 0
    const { bytes } = first.batch
    const start = first.batch.keyStarts[first.from]!
    let common = first.batch.keyEnds[first.from]! - start
    for (const { batch, from, to } of this.#slices) {
      for (let index = from; index < to && common > 0; index++) {
        const at = batch.keyStarts[index]!
        common = Math.min(common, batch.keyEnds[index]! - at)
        let same = 0
        while (same < common && batch.bytes[at + same] === bytes[start + same]) same++
        common = same
      }
    }
    return common
  }
}

/** 33 bits of a key, from a byte on. */
function beginOf({ bytes, keyStarts, keyEnds }: Batch, index: number, skipped: number): number {
  const at = keyStarts[index]! + skipped
  const end = keyEnds[index]!
  let begin = 0
  for (let byte = 0; byte < 4; byte++)
    begin = begin * 256 + (at + byte < end ? bytes[at + byte]! : 0)
  return begin * 2 + (at + 4 < end ? bytes[at + 4]! >> 7 : 0)
}
