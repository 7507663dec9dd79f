/**
 * The local copy of one partition of a changelog: a SQLite file that keeps, in the same transaction as
 * the values, how far it has come. It can be made anew from the changelog, so nothing of it is synced
 * while it is open: the end of the process leaves it whole, a power cut may not. What was not closed
 * before the machine started anew is therefore thrown away, and so is what SQLite finds damaged. A file
 * beside it is locked for as long as it is open; the system frees it when the process ends.
 */
import { rmSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { Batch } from '../core/batch.ts'
import { isBusy } from './embedded-errors.ts'
import type { StateEntry, StateRange } from './log.ts'
import { limitOf } from './owned-state.ts'

/** How far a copy has come. */
export interface CopyPlace {
  /** Of the changelog that was read; empty: of none. */
  readonly identity: string
  /** All that is decided before this offset is in the copy. */
  readonly position: number
  /**
   * At this time the copy was whole. A delete that came later is in the changelog for as long as
   * deletes are kept there.
   */
  readonly wholeAtMs: number
}

export interface StateFileOptions {
  /** `:memory:` for one that ends with its handle. */
  readonly path: string
  /** Tells one run of the machine from the next. */
  readonly boot: string
}

/** 'MilS' in ASCII, and the format of the tables. */
const applicationId = 0x4d696c53
const formatVersion = 1
/** Pages that may wait in the file that SQLite writes ahead. */
const waitingPages = 2_000
const waitingPagesFilling = 16_000
/** What SQLite keeps of the file in memory: the system's own cache has the rest. */
const cacheKiB = 8_000
const cacheKiBFilling = 64_000

export const inMemory = ':memory:'

export const nowhere: CopyPlace = { identity: '', position: 0, wholeAtMs: 0 }

const tables = `
CREATE TABLE state (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE place (
  identity TEXT NOT NULL,
  position INTEGER NOT NULL,
  whole_at_ms INTEGER NOT NULL,
  is_closed INTEGER NOT NULL,
  boot TEXT NOT NULL
);
INSERT INTO place VALUES ('', 0, 0, 1, '');
PRAGMA application_id = ${applicationId};
PRAGMA user_version = ${formatVersion};
`

export class StateFile {
  readonly #options: StateFileOptions
  readonly #lock: DatabaseSync | undefined
  #database: DatabaseSync
  #statements: ReturnType<typeof prepared>
  #place: CopyPlace = nowhere
  #isOpen = true

  private constructor(options: StateFileOptions, lock: DatabaseSync | undefined) {
    this.#options = options
    this.#lock = lock
    this.#database = trusted(options)
    this.#statements = prepared(this.#database)
    this.#place = this.#begin()
  }

  /** Undefined: somebody else has it open. What cannot be trusted is thrown away and begun anew. */
  static open(options: StateFileOptions): StateFile | undefined {
    if (options.path === inMemory) return new StateFile(options, undefined)
    const lock = locked(`${options.path}.lock`)
    if (lock === undefined) return undefined
    try {
      return new StateFile(options, lock)
    } catch (error) {
      lock.close()
      throw error
    }
  }

  get path(): string {
    return this.#options.path
  }

  get place(): CopyPlace {
    return this.#place
  }

  get(keys: readonly string[]): Map<string, Buffer> {
    const found = new Map<string, Buffer>()
    for (const key of keys) {
      const row = this.#statements.get.get(key) as unknown as [Uint8Array] | undefined
      if (row !== undefined) found.set(key, bufferOf(row[0]))
    }
    return found
  }

  scan(range: StateRange): StateEntry[] {
    const { from = '', to } = range
    const { scan, scanTo } = this.#statements
    const limit = limitOf(range)
    const rows = to === undefined ? scan.all(from, limit) : scanTo.all(from, to, limit)
    return (rows as unknown as [Uint8Array, Uint8Array][]).map(([key, value]) => {
      return [bufferOf(key).toString(), bufferOf(value)]
    })
  }

  /** What `write` puts, with the place that covers it, or nothing of it. */
  change(place: CopyPlace, write: () => void): void {
    this.beginChange()
    try {
      write()
      this.endChange(place)
    } catch (error) {
      this.dropChange()
      throw error
    }
  }

  /** For a change that takes several turns; nobody reads meanwhile. */
  beginChange(): void {
    this.#database.exec('BEGIN')
  }

  endChange(place: CopyPlace): void {
    const { identity, position, wholeAtMs } = place
    this.#statements.move.run(identity, position, wholeAtMs)
    this.#database.exec('COMMIT')
    this.#place = place
  }

  dropChange(): void {
    if (this.#isOpen && this.#database.isTransaction) this.#database.exec('ROLLBACK')
  }

  /** One message of the changelog. */
  put({ bytes, keyStarts, keyEnds, valueStarts, valueEnds }: Batch, index: number): void {
    const { set, unset } = this.#statements
    const key = bytes.subarray(keyStarts[index]!, keyEnds[index]!)
    const start = valueStarts[index]!
    if (start < 0) unset.run(key)
    else set.run(key, bytes.subarray(start, valueEnds[index]!))
  }

  /** Room for many changes at once, while the copy is filled. */
  set isFilling(isFilling: boolean) {
    this.#database.exec(`
      PRAGMA cache_size = -${isFilling ? cacheKiBFilling : cacheKiB};
      PRAGMA wal_autocheckpoint = ${isFilling ? waitingPagesFilling : waitingPages};
    `)
    if (!isFilling) this.#database.exec('PRAGMA shrink_memory')
  }

  /** Empty, as if it were new. */
  clear(): void {
    closeQuietly(this.#database)
    removeFile(this.#options.path)
    this.#database = connected(this.#options.path)
    this.#statements = prepared(this.#database)
    this.#place = this.#begin()
  }

  /** Synced and marked as whole, so that it is trusted also after a power cut. Safe to call twice. */
  close(): void {
    if (!this.#isOpen) return
    this.dropChange()
    try {
      this.#database.exec(`PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE);
        UPDATE place SET is_closed = 1;`)
    } catch {
      // Then it is looked at when it is opened the next time.
    }
    this.#end()
  }

  /** It is damaged: closed, and not to be found again. */
  discard(): void {
    if (!this.#isOpen) return
    closeQuietly(this.#database)
    removeFile(this.#options.path)
    this.#end()
  }

  /** Looks at what is there, and marks it as open before anything is changed that may get torn. */
  #begin(): CopyPlace {
    const { place, mark } = this.#statements
    const [identity, position, wholeAtMs] = place.get() as unknown as [string, number, number]
    mark.run(this.#options.boot)
    this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE); PRAGMA synchronous = OFF')
    this.isFilling = false
    return { identity, position, wholeAtMs }
  }

  #end(): void {
    this.#isOpen = false
    closeQuietly(this.#database)
    this.#lock?.close()
  }
}

/** Undefined: somebody else has the lock. It is an empty database, in a transaction without an end. */
function locked(path: string): DatabaseSync | undefined {
  const lock = new DatabaseSync(path, { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock.close()
    if (isBusy(error)) return undefined
    throw error
  }
}

/** A new one where what is there cannot be trusted. */
function trusted({ path, boot }: StateFileOptions): DatabaseSync {
  let database: DatabaseSync | undefined
  try {
    database = connected(path)
    if (isTrusted(database, boot)) return database
    database.close()
  } catch (error) {
    if (database !== undefined) closeQuietly(database)
    if (!isDamaged(error)) throw error
  }
  removeFile(path)
  return connected(path)
}

/** Synced until more is known of it. */
function connected(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    // Before the first look: no memory is shared with others, who are kept out anyway.
    database.exec(`
      PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
    `)
    if (isEmpty(database)) database.exec(`BEGIN; ${tables} COMMIT;`)
    return database
  } catch (error) {
    closeQuietly(database)
    throw error
  }
}

/** What SQLite cannot write any more is not in the copy, and its place is older. */
function closeQuietly(database: DatabaseSync): void {
  try {
    if (database.isOpen) database.close()
  } catch {
    // See above.
  }
}

function isEmpty(database: DatabaseSync): boolean {
  return database.prepare('SELECT 1 FROM sqlite_schema').get() === undefined
}

function isTrusted(database: DatabaseSync, boot: string): boolean {
  const { application_id: application } = database.prepare('PRAGMA application_id').get()!
  const { user_version: version } = database.prepare('PRAGMA user_version').get()!
  if (application !== applicationId || version !== formatVersion) return false
  const place = database.prepare('SELECT is_closed, boot FROM place').get()
  if (place?.is_closed === 1) return true
  if (place?.boot !== boot) return false
  return database.prepare('PRAGMA quick_check(1)').get()?.quick_check === 'ok'
}

const corrupt = 11
const notADatabase = 26

/** SQLite says so of a file that is none, or not whole. */
export function isDamaged(error: unknown): boolean {
  const { code, errcode } = (error ?? {}) as { code?: unknown; errcode?: unknown }
  if (code !== 'ERR_SQLITE_ERROR' || typeof errcode !== 'number') return false
  return (errcode & 0xff) === corrupt || (errcode & 0xff) === notADatabase
}

function prepared(database: DatabaseSync) {
  const statement = (sql: string): StatementSync => {
    const made = database.prepare(sql)
    made.setReturnArrays(true)
    return made
  }
  // Blobs are ordered by their bytes, and hold every key as it stands in the changelog.
  const from = 'SELECT key, value FROM state WHERE key >= CAST(? AS BLOB)'
  return {
    get: statement('SELECT value FROM state WHERE key = CAST(? AS BLOB)'),
    scan: statement(`${from} ORDER BY key LIMIT ?`),
    scanTo: statement(`${from} AND key < CAST(? AS BLOB) ORDER BY key LIMIT ?`),
    set: statement(
      'INSERT INTO state VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
    ),
    unset: statement('DELETE FROM state WHERE key = ?'),
    place: statement('SELECT identity, position, whole_at_ms FROM place'),
    move: statement('UPDATE place SET identity = ?, position = ?, whole_at_ms = ?'),
    mark: statement('UPDATE place SET is_closed = 0, boot = ?'),
  }
}

function removeFile(path: string): void {
  if (path === inMemory) return
  // Without its database SQLite takes no notice of what was written ahead.
  for (const end of ['', '-wal', '-shm', '-journal']) rmSync(`${path}${end}`, { force: true })
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
