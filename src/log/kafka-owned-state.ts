/**
 * Keyed state on Kafka as its owner has it: a local copy of the partition's changelog, brought up to
 * date when it is opened, and changed from then on by what this process commits, once a commit is
 * acknowledged and in the order of the changelog.
 */
import type { Batch } from '../core/batch.ts'
import type { Clock } from '../core/clock.ts'
import { fail, messageOf } from '../core/errors.ts'
import { translated } from './embedded-errors.ts'
import { type DecidedOptions, DecidedWait, decidedRange } from './kafka-decided-end.ts'
import { isDamaged } from './kafka-owned-state-database.ts'
import type { StateFile } from './kafka-owned-state-file.ts'
import { type RestoreTurns, restore } from './kafka-owned-state-restore.ts'
import type {
  Log,
  OffsetRange,
  OpenStateOptions,
  OwnedState,
  StateEntry,
  StateRange,
} from './log.ts'
import { stateLost } from './owned-state.ts'

/** What a copy reads its changelog with. */
export interface ChangelogSources {
  readonly topics: DecidedOptions['topics']
  readonly read: Log['read']
  readonly offsets: Log['offsets']
  readonly clock: Clock
  /** How long deletes are kept in a topic. */
  tombstonesMs(topic: string): Promise<number>
  /** See `RestoreOptions`. */
  readonly stepBytes?: number | undefined
}

export interface CopyOptions {
  readonly store: string
  readonly partition: number
  readonly topic: string
  /** Of the topic. */
  readonly identity: string
  readonly file: StateFile
  readonly sources: ChangelogSources
  readonly turns: RestoreTurns
  onClosed(copy: KafkaOwnedState): void
}

/** A record batch that was committed, with its offsets. */
export interface CommittedBatch {
  readonly baseOffset: number
  readonly batch: Batch
}

/** What is read to close a gap is kept until it is whole; where it is more the next open reads it. */
const mostGapBytes = 64 * 1024 * 1024
/** Clocks differ a little. */
const clockSlackMs = 60_000

export class KafkaOwnedState implements OwnedState {
  readonly #options: CopyOptions
  /** Why it cannot be asked any more. */
  #lost: string | undefined
  /** What was committed while the copy was brought up to date. */
  #waiting: (readonly CommittedBatch[])[] | undefined = []
  /** Behind the last change that was put. */
  #end = 0
  /** Where the next commit begins, unless somebody else writes or a transaction was aborted. */
  #nextOffset = 0
  #isCatchingUp = false

  constructor(options: CopyOptions) {
    this.#options = options
  }

  /** Brings the copy up to what was committed before the call. */
  async restore(options: OpenStateOptions): Promise<void> {
    const { file } = this.#options
    try {
      await this.#restore(options)
    } catch (error) {
      this.#check()
      if (!isDamaged(error)) throw translated(error, file.path)
      file.clear()
      await this.#restore(options)
    }
    const waiting = this.#waiting ?? []
    this.#waiting = undefined
    for (const batches of waiting) {
      // The others were read.
      if (batches[0]!.baseOffset >= this.#end) this.committed(batches)
    }
  }

  async #restore({ onProgress }: OpenStateOptions): Promise<void> {
    const { file, sources, identity, topic, partition } = this.#options
    const { read, clock, stepBytes } = sources
    const askedAtMs = clock.now()
    const range = await decidedRange(sources, topic, partition)
    this.#checkPlace(range)
    const { position } = file.place
    const isTooOld = position > 0 && position < range.end && (await this.#isTooOld(askedAtMs))
    const restoring = {
      ...{ file, topic, partition, identity, end: range.end, askedAtMs },
      ...{ read, clock, stepBytes, isTooOld },
      onPosition: (from: number, reached: number) => {
        this.#check()
        onProgress?.(reached - from, range.end - from)
      },
    }
    await this.#options.turns.take(() => restore(restoring))
    this.#check()
    this.#end = range.end
    this.#nextOffset = range.end
  }

  get(keys: readonly string[]): Promise<Map<string, Buffer>> {
    return this.#ask((file) => file.get(keys))
  }

  scan(range: StateRange): Promise<readonly StateEntry[]> {
    return this.#ask((file) => file.scan(range))
  }

  async close(): Promise<void> {
    this.lose('it is closed')
  }

  /** From now on it has to be opened anew. What the copy has stays right: it is only not the newest. */
  lose(why: string): void {
    if (this.#lost !== undefined) return
    this.#lost = why
    this.#options.file.close()
    this.#options.onClosed(this)
  }

  /** A transaction of this process is committed, with these batches in this partition. */
  committed(batches: readonly CommittedBatch[]): void {
    if (this.#lost !== undefined) return
    if (this.#waiting !== undefined) this.#waiting.push(batches)
    else this.#try(() => this.#put(batches))
  }

  #put(batches: readonly CommittedBatch[]): void {
    const { file, identity, sources } = this.#options
    const begin = batches[0]!.baseOffset
    if (begin < this.#end) {
      this.lose('its changelog was made anew')
      return
    }
    const end = endOf(batches.at(-1)!)
    const isNext = file.place.position === this.#end && isRow(batches, this.#nextOffset)
    // A restart reads from the place on: what it covers must all be here.
    const covered = { identity, position: end, wholeAtMs: sources.clock.now() }
    file.change(isNext ? covered : file.place, () => {
      for (const { batch } of batches) putAll(file, batch)
    })
    const isGap = begin !== this.#nextOffset || !isRow(batches, begin)
    this.#end = end
    // Behind its last message comes the transaction's marker.
    this.#nextOffset = end + 1
    if (isGap) void this.#closeGap()
  }

  /**
   * Somebody else wrote here, or a transaction was aborted. All from there on is read, and put again in
   * the order of the changelog: until then the copy's place stays before it.
   */
  async #closeGap(): Promise<void> {
    if (this.#isCatchingUp) return
    this.#isCatchingUp = true
    try {
      const batches = await this.#readGap()
      if (batches === undefined || this.#lost !== undefined) return
      const { file, identity, sources } = this.#options
      const place = { identity, position: this.#end, wholeAtMs: sources.clock.now() }
      this.#try(() =>
        file.change(place, () => {
          for (const batch of batches) putAll(file, batch, this.#end)
        }),
      )
    } catch {
      // The place stays where it is: the next open reads from there on.
    } finally {
      this.#isCatchingUp = false
    }
  }

  /** From the copy's place to its end; undefined where that is too much. */
  async #readGap(): Promise<Batch[] | undefined> {
    const { file, sources, topic, partition } = this.#options
    const waiting = new DecidedWait(sources.clock, topic, partition)
    const batches: Batch[] = []
    let sizeBytes = 0
    // Once it has reached the end, what came meanwhile is among what was read.
    for (let { position } = file.place; position < this.#end; ) {
      const batch = await sources.read(topic, partition, position)
      if (this.#lost !== undefined) return undefined
      if (batch === undefined) {
        await waiting.wait(position)
        continue
      }
      sizeBytes += batch.bytes.length
      if (sizeBytes > mostGapBytes) return undefined
      batches.push(batch)
      position = batch.nextOffset
    }
    return batches
  }

  /** What the copy has must be of this changelog, and still to be found in it. */
  #checkPlace({ start, end }: OffsetRange): void {
    const { file, identity, topic, partition } = this.#options
    const { position } = file.place
    if (position === 0) return
    if (file.place.identity !== identity || position < start) {
      file.clear()
      return
    }
    if (position <= end) return
    const seen = `${topic}/${partition} ends at offset ${end}, but was read up to ${position} before`
    const where = `${file.path} and what is beside it`
    throw fail('CHANGELOG_DAMAGED', `${seen}; restore the topic, or go on without: delete ${where}`)
  }

  /** True where a delete may have come and gone since the copy was whole. */
  async #isTooOld(nowMs: number): Promise<boolean> {
    const { file, sources, topic } = this.#options
    const ageMs = nowMs - file.place.wholeAtMs
    // By half: what is to be read takes a while, too.
    return ageMs < -clockSlackMs || ageMs > (await sources.tombstonesMs(topic)) / 2
  }

  async #ask<Result>(look: (file: StateFile) => Result): Promise<Result> {
    this.#check()
    try {
      return look(this.#options.file)
    } catch (error) {
      if (isDamaged(error)) this.#discard()
      this.#check()
      throw translated(error, this.#options.file.path)
    }
  }

  /** The transaction is committed whatever becomes of the copy. */
  #try(change: () => void): void {
    try {
      change()
    } catch (error) {
      if (isDamaged(error)) this.#discard()
      else this.lose(`its local copy cannot be changed (${messageOf(error)})`)
    }
  }

  #discard(): void {
    this.#options.file.discard()
    this.lose('its local copy is damaged')
  }

  #check(): void {
    const { store, partition } = this.#options
    if (this.#lost !== undefined) throw stateLost(store, partition, this.#lost)
  }
}

/** Messages before `end`. */
function putAll(file: StateFile, batch: Batch, end = Number.POSITIVE_INFINITY): void {
  for (let index = 0; index < batch.count && batch.offsets[index]! < end; index++) {
    file.put(batch, index)
  }
}

const endOf = ({ baseOffset, batch }: CommittedBatch) => baseOffset + batch.count

/** True where nothing lies between them, from that offset on. */
function isRow(batches: readonly CommittedBatch[], begin: number): boolean {
  let next = begin
  for (const one of batches) {
    if (one.baseOffset !== next) return false
    next = endOf(one)
  }
  return true
}
