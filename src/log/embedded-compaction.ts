/**
 * Compaction: of each key only the newest message is kept. Record batches that lose messages are
 * written anew, small neighbours together, with their messages' own offsets; a transaction then
 * swaps the rows. The newest record batch of a partition is never touched, so offsets go on from it.
 */
import type { Batch } from '../core/batch.ts'
import { Batch as Columns } from '../core/batch.ts'
import { BatchBuilder } from '../core/batch-builder.ts'
import type { Clock } from '../core/clock.ts'
import type { EmbeddedDatabase, Row } from './embedded-database.ts'
import { type IndexRow, type Reader, rowOf } from './embedded-read.ts'
import { countRemoved } from './embedded-retention.ts'
import type { OpenSegment, SegmentWriter } from './embedded-segments.ts'
import type { StoredTopic } from './embedded-topics.ts'
import { encodeRecordBatch } from './record-batch.ts'
import { maxTimestampAt } from './record-batch-layout.ts'

/** A delete is kept this long, so that a reader that lags sees it. */
const deletesKeptMs = 24 * 3600_000
/** Keys remembered in one pass; a longer stretch takes several. */
const keysAtOnce = 500_000
/** Record batches are joined up to this size. */
const joinedBytes = 512 * 1024
/** What a pass needs before it is worth while. */
const leastBytes = 1024 * 1024

interface CompactionRow extends IndexRow {
  readonly appendedAt: number
  readonly producerId: number
}

/** Neighbouring rows of one producer that become one row, or none. */
interface Run {
  readonly rows: CompactionRow[]
  readonly builder: BatchBuilder
  readonly offsets: number[]
  removed: number
}

export interface CompactorOptions {
  readonly database: EmbeddedDatabase
  readonly reader: Reader
  readonly segments: SegmentWriter
  readonly clock: Clock
}

export class Compactor {
  readonly #options: CompactorOptions

  constructor(options: CompactorOptions) {
    this.#options = options
  }

  /** True when something was written anew. `forced` does what would not be worth while yet. */
  async run(topic: StoredTopic, forced: boolean): Promise<boolean> {
    let any = false
    for (let partition = 0; partition < topic.info.partitions; partition++) {
      while (await this.#pass(topic, partition, forced)) any = true
    }
    return any
  }

  async #pass(topic: StoredTopic, partition: number, forced: boolean): Promise<boolean> {
    const { database } = this.#options
    const compactedTo = await database.read(() => this.#compactedTo(topic, partition))
    const rows = await database.read(() => this.#rows(topic, partition))
    const old = rows.slice(0, -1)
    const dirty = old.filter((row) => row.baseOffset >= compactedTo)
    if (dirty.length === 0 || (!forced && !worthWhile(old, dirty))) return false
    const newest = new Map<string, number>()
    const end = await this.#map(topic, partition, [...dirty, rows.at(-1)!], newest)
    await this.#rewrite(topic, partition, old, end, newest)
    await database.write(() => this.#setCompactedTo(topic, partition, end))
    return true
  }

  #compactedTo(topic: StoredTopic, partition: number): number {
    const find = this.#options.database.prepare(
      'SELECT compacted_to FROM partitions WHERE topic_id = ? AND partition = ?',
    )
    return (find.get(topic.id, partition)?.[0] as number | undefined) ?? 0
  }

  #setCompactedTo(topic: StoredTopic, partition: number, end: number): void {
    this.#options.database
      .prepare('UPDATE partitions SET compacted_to = ? WHERE topic_id = ? AND partition = ?')
      .run(end, topic.id, partition)
  }

  #rows(topic: StoredTopic, partition: number): CompactionRow[] {
    const find = this.#options.database.prepare(
      `SELECT base_offset, last_offset, count, segment_id, position, size_bytes, appended_at,
         producer_id FROM batches WHERE topic_id = ? AND partition = ? ORDER BY base_offset`,
    )
    return find.all(topic.id, partition).map(compactionRow)
  }

  /** Fills in each key's newest offset; returns the offset up to which it is complete. */
  async #map(
    topic: StoredTopic,
    partition: number,
    rows: readonly CompactionRow[],
    newest: Map<string, number>,
  ): Promise<number> {
    for (const row of rows) {
      const batch = this.#decode(topic, partition, row)
      for (let index = 0; index < batch.count; index++) {
        const key = keyOf(batch, index)
        if (key !== undefined) newest.set(key, batch.offsets[index]!)
      }
      if (newest.size > keysAtOnce) return row.lastOffset + 1
      await breathe()
    }
    return rows.at(-1)!.baseOffset
  }

  #decode(topic: StoredTopic, partition: number, row: IndexRow): Batch {
    const { reader } = this.#options
    return (
      reader.decode(topic, partition, [row], 0) ?? reader.damaged(topic, partition, row.baseOffset)
    )
  }

  async #rewrite(
    topic: StoredTopic,
    partition: number,
    rows: readonly CompactionRow[],
    end: number,
    newest: ReadonlyMap<string, number>,
  ): Promise<void> {
    const deletesBefore = this.#options.clock.now() - deletesKeptMs
    let run: Run | undefined
    for (const row of rows) {
      if (row.baseOffset >= end) break
      const batch = this.#decode(topic, partition, row)
      const kept = keptIndexes(batch, newest, row.appendedAt < deletesBefore)
      const whole = kept.length === batch.count && row.sizeBytes >= joinedBytes
      if (run !== undefined && (whole || !fits(run, row))) {
        await this.#finish(topic, partition, run)
        run = undefined
      }
      if (whole) continue
      run ??= {
        rows: [],
        builder: new BatchBuilder(topic.info.name, partition),
        offsets: [],
        removed: 0,
      }
      addTo(run, row, batch, kept)
      await breathe()
    }
    if (run !== undefined) await this.#finish(topic, partition, run)
  }

  /** Writes a run's messages as one record batch and swaps its rows for that one. */
  async #finish(topic: StoredTopic, partition: number, run: Run): Promise<void> {
    if (run.removed === 0 && run.rows.length === 1) return
    const { database, segments } = this.#options
    const baseOffset = run.rows[0]!.baseOffset
    const bytes = encodeRun(topic, run, baseOffset)
    let place: { segment: OpenSegment; position: number } | undefined
    if (bytes !== undefined) {
      const segment = await segments.segmentOf(topic)
      if (segment === undefined) return
      place = { segment, position: segments.append(segment, [bytes]) }
      await segments.sync([segment])
    }
    await database.write(() => {
      if (!this.#stands(topic, partition, run, place?.segment)) return
      this.#removeRows(topic, partition, run)
      if (place !== undefined) {
        this.#insert(topic, partition, run, place.segment.id, place.position, bytes!)
      }
    })
  }

  /** Nobody has changed these rows, and the new file is still there. */
  #stands(
    topic: StoredTopic,
    partition: number,
    run: Run,
    segment: OpenSegment | undefined,
  ): boolean {
    const { database } = this.#options
    const findSegment = database.prepare('SELECT 1 FROM segments WHERE id = ?')
    if (segment !== undefined && findSegment.get(segment.id) === undefined) return false
    const find = database.prepare(
      `SELECT 1 FROM batches WHERE topic_id = ? AND partition = ? AND base_offset = ?
       AND segment_id = ? AND position = ?`,
    )
    return run.rows.every(
      (row) =>
        find.get(topic.id, partition, row.baseOffset, row.segmentId, row.position) !== undefined,
    )
  }

  #removeRows(topic: StoredTopic, partition: number, run: Run): void {
    const { database } = this.#options
    const remove = database.prepare(
      'DELETE FROM batches WHERE topic_id = ? AND partition = ? AND base_offset = ?',
    )
    for (const row of run.rows) remove.run(topic.id, partition, row.baseOffset)
    countRemoved(database, topic.id, partition, run.rows[0]!.producerId, {
      first: run.rows[0]!.baseOffset,
      last: run.rows.at(-1)!.lastOffset,
      count: run.removed,
    })
  }

  #insert(
    topic: StoredTopic,
    partition: number,
    run: Run,
    segmentId: number,
    position: number,
    bytes: Buffer,
  ): void {
    const { database } = this.#options
    const insert = database.prepare(
      `INSERT INTO batches (topic_id, partition, base_offset, last_offset, count, segment_id,
         position, size_bytes, max_time, appended_at, producer_id)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    insert.run(
      topic.id,
      partition,
      run.rows[0]!.baseOffset,
      run.rows.at(-1)!.lastOffset,
      run.offsets.length,
      segmentId,
      position,
      bytes.length,
      Number(bytes.readBigInt64BE(maxTimestampAt)),
      Math.max(...run.rows.map((row) => row.appendedAt)),
      run.rows[0]!.producerId,
    )
  }
}

function compactionRow(row: Row): CompactionRow {
  return { ...rowOf(row), appendedAt: row[6] as number, producerId: row[7] as number }
}

/** When half of what is there came since the last pass. */
function worthWhile(rows: readonly IndexRow[], dirty: readonly IndexRow[]): boolean {
  const size = (some: readonly IndexRow[]) => some.reduce((sum, row) => sum + row.sizeBytes, 0)
  const dirtyBytes = size(dirty)
  return (dirtyBytes >= leastBytes || dirty.length >= 1000) && dirtyBytes * 2 >= size(rows)
}

/** A key's bytes as a string of one unit a byte; undefined without a key. */
function keyOf(batch: Batch, index: number): string | undefined {
  const start = batch.keyStarts[index]!
  return start < 0 ? undefined : batch.bytes.toString('latin1', start, batch.keyEnds[index]!)
}

/** Messages without a key are kept: nothing newer replaces them. */
function keptIndexes(
  batch: Batch,
  newest: ReadonlyMap<string, number>,
  dropDeletes: boolean,
): number[] {
  const kept: number[] = []
  for (let index = 0; index < batch.count; index++) {
    const key = keyOf(batch, index)
    if (key !== undefined) {
      if ((newest.get(key) ?? -1) > batch.offsets[index]!) continue
      if (dropDeletes && batch.valueStarts[index]! < 0) continue
    }
    kept.push(index)
  }
  return kept
}

function fits(run: Run, row: CompactionRow): boolean {
  const first = run.rows[0]!
  const span = row.lastOffset - first.baseOffset
  const sizeBytes = run.builder.sizeBytes + row.sizeBytes
  return first.producerId === row.producerId && sizeBytes <= 2 * joinedBytes && span < 2 ** 30
}

function addTo(run: Run, row: CompactionRow, batch: Batch, kept: readonly number[]): void {
  run.rows.push(row)
  run.removed += batch.count - kept.length
  const range = (start: number, end: number) =>
    start < 0 ? null : batch.bytes.subarray(start, end)
  for (const index of kept) {
    run.builder.append(
      range(batch.keyStarts[index]!, batch.keyEnds[index]!),
      range(batch.valueStarts[index]!, batch.valueEnds[index]!),
      batch.times[index]!,
      batch.bytes.subarray(batch.headerStarts[index]!, batch.headerEnds[index]!),
    )
    run.offsets.push(batch.offsets[index]!)
  }
}

/** Undefined when nothing of the run is kept. */
function encodeRun(topic: StoredTopic, run: Run, baseOffset: number): Buffer | undefined {
  if (run.offsets.length === 0) return undefined
  const batch = run.builder.build()
  const offsets = Float64Array.from(run.offsets)
  const { compression } = topic.info
  return encodeRecordBatch(new Columns({ ...batch, offsets }), { compression, baseOffset })
}

/** Lets commits and reads of this thread go in between. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
