/**
 * Keeps a second writer away from a file, as long as the first one's process lives: one that sleeps
 * while another takes its work would write on when it wakes. The lock is the system's own, held
 * through an empty SQLite file, so it is gone with its process and never stale.
 */
import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fail } from '../core/errors.ts'

export interface FileLock {
  release(): void
}

const busyWaitMs = 500

/** Locks in MILLRACE_DIR whoever writes to `path`. Throws `SINK_BUSY`. */
export function lockFile(directory: string, path: string): FileLock {
  const folder = join(directory, 'locks')
  mkdirSync(folder, { recursive: true })
  const name = createHash('sha256').update(resolve(path)).digest('hex').slice(0, 16)
  const database = new DatabaseSync(join(folder, `${name}.lock`), { timeout: 0 })
  try {
    database.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    database.close()
    const busy = 5
    if (((cause as { errcode?: number }).errcode ?? 0) % 256 !== busy) throw cause
    throw fail('SINK_BUSY', `sink file '${path}': another process or thread writes to it`, {
      cause,
      waitMs: busyWaitMs,
    })
  }
  return { release: () => database.close() }
}
