/**
 * Event time in a lane: finds out how far it has come in each segment of the pipeline and partition of
 * the lane, and has the windows there closed up to that.
 */
import type { Clock } from '../core/clock.ts'
import type { Log } from '../log/log.ts'
import { JointWatermark } from '../transforms/watermark.ts'
import type { Definition } from './definition.ts'
import { isRepartition } from './internal-names.ts'
import type { LaneInput } from './lane-input.ts'
import { type Segment, segmentsOf } from './segments.ts'
import type { Ended, Sample, UpstreamTime } from './upstream-time.ts'

export interface LaneTimeOptions {
  readonly definition: Definition
  readonly log: Log
  readonly clock: Clock
  readonly inputs: readonly LaneInput[]
  readonly upstream: UpstreamTime
  ended(): Ended | undefined
}

/** Windows that event time has to be told to. */
export interface Due {
  readonly segment: Segment
  readonly partition: number
  /** What is done for it counts as done for this one. */
  readonly input: LaneInput
  readonly atMs: number
  /** Undefined: there may be more to come. */
  readonly ended: Ended | undefined
}

/** A segment in one partition. */
interface Place {
  readonly segment: Segment
  readonly number: number
  readonly partition: number
  readonly inputs: readonly LaneInput[]
  /** Of messages with a key of their own making, which others of this pipeline send. */
  readonly passing: LaneInput | undefined
  /** The others: topics that are read for themselves. */
  readonly primary: readonly LaneInput[]
  /** Of the primary ones. */
  readonly joint: JointWatermark
  /** By primary input, how far it was read when that was last looked at, and when that had changed. */
  readonly offsets: number[]
  readonly changedAtMs: number[]
  /** To be taken for its own once its input was read up to there. */
  pending: { readonly sample: Sample; readonly end: number } | undefined
  atMs: number
  /** The end that it was told of. */
  ended: Ended | undefined
  /** Told to the windows; undefined: nothing yet. */
  toldMs: number | undefined
  quietAskedAtMs: number
}

const lookEveryMs = 100
const askForQuietEveryMs = 1000

export class LaneTime {
  readonly #options: LaneTimeOptions
  readonly #places: readonly Place[]
  #lookedAtMs = -Infinity

  constructor(options: LaneTimeOptions) {
    this.#options = options
    const nowMs = options.clock.now()
    const segments = segmentsOf(options.definition)
    this.#places = segments.flatMap((segment, number) => {
      if (!segment.isTimed) return []
      return placesIn(options, segment, number, nowMs)
    })
  }

  /** What is next to be told; `told` says that it was. Cheap where nothing has moved. */
  async next(): Promise<Due | undefined> {
    const nowMs = this.#options.clock.now()
    if (nowMs - this.#lookedAtMs >= lookEveryMs) {
      this.#lookedAtMs = nowMs
      for (const place of this.#places) await this.#look(place, nowMs)
    }
    for (const place of this.#places) {
      adopt(place)
      observe(place, nowMs)
      if (!isDue(place)) continue
      const { segment, partition, atMs, ended } = place
      return { segment, partition, input: place.inputs[0]!, atMs, ended }
    }
    return undefined
  }

  /** The windows are closed. The inputs of which a checkpoint has something new to say. */
  told({ segment, partition, atMs, ended }: Due): readonly LaneInput[] {
    const place = this.#places.find(
      (one) => one.segment === segment && one.partition === partition,
    )!
    place.toldMs = atMs
    for (const { time } of place.inputs) {
      time!.closed(atMs)
      if (ended !== undefined) time!.endedToken = ended.token
    }
    return place.inputs
  }

  /** Asks how far those before have come, and where this lane has to read to for it to be true here. */
  async #look(place: Place, nowMs: number): Promise<void> {
    const { log, upstream, ended } = this.#options
    await this.#lookForQuiet(place, nowMs)
    const { passing } = place
    if (passing === undefined) {
      place.ended = ended()
      return
    }
    if (place.pending !== undefined) return
    const sample = (await upstream.sample())[place.number]
    if (sample === undefined) return
    const isNew =
      sample.atMs > passing.time!.atMs ||
      sample.sentMs !== passing.time!.sentMs ||
      sample.ended?.token !== place.ended?.token
    if (!isNew) return
    const end = await log.writtenEnd(passing.topic, passing.partition)
    place.pending = { sample, end }
  }

  /** An input that says nothing is idle only where nothing of it waits to be read. */
  async #lookForQuiet(place: Place, nowMs: number): Promise<void> {
    const { log, definition } = this.#options
    if (nowMs - place.quietAskedAtMs < askForQuietEveryMs) return
    place.quietAskedAtMs = nowMs
    const { idleMs } = definition.settings
    const quiet = place.primary.filter((_, index) => nowMs - place.changedAtMs[index]! >= idleMs)
    for (const input of quiet) {
      const { start, end } = await log.offsets(input.topic, input.partition)
      if (Math.max(input.offset(), start) < end) return
    }
    if (quiet.length > 0) place.joint.tick(nowMs)
  }
}

/** What those before told is true here, once what they had sent by then was read. */
function adopt(place: Place): void {
  const { pending, passing } = place
  if (pending === undefined || passing!.offset() < pending.end) return
  place.pending = undefined
  place.ended = pending.sample.ended
  passing!.time!.adopt(pending.sample.atMs)
  passing!.time!.sentMs = pending.sample.sentMs
}

/** Topics that are read for themselves are as far as what was read of them. */
function observe(place: Place, nowMs: number): void {
  const { primary, passing, joint, offsets, changedAtMs, ended } = place
  for (const [index, input] of primary.entries()) {
    const offset = input.offset()
    if (offset === offsets[index]) continue
    offsets[index] = offset
    changedAtMs[index] = nowMs
    if (input.time!.atMs > -Infinity) joint.advance(index, input.time!.atMs, nowMs)
  }
  // At the end nobody waits for those that had no message.
  const known = primary.map(({ time }) => time!.atMs).filter((atMs) => atMs > -Infinity)
  const lowestMs = ended === undefined ? -Infinity : Math.min(...known)
  const primaryMs = primary.length === 0 ? Infinity : Math.max(joint.atMs, lowestMs)
  const atMs = Math.min(primaryMs, passing?.time?.atMs ?? Infinity)
  if (atMs > place.atMs && atMs < Infinity) place.atMs = atMs
}

function isDue({ atMs, toldMs, ended, inputs }: Place): boolean {
  if (toldMs === undefined || atMs > toldMs) return true
  return ended !== undefined && inputs.some(({ time }) => time!.endedToken !== ended.token)
}

function placesIn(
  { definition, inputs }: LaneTimeOptions,
  segment: Segment,
  number: number,
  nowMs: number,
): Place[] {
  const timed = inputs.filter(({ entry, time }) => {
    return time !== undefined && entry >= segment.from && entry < segment.to
  })
  const { idleMs } = definition.settings
  const partitions = Map.groupBy(timed, ({ partition }) => partition)
  return [...partitions].map(([partition, here]) => {
    const passing = here.find(({ topic }) => isRepartition(topic))
    const primary = here.filter((input) => input !== passing)
    const joint = new JointWatermark({ inputs: primary.length, idleMs }, nowMs)
    for (const [index, { time }] of primary.entries()) {
      if (time!.atMs > -Infinity) joint.advance(index, time!.atMs, nowMs)
    }
    const lowestMs = Math.min(...here.map(({ time }) => time!.atMs))
    const closedMs = Math.max(...here.map(({ time }) => time!.closedMs))
    const inputs = passing === undefined ? primary : [passing, ...primary]
    return {
      ...{ segment, number, partition, inputs, passing, primary, joint },
      // Nothing of them was looked at yet.
      ...{ offsets: primary.map(() => -1), changedAtMs: primary.map(() => nowMs) },
      ...{ pending: undefined, atMs: Math.max(lowestMs, closedMs), ended: undefined },
      ...{ toldMs: undefined, quietAskedAtMs: nowMs },
    }
  })
}
