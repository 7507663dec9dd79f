/**
 * Inputs of a lane that are read together in the order of event time: the message goes first that came
 * first. One input of which nothing is here holds the others where something earlier may come of it.
 */
import type { Log } from '../log/log.ts'
import type { LaneInput, Read } from './lane-input.ts'
import type { PartedInput } from './parted-input.ts'

/** So long an input is waited for at most that has more, which does not come. */
const behindMs = 10_000
/** So many parts are taken one after the other before others have a turn. */
const mostParts = 64

export interface Taken {
  readonly input: LaneInput
  readonly read: Read
  /** It was here already, so nobody else had a turn; now and then somebody should. */
  readonly wasHere: boolean
}

export interface LaneOrderOptions {
  readonly log: Log
  /** Of messages that came at the same time, those of an earlier input go first. */
  readonly inputs: readonly PartedInput[]
  /** So long an input is waited for that has nothing more to read. */
  readonly maxWaitMs: number
  /** Tries again what asks to be tried later. */
  retry<Result>(what: string, work: () => Promise<Result>): Promise<Result>
}

/** Nothing is here of an input, although others have something. */
interface Empty {
  readonly sinceMs: number
  /** What was written by then; of messages that this pipeline sends, that is told otherwise. */
  readonly end: number
}

export class LaneOrder {
  readonly #options: LaneOrderOptions
  readonly #empty = new Map<PartedInput, Empty>()
  #parts = 0

  constructor(options: LaneOrderOptions) {
    this.#options = options
  }

  /** The next messages, as many as come before those of the other inputs. Undefined: none, or not yet. */
  async take(): Promise<Taken | undefined> {
    const { inputs, retry } = this.#options
    let first: PartedInput | undefined
    let second: PartedInput | undefined
    let wasHere = ++this.#parts % mostParts !== 0
    const empty: PartedInput[] = []
    for (const input of inputs) {
      if (input.count() === 0) {
        wasHere = false
        if (!(await retry(`read ${input.topic}`, input.fill))) {
          empty.push(input)
          continue
        }
        // A gap, which is moved past.
        if (input.count() === 0) return { input, read: input.take(0, false), wasHere }
      }
      this.#empty.delete(input)
      if (first === undefined || input.nextMs() < first.nextMs()) {
        second = first
        first = input
      } else if (second === undefined || input.nextMs() < second.nextMs()) second = input
    }
    if (first === undefined) return undefined
    let untilMs = second?.nextMs() ?? Number.POSITIVE_INFINITY
    let andThen = second === undefined || inputs.indexOf(first) < inputs.indexOf(second)
    for (const input of empty) {
      if (await this.#isAwaited(input, first.nextMs())) return undefined
      // As much as was asked for, and what may still be sent comes behind that.
      const sentMs = input.isPassing ? input.time!.sentMs : Number.POSITIVE_INFINITY
      if (sentMs >= untilMs || sentMs < first.nextMs()) continue
      untilMs = sentMs
      andThen = true
    }
    return { input: first, read: first.take(untilMs, andThen), wasHere }
  }

  /** True where something of an input may come that came before a time, and not all patience is gone. */
  async #isAwaited(input: PartedInput, timeMs: number): Promise<boolean> {
    const { log, maxWaitMs, retry } = this.#options
    const { topic, partition, isPassing, time } = input
    let empty = this.#empty.get(input)
    if (empty === undefined) {
      const end = isPassing
        ? 0
        : await retry(`ends of ${topic}`, () => log.writtenEnd(topic, partition))
      empty = { sinceMs: performance.now(), end }
      this.#empty.set(input, empty)
    }
    const sentMs = isPassing ? time!.sentMs : Number.POSITIVE_INFINITY
    if (sentMs >= timeMs && sentMs < Number.POSITIVE_INFINITY) return false
    const isBehind = isPassing ? sentMs < timeMs : input.offset() < empty.end
    const waitMs = isBehind ? Math.max(behindMs, maxWaitMs) : maxWaitMs
    return performance.now() - empty.sinceMs < waitMs
  }
}
