/**
 * How far event time has come in the segments of a pipeline that its other members work on too: told
 * by the checkpoints of the group. What a checkpoint says is true of everything that was committed
 * with it or before; so whoever takes a sample, and then reads up to where its input ends after that,
 * may take the sample's watermark for its own.
 */
import type { Clock } from '../core/clock.ts'
import type { Checkpoint, Log, TopicInfo, TopicPartition } from '../log/log.ts'
import { JointWatermark } from '../transforms/watermark.ts'
import { isDataOf, parseCheckpoint } from './checkpoint.ts'
import type { Definition } from './definition.ts'
import { neverLate, type SavedTime } from './event-time.ts'
import { isRepartition } from './internal-names.ts'
import { placesOf, type Segment, segmentsOf, topicsInOrder } from './segments.ts'

/** What the run knows: all inputs were read to their end, and nothing is to come. */
export interface Ended {
  /** Of this end, among others before and after it. */
  readonly token: number
  /** The inputs are finite: what is open is told as it stands. */
  readonly isFinite: boolean
}

/** Of the messages that come into a segment. */
export interface Sample {
  readonly atMs: number
  /** The end that all before have come to. */
  readonly ended: Ended | undefined
  /** What is still to be sent was read by those before at this time or later. Infinity: nothing is. */
  readonly sentMs: number
}

export interface UpstreamTimeOptions {
  readonly definition: Definition
  readonly log: Log
  readonly clock: Clock
  readonly topics: ReadonlyMap<string, TopicInfo>
  ended(): Ended | undefined
}

const sampleEveryMs = 100
const longestWaitMs = 2000
/** Asking takes at most so much of the time: on Kafka a look is several requests. */
const mostShare = 1 / 20

/** One input of a segment, in one partition. */
interface Unit extends TopicPartition {
  outMs: number
  offset: number
  endedToken: number | undefined
  changedAtMs: number
  isDone: boolean
}

interface Before {
  readonly units: readonly Unit[]
  readonly segment: Segment
  readonly joint: JointWatermark
  atMs: number
}

export class UpstreamTime {
  readonly #options: UpstreamTimeOptions
  /** By segment, what is before it; of the first one nothing is. */
  readonly #before: (Before | undefined)[]
  /** Some lane reads what is sent there in an order with other inputs. */
  readonly #isOrdered: boolean
  #sampledAtMs = -Infinity
  #waitMs = sampleEveryMs
  #sampling: Promise<readonly (Sample | undefined)[]> | undefined

  constructor(options: UpstreamTimeOptions) {
    this.#options = options
    const segments = segmentsOf(options.definition)
    this.#before = segments.map((_, index) => this.#of(segments[index - 1]))
    this.#isOrdered = topicsInOrder(options.definition).some((names) => names.some(isRepartition))
  }

  /** By segment; undefined for the first. At most so often as it may have changed. */
  sample(): Promise<readonly (Sample | undefined)[]> {
    const nowMs = this.#options.clock.now()
    if (this.#sampling === undefined || nowMs - this.#sampledAtMs >= this.#waitMs) {
      this.#sampledAtMs = nowMs
      const sampling = this.#timed()
      // What failed is asked for again at once.
      sampling.catch(() => {
        if (this.#sampling === sampling) this.#sampling = undefined
      })
      this.#sampling = sampling
    }
    return this.#sampling
  }

  async #timed(): Promise<readonly (Sample | undefined)[]> {
    const { clock } = this.#options
    const startMs = clock.now()
    const samples = await this.#take()
    const tookMs = clock.now() - startMs
    this.#waitMs = Math.min(longestWaitMs, Math.max(sampleEveryMs, tookMs / mostShare))
    return samples
  }

  #of(segment: Segment | undefined): Before | undefined {
    if (segment === undefined) return undefined
    const { clock, topics, definition } = this.#options
    const nowMs = clock.now()
    const places = placesOf(segment, (topic) => topics.get(topic)?.partitions ?? 0)
    const units = places.map((place) => ({
      ...place,
      ...{ outMs: -Infinity, offset: 0, endedToken: undefined, changedAtMs: nowMs, isDone: false },
    }))
    const { idleMs } = definition.settings
    const joint = new JointWatermark({ inputs: units.length, idleMs }, nowMs)
    return { units, segment, joint, atMs: -Infinity }
  }

  async #take(): Promise<readonly (Sample | undefined)[]> {
    const { log, definition, clock } = this.#options
    const ended = this.#options.ended()
    const group = await log.group(definition.name)
    const nowMs = clock.now()
    const saved = new Map<string, Checkpoint>()
    for (const one of group?.checkpoints ?? []) saved.set(`${one.topic}/${one.partition}`, one)
    const samples: (Sample | undefined)[] = []
    let hasEnded = ended !== undefined
    let sentMs = Infinity
    for (const before of this.#before) {
      if (before === undefined) {
        samples.push(undefined)
        continue
      }
      for (const [index, unit] of before.units.entries()) {
        const checkpoint = saved.get(`${unit.topic}/${unit.partition}`)
        const identity = this.#options.topics.get(unit.topic)?.identity
        if (checkpoint !== undefined) note(before, index, { ...checkpoint, identity }, nowMs)
      }
      if (before.segment.isTimed) {
        hasEnded &&= before.units.every(({ endedToken }) => endedToken === ended?.token)
      }
      if (hasEnded) raise(before, lowest(before.units))
      else if (await this.#hasQuiet(before, nowMs)) before.joint.tick(nowMs)
      raise(before, before.joint.atMs)
      sentMs = Math.min(sentMs - before.segment.holdsBackMs, await this.#unreadFrom(before))
      samples.push({ atMs: before.atMs, ended: hasEnded ? ended : undefined, sentMs })
    }
    return samples
  }

  /** How far the inputs are that something is left to read of. Where nobody asks, it is not known. */
  async #unreadFrom({ units }: Before): Promise<number> {
    if (!this.#isOrdered) return neverLate
    let lowestMs = Infinity
    for (const unit of units) {
      if (unit.outMs < lowestMs && (await this.#isUnread(unit))) lowestMs = unit.outMs
    }
    return lowestMs
  }

  async #isUnread({ topic, partition, offset, isDone }: Unit): Promise<boolean> {
    const { log, topics } = this.#options
    if (!topics.has(topic)) return !isDone
    const { start, end } = await log.offsets(topic, partition)
    return Math.max(offset, start) < end
  }

  /** Some inputs have said nothing for long, and not because they wait to be read. */
  async #hasQuiet({ units }: Before, nowMs: number): Promise<boolean> {
    const { definition } = this.#options
    const quiet = units.filter(({ changedAtMs }) => {
      return nowMs - changedAtMs >= definition.settings.idleMs
    })
    for (const unit of quiet) {
      const isTopic = this.#options.topics.has(unit.topic)
      if (isTopic && (await this.#isUnread(unit))) return false
    }
    return quiet.length > 0
  }
}

function note(
  before: Before,
  index: number,
  { topic, partition, offset, metadata, identity }: Checkpoint & { identity: string | undefined },
  nowMs: number,
) {
  // Kafka's own tools place a group without a word of ours.
  if (metadata === '') return
  const data = parseCheckpoint(`${topic}/${partition}`, metadata)
  // A topic that was made again has no time yet.
  if (!isDataOf(data, identity)) return
  const unit = before.units[index]!
  if (offset !== unit.offset) unit.changedAtMs = nowMs
  unit.offset = offset
  unit.endedToken = data.time?.ended
  unit.isDone = data.done === true
  unit.outMs = Math.max(unit.outMs, outOf(before.segment, data.time))
  if (unit.outMs > -Infinity) before.joint.advance(index, unit.outMs, unit.changedAtMs)
}

/** What goes on from an input has no time before this. */
function outOf({ isTimed, holdsBackMs }: Segment, time: SavedTime = {}): number {
  const comeTo = isTimed ? time.closed : time.at
  return (comeTo ?? -Infinity) - holdsBackMs
}

function raise(before: Before, atMs: number): void {
  if (atMs > before.atMs) before.atMs = atMs
}

/** Of the inputs that had a message: at the end nobody waits for the others. */
function lowest(units: readonly Unit[]): number {
  const known = units.map(({ outMs }) => outMs).filter((outMs) => outMs > -Infinity)
  return known.length === 0 ? -Infinity : Math.min(...known)
}
