/**
 * Unlinks segment files that hold nothing any more. A writer whose open file is taken away finds its
 * row gone inside the transaction, before any row of its own, and writes to a new file; so it does
 * not matter who still writes where.
 */
import { join } from 'node:path'
import type { Clock } from '../core/clock.ts'
import type { EmbeddedDatabase } from './embedded-database.ts'
import type { Disk } from './embedded-disk.ts'
import type { StoredTopic, TopicCatalog } from './embedded-topics.ts'

/** A file younger than this is left alone: its writer is about to use it. */
const youngMs = 60_000

export interface SweepOptions {
  readonly database: EmbeddedDatabase
  readonly topics: TopicCatalog
  readonly disk: Disk
  /** `MILLRACE_DIR/log/segments`. */
  readonly directory: string
  readonly clock: Clock
  readonly onStep: (step: 'unlinking' | 'unlinked') => void
}

export class SegmentSweep {
  readonly #options: SweepOptions

  constructor(options: SweepOptions) {
    this.#options = options
  }

  /** Unlinks the topic's segments that no record batch lies in. */
  async unlinkEmpty(topic: StoredTopic): Promise<void> {
    const { database, disk, directory, clock, onStep } = this.#options
    const old = clock.now() - youngMs
    const find = database.prepare(
      `SELECT id FROM segments WHERE topic_id = ?1 AND created_at <= ?2 AND id NOT IN (
         SELECT DISTINCT segment_id FROM batches WHERE topic_id = ?1)`,
    )
    const empty = await database.read(() => find.all(topic.id, old))
    if (empty.length === 0) return
    const remove = database.prepare('DELETE FROM segments WHERE id = ? RETURNING file')
    const files = await database.write(() =>
      find.all(topic.id, old).map(([id]) => remove.get(id!)![0] as string),
    )
    for (const file of files) {
      onStep('unlinking')
      disk.unlink(join(directory, topic.info.identity, file))
      onStep('unlinked')
    }
  }

  /**
   * Removes what a crash left behind: files without a row. A row is there before its file, so the
   * files are listed first.
   */
  async run(): Promise<void> {
    const { database, topics, disk, directory } = this.#options
    const folders = disk.list(directory)
    const listed = folders.map((folder) => ({ folder, files: disk.list(join(directory, folder)) }))
    const known = await database.read(() => topics.list())
    const filesOf = database.prepare('SELECT file FROM segments WHERE topic_id = ?')
    for (const { folder, files } of listed) {
      const topic = known.find(({ info }) => info.identity === folder)
      if (topic === undefined) {
        disk.removeDirectory(join(directory, folder))
        continue
      }
      const rows = await database.read(() => filesOf.all(topic.id))
      const named = new Set(rows.map((row) => row[0] as string))
      for (const file of files) if (!named.has(file)) disk.unlink(join(directory, folder, file))
      await this.unlinkEmpty(topic)
    }
    const orphans = database.prepare(
      'DELETE FROM segments WHERE topic_id NOT IN (SELECT id FROM topics)',
    )
    await database.write(() => orphans.run())
  }
}
