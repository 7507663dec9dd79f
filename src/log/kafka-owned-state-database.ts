/** The SQLite file of a local copy: how it is locked, opened and looked at before it is trusted. */
import { rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { isBusy } from './embedded-errors.ts'

export interface StateFileOptions {
  /** `:memory:` for one that ends with its handle. */
  readonly path: string
  /** Tells one run of the machine from the next. */
  readonly boot: string
}

/** 'MilS' in ASCII, and the format of the tables. */
const applicationId = 0x4d696c53
const formatVersion = 1
export const inMemory = ':memory:'

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

/** Undefined: somebody else has the lock. It is an empty database, in a transaction without an end. */
export function locked(path: string): DatabaseSync | undefined {
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
export function trusted({ path, boot }: StateFileOptions): DatabaseSync {
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
export function connected(path: string): DatabaseSync {
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
export function closeQuietly(database: DatabaseSync): void {
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
  const { count } = database
    .prepare("SELECT count(*) AS count FROM sqlite_schema WHERE name IN ('state', 'place')")
    .get()!
  if (count !== 2) return false
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

export function removeFile(path: string): void {
  if (path === inMemory) return
  // Without its database SQLite takes no notice of what was written ahead.
  for (const end of ['', '-wal', '-shm', '-journal']) rmSync(`${path}${end}`, { force: true })
}
