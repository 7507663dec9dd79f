/** What a lane reads: a partition of a topic, of the pipeline's replays, or a split of a source. */
import { Batch } from '../core/batch.ts'
import { BatchBuilder } from '../core/batch-builder.ts'
import type { Clock } from '../core/clock.ts'
import { fail } from '../core/errors.ts'
import type { Schema } from '../core/schema.ts'
import type { Checkpoint, Log } from '../log/log.ts'
import type { SourceReader, SourceUse, Unreadable } from '../sources/source.ts'
import {
  type CheckpointData,
  isOfTopic,
  newLedger,
  parseCheckpoint,
  type Written,
} from './checkpoint.ts'
import type { PipelineSettings } from './definition.ts'
import { InputTime } from './event-time.ts'
import { isRepartition } from './internal-names.ts'
import { Counters } from './ledger.ts'

/** What one read gave, and what its checkpoint has to say. */
export interface Read {
  readonly batch: Batch
  readonly unreadable: readonly Unreadable[]
  readonly offset: number
  readonly source?: unknown
  readonly done?: boolean
  /** Messages that retention took before they were read. */
  readonly expired: number
  /** Of a part of a batch, its share of the batch's bytes. */
  readonly sizeBytes?: number
}

export interface LaneInput {
  /** The topic, or the name under which a source's positions are kept. */
  readonly topic: string
  readonly partition: number
  /** The step that its messages go to first. */
  readonly entry: number
  readonly schema: Schema | undefined
  readonly isReplay: boolean
  /** Undefined: nobody asks, as in a pipeline without windows. */
  readonly time: InputTime | undefined
  readonly counters: Counters
  /** Of the topic; undefined with a source. */
  readonly identity: string | undefined
  /** Offset from which the ledger counts. */
  readonly from: number
  /** What was written before the ledger began; every later checkpoint carries it on. */
  readonly before: Written | undefined
  /** By topic, what was written so far; the lane counts on. */
  readonly wrote: { [topic: string]: number }
  /** Where the next read starts. */
  offset(): number
  /** Undefined: nothing now. */
  read(): Promise<Read | undefined>
  /** Where a source stands and whether it has ended, for a checkpoint without a read. */
  saved(): Pick<CheckpointData, 'source' | 'done'>
  /** What `read` gave is committed. */
  committed(read: Read): void
  close(): Promise<void>
}

export interface InputStart {
  readonly planHash: string
  readonly pipeline: string
  readonly topic: string
  readonly partition: number
  readonly entry: number
  readonly stepNames: readonly string[]
  readonly checkpoint: Checkpoint | undefined
  /** Undefined: nobody asks for event time. */
  readonly settings: PipelineSettings | undefined
}

/** The event time of an input goes on from what it was. */
function timeOf(start: InputStart, saved: CheckpointData | undefined): InputTime | undefined {
  if (start.settings === undefined) return undefined
  return new InputTime(start.settings, isRepartition(start.topic), saved?.time)
}

function restore(start: InputStart): { counters: Counters; saved: CheckpointData | undefined } {
  const counters = new Counters(start.stepNames)
  if (start.checkpoint === undefined || start.checkpoint.metadata === '') {
    return { counters, saved: undefined }
  }
  const where = `pipeline ${start.pipeline}, ${start.topic}/${start.partition}`
  const saved = parseCheckpoint(where, start.checkpoint.metadata)
  if (saved.plan !== '' && saved.plan !== start.planHash) {
    // Counts of other steps say nothing about these.
    return { counters, saved: newLedger(start.checkpoint.offset, saved) }
  }
  counters.load(saved.ledger)
  return { counters, saved }
}

function ofTopic(start: InputStart, identity: string | undefined): Checkpoint | undefined {
  const { pipeline, topic, partition, checkpoint } = start
  if (checkpoint === undefined) return undefined
  const where = `pipeline ${pipeline}, ${topic}/${partition}`
  return isOfTopic(where, checkpoint.metadata, identity) ? checkpoint : undefined
}

export interface TopicInputOptions extends InputStart {
  readonly log: Log
  readonly schema: Schema | undefined
  readonly isReplay: boolean
  readonly onGap: 'stop' | 'continue'
  readonly maxBytes: number
}

/** Reads one partition from its checkpoint, else from its start. */
export async function topicInput(options: TopicInputOptions): Promise<LaneInput> {
  const { log, topic, partition, maxBytes } = options
  const range = await log.offsets(topic, partition)
  const identity = (await log.topic(topic))?.identity
  const checkpoint = ofTopic(options, identity)
  const { counters, saved } = restore({ ...options, checkpoint })
  const origin = `${identity}/${partition}`
  let position = checkpoint?.offset ?? range.start
  const gap = async (firstOffset: number): Promise<number> => {
    if (firstOffset <= position) return 0
    const { start } = await log.offsets(topic, partition)
    const lost = start - position
    if (lost <= 0) return 0
    if (options.onGap === 'continue') return lost
    throw fail(
      'MESSAGES_EXPIRED',
      `pipeline ${options.pipeline}, ${topic}/${partition}: retention took ${lost} messages (offsets ${position} to ${start - 1}) before they were read; to go on without them, set onGap: 'continue' or reset the group`,
    )
  }
  return {
    ...{ topic, partition, entry: options.entry, schema: options.schema, counters },
    isReplay: options.isReplay,
    time: options.isReplay ? undefined : timeOf(options, saved),
    identity,
    from: saved?.from ?? position,
    before: saved?.before,
    wrote: { ...saved?.wrote },
    offset: () => position,
    saved: () => ({}),
    committed: () => undefined,
    async read() {
      const batch = await log.read(topic, partition, position, { maxBytes })
      if (batch === undefined) return undefined
      if (batch.origin !== origin) {
        throw fail(
          'MEMBER_FENCED',
          `topic ${topic} was deleted and made again: its offsets start anew`,
        )
      }
      const first = batch.count > 0 ? batch.offsets[0]! : batch.nextOffset
      const expired = await gap(first)
      position = batch.nextOffset
      return { batch, unreadable: [], offset: batch.nextOffset, expired }
    },
    close: () => Promise.resolve(),
  }
}

export interface SourceInputOptions extends InputStart {
  readonly source: SourceUse<unknown>
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly ratePerSecond: number | undefined
  readonly untilEnd: boolean
  readonly maxMessages: number
  /** Called when the source has nothing more, and that is committed. */
  ended(): void
}

/** Reads a source from the position that was committed with its last messages. */
export async function sourceInput(options: SourceInputOptions): Promise<LaneInput> {
  const { counters, saved } = restore(options)
  let offset = options.checkpoint?.offset ?? 0
  let source = saved?.source
  // A source that ended may have more by now: it is asked again, once in each run.
  let isSavedDone = saved?.done === true
  let done = false
  const { clock, signal, ratePerSecond, untilEnd } = options
  const context = { position: source, clock, signal, ratePerSecond, untilEnd }
  let reader: SourceReader | undefined = await options.source.open(context)
  return {
    ...{ topic: options.topic, partition: options.partition, entry: options.entry, counters },
    schema: undefined,
    isReplay: false,
    time: timeOf(options, saved),
    identity: undefined,
    from: saved?.from ?? 0,
    before: saved?.before,
    wrote: { ...saved?.wrote },
    offset: () => offset,
    saved: () => ({ source, ...(isSavedDone ? { done: true } : {}) }),
    committed(read) {
      if (read.done) options.ended()
    },
    async read() {
      if (done || reader === undefined) return undefined
      const read = await reader.read(options.maxMessages)
      if (read === undefined) {
        done = true
        if (isSavedDone) {
          options.ended()
          return undefined
        }
        return { batch: noBatch(options), unreadable: [], offset, source, done, expired: 0 }
      }
      const { batch, unreadable } = read
      if (batch.count === 0 && unreadable.length === 0) return undefined
      source = read.position
      isSavedDone = false
      for (let index = 0; index < batch.count; index++) batch.offsets[index] = offset + index
      offset += batch.count + unreadable.length
      const { topic, partition } = options
      return {
        batch: new Batch({ ...batch, topic, partition }),
        unreadable,
        offset,
        source,
        expired: 0,
      }
    },
    async close() {
      await reader?.close()
      reader = undefined
    },
  }
}

function noBatch(place: { readonly topic: string; readonly partition: number }): Batch {
  return new BatchBuilder(place.topic, place.partition).build()
}
