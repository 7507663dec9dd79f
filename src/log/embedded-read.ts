/**
 * Reading: rows of the index first, then their bytes with one read for each run that lies together,
 * into one buffer, which the batch's columns then point into.
 */
import { type Batch, Batch as Columns, emptyColumns } from '../core/batch.ts'
import { fail } from '../core/errors.ts'
import type { EmbeddedDatabase, Row } from './embedded-database.ts'
import type { SegmentReader } from './embedded-segments.ts'
import type { StoredTopic, TopicCatalog } from './embedded-topics.ts'
import type { OffsetRange } from './log.ts'
import { decodeRecordBatches, type StoredBatch } from './record-batch.ts'

export const defaultReadBytes = 1024 * 1024
/** Rows asked for at a time: enough for the bytes wanted when batches are small, no more. */
const fewestRows = 4
const mostRows = 512

/** From the row that holds the offset, or the first one behind it. */
const rowsSql = `
  SELECT base_offset, last_offset, count, segment_id, position, size_bytes FROM batches
  WHERE topic_id = ?1 AND partition = ?2 AND base_offset >= coalesce((
    SELECT max(base_offset) FROM batches
    WHERE topic_id = ?1 AND partition = ?2 AND base_offset <= ?3), 0)
  ORDER BY base_offset LIMIT ?4`

export interface IndexRow {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly count: number
  readonly segmentId: number
  readonly position: number
  readonly sizeBytes: number
}

export class Reader {
  readonly #database: EmbeddedDatabase
  readonly #topics: TopicCatalog
  readonly #segments: SegmentReader
  /** Bytes of a row, as seen lately: decides how many rows are asked for. */
  #rowBytes = 64 * 1024

  constructor(database: EmbeddedDatabase, topics: TopicCatalog, segments: SegmentReader) {
    this.#database = database
    this.#topics = topics
    this.#segments = segments
  }

  /** See `Log.read`. Runs in one go, so what it sees does not change meanwhile. */
  read(name: string, partition: number, offset: number, maxBytes: number): Batch | undefined {
    let topic = this.#topics.partition(name, partition)
    let rows = this.#rows(topic, partition, offset, maxBytes)
    if (rows.length === 0) {
      // Nothing, or the topic was deleted by somebody else since it was last looked up.
      this.#topics.forget(name)
      topic = this.#topics.partition(name, partition)
      const { end } = this.#topics.offsets(name, partition)
      rows = this.#rows(topic, partition, offset, maxBytes)
      if (rows.length === 0) return offset < end ? gap(topic, partition, end) : undefined
    }
    return this.decode(topic, partition, rows, offset) ?? this.#again(name, partition, offset)
  }

  /** Retention or compaction took a file between the look at the index and the read. */
  #again(name: string, partition: number, offset: number): Batch {
    const topic = this.#topics.partition(name, partition)
    const rows = this.#rows(topic, partition, offset, 1)
    const batch = rows.length === 0 ? undefined : this.decode(topic, partition, rows, offset)
    return batch ?? this.damaged(topic, partition, offset)
  }

  /** Throws for a row whose bytes are not there. */
  damaged(topic: StoredTopic, partition: number, offset: number): never {
    throw fail(
      'BATCH_DAMAGED',
      `${topic.info.name}/${partition} at offset ${offset}: its segment file is gone or cut short; restore it or delete the topic`,
    )
  }

  /** Rows that hold messages from `offset` on, until they reach `maxBytes`. */
  #rows(topic: StoredTopic, partition: number, offset: number, maxBytes: number): IndexRow[] {
    const wanted = Math.ceil(maxBytes / this.#rowBytes) + 2
    const limit = Math.min(mostRows, Math.max(fewestRows, wanted))
    const found = this.#database.prepare(rowsSql).all(topic.id, partition, offset, limit)
    const rows: IndexRow[] = []
    let sizeBytes = 0
    for (const columns of found) {
      const row = rowOf(columns)
      if (row.lastOffset < offset) continue
      rows.push(row)
      sizeBytes += row.sizeBytes
      if (sizeBytes >= maxBytes) break
    }
    if (rows.length > 0) this.#rowBytes = (this.#rowBytes * 3 + sizeBytes / rows.length) / 4
    return rows
  }

  /** The messages of these rows from `from` on; undefined when a file is not there. */
  decode(
    topic: StoredTopic,
    partition: number,
    rows: readonly IndexRow[],
    from: number,
  ): Batch | undefined {
    let total = 0
    for (const row of rows) total += row.sizeBytes
    const bytes = Buffer.allocUnsafeSlow(total)
    const batches: StoredBatch[] = []
    let at = 0
    for (const { baseOffset, sizeBytes } of rows) {
      batches.push({ position: at, sizeBytes, baseOffset })
      at += sizeBytes
    }
    if (!this.#fill(bytes, rows)) return undefined
    const origin = `${topic.info.identity}/${partition}`
    const nextOffset = rows.at(-1)!.lastOffset + 1
    const stored = { topic: topic.info.name, partition, origin, bytes, batches, from, nextOffset }
    return decodeRecordBatches(stored)
  }

  #fill(bytes: Buffer, rows: readonly IndexRow[]): boolean {
    let at = 0
    for (let first = 0; first < rows.length; ) {
      const { segmentId, position } = rows[first]!
      let length = rows[first]!.sizeBytes
      let next = first + 1
      for (; next < rows.length; next++) {
        const row = rows[next]!
        if (row.segmentId !== segmentId || row.position !== position + length) break
        length += row.sizeBytes
      }
      if (!this.#segments.read(segmentId, bytes, at, length, position)) return false
      at += length
      first = next
    }
    return true
  }

  /** See `Log.offsetAtTime`. */
  offsetAtTime(name: string, partition: number, timeMs: number): number {
    const { end } = this.#topics.offsets(name, partition)
    const topic = this.#topics.partition(name, partition)
    const find = this.#database.prepare(
      `SELECT base_offset, last_offset, count, segment_id, position, size_bytes FROM batches
       WHERE topic_id = ? AND partition = ? AND max_time >= ? ORDER BY base_offset LIMIT 1`,
    )
    const row = find.get(topic.id, partition, Math.floor(timeMs))
    if (row === undefined) return end
    const batch = this.decode(topic, partition, [rowOf(row)], 0)
    if (batch === undefined) return this.#again(name, partition, row[0] as number).offsets[0] ?? end
    for (let index = 0; index < batch.count; index++) {
      if (batch.times[index]! >= timeMs) return batch.offsets[index]!
    }
    return batch.nextOffset
  }

  /** See `Log.count`. */
  count(name: string, partition: number, range: OffsetRange, by: string | undefined): number {
    const topic = this.#topics.partition(name, partition)
    const producerId = by === undefined ? undefined : this.#producer(by)
    if (producerId === null) return 0
    const producer = producerId === undefined ? '' : 'AND producer_id = ?5'
    const values = [topic.id, partition, range.start, range.end]
    if (producerId !== undefined) values.push(producerId)
    const whole = this.#database
      .prepare(
        `SELECT coalesce(sum(count), 0) FROM batches WHERE topic_id = ?1 AND partition = ?2
         AND base_offset >= ?3 AND last_offset < ?4 ${producer}`,
      )
      .get(...values)
    let total = whole![0] as number
    const edges = this.#database
      .prepare(
        `SELECT base_offset, last_offset, count, segment_id, position, size_bytes FROM batches
         WHERE topic_id = ?1 AND partition = ?2 ${producer}
         AND base_offset < ?4 AND last_offset >= ?3 AND (base_offset < ?3 OR last_offset >= ?4)`,
      )
      .all(...values)
    for (const row of edges) total += this.#countWithin(topic, partition, rowOf(row), range)
    return (
      total + (producerId === undefined ? 0 : this.#removed(topic, partition, producerId, range))
    )
  }

  /** A row that lies only partly in the range: its messages are looked at. */
  #countWithin(topic: StoredTopic, partition: number, row: IndexRow, range: OffsetRange): number {
    const batch =
      this.decode(topic, partition, [row], range.start) ??
      this.#again(topic.info.name, partition, Math.max(range.start, row.baseOffset))
    let count = 0
    for (let index = 0; index < batch.count; index++) {
      if (batch.offsets[index]! < range.end) count++
    }
    return count
  }

  /** What retention and compaction took of a group's messages, when all of it lay in the range. */
  #removed(topic: StoredTopic, partition: number, producerId: number, range: OffsetRange): number {
    const find = this.#database.prepare(
      `SELECT count FROM removed WHERE topic_id = ? AND partition = ? AND producer_id = ?
       AND first_offset >= ? AND last_offset < ?`,
    )
    const row = find.get(topic.id, partition, producerId, range.start, range.end)
    return (row?.[0] as number | undefined) ?? 0
  }

  /** Null: no such group ever committed. */
  #producer(group: string): number | null {
    const find = this.#database.prepare('SELECT id FROM producers WHERE name = ?')
    return (find.get(group)?.[0] as number | undefined) ?? null
  }
}

export function rowOf(row: Row): IndexRow {
  const [baseOffset, lastOffset, count, segmentId, position, sizeBytes] = row as readonly number[]
  return {
    baseOffset: baseOffset!,
    lastOffset: lastOffset!,
    count: count!,
    segmentId: segmentId!,
    position: position!,
    sizeBytes: sizeBytes!,
  }
}

/** An empty batch that moves a reader past a gap. */
function gap(topic: StoredTopic, partition: number, nextOffset: number): Batch {
  const columns = emptyColumns(topic.info.name, partition, 0)
  columns.nextOffset = nextOffset
  columns.origin = `${topic.info.identity}/${partition}`
  return new Columns(columns)
}
