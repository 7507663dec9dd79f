/** Drops the oldest record batches of a partition: those past the topic's age, or past its size. */
import type { Clock } from '../core/clock.ts'
import type { EmbeddedDatabase } from './embedded-database.ts'
import type { StoredTopic } from './embedded-topics.ts'

/** Rows dropped in one transaction. */
const droppedAtOnce = 1000

/** Counts what was dropped of a producer's messages, so that `count` by group stays exact. */
export function countRemoved(
  database: EmbeddedDatabase,
  topicId: number,
  partition: number,
  producerId: number,
  dropped: { readonly first: number; readonly last: number; readonly count: number },
): void {
  if (producerId === 0 || dropped.count === 0) return
  database
    .prepare(
      `INSERT INTO removed (topic_id, partition, producer_id, first_offset, last_offset, count)
       VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
         first_offset = min(first_offset, excluded.first_offset),
         last_offset = max(last_offset, excluded.last_offset),
         count = count + excluded.count`,
    )
    .run(topicId, partition, producerId, dropped.first, dropped.last, dropped.count)
}

export class Retention {
  readonly #database: EmbeddedDatabase
  readonly #clock: Clock

  constructor(database: EmbeddedDatabase, clock: Clock) {
    this.#database = database
    this.#clock = clock
  }

  /** True when something was dropped. */
  async run(topic: StoredTopic): Promise<boolean> {
    const { retentionMs, retentionBytes, partitions } = topic.info
    if (retentionMs === undefined && retentionBytes === undefined) return false
    let dropped = false
    for (let partition = 0; partition < partitions; partition++) {
      while (await this.#drop(topic, partition)) dropped = true
    }
    return dropped
  }

  /** One transaction's worth; false when nothing is left to drop. */
  async #drop(topic: StoredTopic, partition: number): Promise<boolean> {
    const first = await this.#database.read(() => this.#due(topic, partition))
    if (first.length === 0) return false
    return this.#database.write(() => {
      // Looked up again inside the transaction: another maintainer may have been here.
      const due = this.#due(topic, partition)
      const remove = this.#database.prepare(
        'DELETE FROM batches WHERE topic_id = ? AND partition = ? AND base_offset = ?',
      )
      for (const [baseOffset, last, count, producerId] of due) {
        remove.run(topic.id, partition, baseOffset)
        const dropped = { first: baseOffset, last, count }
        countRemoved(this.#database, topic.id, partition, producerId, dropped)
      }
      this.#moveStart(topic, partition)
      return due.length > 0
    })
  }

  #moveStart(topic: StoredTopic, partition: number): void {
    this.#database
      .prepare(
        `UPDATE partitions SET start_offset = coalesce((SELECT min(base_offset) FROM batches
           WHERE topic_id = ?1 AND partition = ?2), next_offset)
         WHERE topic_id = ?1 AND partition = ?2`,
      )
      .run(topic.id, partition)
  }

  /**
   * The oldest rows that are past age or size: base offset, last offset, count, producer. A batch is
   * old once its newest message is, and once it lies here that long: years-old mails that are
   * replayed today are kept as long as any others.
   */
  #due(topic: StoredTopic, partition: number): [number, number, number, number][] {
    const { retentionMs, retentionBytes } = topic.info
    const oldest = retentionMs === undefined ? -Infinity : this.#clock.now() - retentionMs
    let surplus = retentionBytes === undefined ? 0 : this.#size(topic, partition) - retentionBytes
    const find = this.#database.prepare(
      `SELECT base_offset, last_offset, count, producer_id, size_bytes, max(max_time, appended_at)
       FROM batches WHERE topic_id = ? AND partition = ? ORDER BY base_offset LIMIT ${droppedAtOnce}`,
    )
    const due: [number, number, number, number][] = []
    for (const row of find.all(topic.id, partition)) {
      const [baseOffset, last, count, producerId, sizeBytes, newest] = row as number[]
      if (surplus <= 0 && newest! >= oldest) break
      surplus -= sizeBytes!
      due.push([baseOffset!, last!, count!, producerId!])
    }
    return due
  }

  #size(topic: StoredTopic, partition: number): number {
    const sum = this.#database.prepare(
      'SELECT coalesce(sum(size_bytes), 0) FROM batches WHERE topic_id = ? AND partition = ?',
    )
    return sum.get(topic.id, partition)![0] as number
  }
}
