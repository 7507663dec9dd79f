/**
 * Segment files: `segments/<topic identity>/<writer>-<n>.log`, one open at a time for each topic and
 * writer, so that no two writers ever share one. A row of `segments` is there before the file is, so
 * a file without a row is garbage. Nothing in a file counts before a row of `batches` names it.
 */
import { join } from 'node:path'
import type { Clock } from '../core/clock.ts'
import type { EmbeddedDatabase } from './embedded-database.ts'
import type { Disk } from './embedded-disk.ts'
import { isMissing, translated } from './embedded-errors.ts'
import type { StoredTopic } from './embedded-topics.ts'

export interface SegmentOptions {
  readonly database: EmbeddedDatabase
  readonly disk: Disk
  /** `MILLRACE_DIR/log/segments`. */
  readonly directory: string
  /** Names this log handle in file names; never used twice. */
  readonly writer: string
  readonly clock: Clock
  /** A segment that has reached this size is followed by a new one. */
  readonly segmentBytes: number
  /** False: writes are left to the system, which survives a killed process but not a power cut. */
  readonly durable: boolean
  readonly onStep: (step: 'rolled') => void
}

export interface OpenSegment {
  readonly id: number
  readonly topicId: number
  readonly file: number
  /** Where the next bytes go. */
  position: number
  closed: boolean
}

export class SegmentWriter {
  readonly #options: SegmentOptions
  readonly #open = new Map<number, OpenSegment>()
  #made = 0

  constructor(options: SegmentOptions) {
    this.#options = options
  }

  /** The topic's open segment, or a new one; undefined when the topic was deleted meanwhile. */
  async segmentOf(topic: StoredTopic): Promise<OpenSegment | undefined> {
    const open = this.#open.get(topic.id)
    if (open !== undefined && open.position < this.#options.segmentBytes) return open
    const next = await this.#create(topic)
    if (next === undefined) return undefined
    if (open !== undefined) this.drop(open)
    this.#open.set(topic.id, next)
    this.#options.onStep('rolled')
    return next
  }

  async #create(topic: StoredTopic): Promise<OpenSegment | undefined> {
    const { database, disk, directory, writer, clock, durable } = this.#options
    const name = `${writer}-${this.#made++}.log`
    const insert = database.prepare(
      `INSERT INTO segments (topic_id, file, created_at)
       SELECT id, ?, ? FROM topics WHERE id = ? RETURNING id`,
    )
    const row = await database.write(() => insert.get(name, clock.now(), topic.id))
    if (row === undefined) return undefined
    const folder = join(directory, topic.info.identity)
    try {
      const made = disk.makeDirectory(folder)
      const file = disk.create(join(folder, name))
      const segment = { id: row[0] as number, topicId: topic.id, file, position: 0, closed: false }
      if (durable) {
        if (made) await disk.syncDirectory(directory)
        await disk.syncDirectory(folder)
      }
      return segment
    } catch (error) {
      throw translated(error, directory)
    }
  }

  /**
   * Writes the buffers behind one another; returns where the first one begins. When that fails
   * nothing has happened: the next write goes to the same place.
   */
  append(segment: OpenSegment, buffers: readonly Buffer[]): number {
    const { disk, directory } = this.#options
    const start = segment.position
    try {
      disk.append(segment.file, buffers, start)
    } catch (error) {
      throw translated(error, directory)
    }
    for (const buffer of buffers) segment.position += buffer.length
    return start
  }

  /** Resolves once what was appended survives a power cut. */
  async sync(segments: Iterable<OpenSegment>): Promise<void> {
    const { disk, directory, durable } = this.#options
    if (!durable) return
    const ends = Array.from(segments, async (segment) => {
      try {
        await disk.datasync(segment.file)
      } catch (error) {
        // A system that failed to write may forget that it did: these pages are never trusted again.
        this.drop(segment)
        throw translated(error, directory)
      }
    })
    const failed = (await Promise.allSettled(ends)).find((end) => end.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  /** Closes a segment; the next write to its topic opens a new one. */
  drop(segment: OpenSegment): void {
    if (this.#open.get(segment.topicId) === segment) this.#open.delete(segment.topicId)
    if (!segment.closed) this.#options.disk.close(segment.file)
    segment.closed = true
  }

  close(): void {
    for (const segment of [...this.#open.values()]) this.drop(segment)
  }
}

/** Files that stay open for reading: more than a pipeline reads at a time. */
const openFiles = 64

/** Reads from segments, keeping the files used last open. */
export class SegmentReader {
  readonly #disk: Disk
  readonly #directory: string
  readonly #database: EmbeddedDatabase
  readonly #files = new Map<number, number>()

  constructor(options: Pick<SegmentOptions, 'disk' | 'directory' | 'database'>) {
    this.#disk = options.disk
    this.#directory = options.directory
    this.#database = options.database
  }

  /**
   * Reads `length` bytes; false when the file is gone or shorter. A file that was unlinked while it
   * is open here still reads.
   */
  read(segmentId: number, into: Buffer, at: number, length: number, position: number): boolean {
    const file = this.#files.get(segmentId) ?? this.#openFile(segmentId)
    if (file === undefined) return false
    return this.#disk.read(file, into, at, length, position) === length
  }

  #openFile(segmentId: number): number | undefined {
    const find = this.#database.prepare(
      'SELECT identity, file FROM segments JOIN topics ON topics.id = topic_id WHERE segments.id = ?',
    )
    const row = find.get(segmentId)
    if (row === undefined) return undefined
    const path = join(this.#directory, row[0] as string, row[1] as string)
    let file: number
    try {
      file = this.#disk.open(path)
    } catch (error) {
      if (isMissing(error)) return undefined
      throw translated(error, this.#directory)
    }
    this.#makeRoom()
    this.#files.set(segmentId, file)
    return file
  }

  /** An open file keeps its bytes on the disk: those of deleted segments are closed. */
  #makeRoom(): void {
    const find = this.#database.prepare('SELECT 1 FROM segments WHERE id = ?')
    for (const [segmentId, file] of this.#files) {
      if (this.#files.size < openFiles && find.get(segmentId) !== undefined) continue
      this.#files.delete(segmentId)
      this.#disk.close(file)
    }
  }

  close(): void {
    for (const file of this.#files.values()) this.#disk.close(file)
    this.#files.clear()
  }
}

/** Bytes of a topic's files, what is not yet cleaned up included. */
export const segmentsSize = (disk: Disk, folder: string): number =>
  disk.list(folder).reduce((sum, file) => sum + disk.size(join(folder, file)), 0)
