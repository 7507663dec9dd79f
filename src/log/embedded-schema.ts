/**
 * The SQLite file of the embedded log: its tables, its format version, and how it is opened. It is
 * the truth; bytes in segment files that no row of `batches` names are garbage.
 */
import { DatabaseSync } from 'node:sqlite'
import { fail } from '../core/errors.ts'

/** 'Mill' in ASCII: tells our files from another program's. */
export const applicationId = 0x4d696c6c
export const formatVersion = 1

/** Pages of WAL after which any commit checkpoints: a net under the maintainer's own checkpoints. */
const walAutocheckpointPages = 4000
/** The WAL file is cut back to this when it starts anew. */
const walKeptBytes = 16 * 1024 * 1024

const tables = `
CREATE TABLE topics (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  identity TEXT NOT NULL,
  partitions INTEGER NOT NULL,
  cleanup TEXT NOT NULL,
  retention_ms INTEGER,
  retention_bytes INTEGER,
  max_message_bytes INTEGER NOT NULL,
  compression TEXT NOT NULL
);
CREATE TABLE partitions (
  topic_id INTEGER NOT NULL,
  partition INTEGER NOT NULL,
  start_offset INTEGER NOT NULL DEFAULT 0,
  next_offset INTEGER NOT NULL DEFAULT 0,
  compacted_to INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (topic_id, partition)
) WITHOUT ROWID;
CREATE TABLE segments (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  topic_id INTEGER NOT NULL,
  file TEXT NOT NULL,
  created_at INTEGER NOT NULL
);
CREATE INDEX segments_of_topic ON segments (topic_id);
CREATE TABLE batches (
  topic_id INTEGER NOT NULL,
  partition INTEGER NOT NULL,
  base_offset INTEGER NOT NULL,
  last_offset INTEGER NOT NULL,
  count INTEGER NOT NULL,
  segment_id INTEGER NOT NULL,
  position INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL,
  max_time INTEGER NOT NULL,
  appended_at INTEGER NOT NULL,
  producer_id INTEGER NOT NULL,
  PRIMARY KEY (topic_id, partition, base_offset)
) WITHOUT ROWID;
CREATE TABLE removed (
  topic_id INTEGER NOT NULL,
  partition INTEGER NOT NULL,
  producer_id INTEGER NOT NULL,
  first_offset INTEGER NOT NULL,
  last_offset INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (topic_id, partition, producer_id)
) WITHOUT ROWID;
CREATE TABLE producers (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE groups (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  generation INTEGER NOT NULL DEFAULT 0,
  paused INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE members (
  id TEXT PRIMARY KEY,
  joined INTEGER NOT NULL,
  group_id INTEGER NOT NULL,
  machine TEXT NOT NULL,
  pid INTEGER NOT NULL,
  process_start TEXT NOT NULL,
  thread INTEGER NOT NULL,
  heartbeat_at INTEGER NOT NULL,
  session_timeout_ms INTEGER NOT NULL,
  plan_hash TEXT,
  exclusive INTEGER NOT NULL,
  topics TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX members_of_group ON members (group_id);
CREATE TABLE owners (
  group_id INTEGER NOT NULL,
  topic TEXT NOT NULL,
  partition INTEGER NOT NULL,
  member_id TEXT NOT NULL,
  PRIMARY KEY (group_id, topic, partition)
) WITHOUT ROWID;
CREATE TABLE checkpoints (
  group_id INTEGER NOT NULL,
  topic TEXT NOT NULL,
  partition INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  metadata TEXT NOT NULL,
  PRIMARY KEY (group_id, topic, partition)
);
CREATE TABLE stores (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE);
CREATE TABLE state (
  store_id INTEGER NOT NULL,
  partition INTEGER NOT NULL,
  key TEXT NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY (store_id, partition, key)
);
CREATE TABLE leases (
  name TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  machine TEXT NOT NULL,
  pid INTEGER NOT NULL,
  process_start TEXT NOT NULL,
  heartbeat_at INTEGER NOT NULL
) WITHOUT ROWID;
PRAGMA application_id = ${applicationId};
PRAGMA user_version = ${formatVersion};
`

/**
 * Opens the file and makes its tables when it is new. Throws what SQLite throws (busy: try again),
 * and `DIRECTORY_FORMAT`.
 */
export function openDatabase(path: string, durability: 'power' | 'process'): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    const found = formatOf(database)
    if (found.empty || found.ours) database.exec('PRAGMA journal_mode = WAL')
    database.exec(`
      PRAGMA synchronous = ${durability === 'power' ? 'FULL' : 'NORMAL'};
      PRAGMA wal_autocheckpoint = ${walAutocheckpointPages};
      PRAGMA journal_size_limit = ${walKeptBytes};
      PRAGMA temp_store = MEMORY;
      PRAGMA cache_size = -16000;
    `)
    prepareTables(database, path)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function prepareTables(database: DatabaseSync, path: string): void {
  if (formatOf(database).empty) {
    database.exec('BEGIN IMMEDIATE')
    try {
      if (formatOf(database).empty) database.exec(tables)
      database.exec('COMMIT')
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK')
      throw error
    }
  }
  const { ours, version } = formatOf(database)
  if (!ours) {
    throw fail('DIRECTORY_FORMAT', `${path}: was made by another program; choose another directory`)
  }
  if (version !== formatVersion) {
    throw fail(
      'DIRECTORY_FORMAT',
      `${path}: has format version ${version}, this Millrace reads ${formatVersion}; use the version that wrote it, or start over in another directory`,
    )
  }
}

function formatOf(database: DatabaseSync): { empty: boolean; ours: boolean; version: number } {
  const application = database.prepare('PRAGMA application_id').get()?.application_id
  const version = Number(database.prepare('PRAGMA user_version').get()?.user_version)
  const objects = database.prepare('SELECT count(*) AS count FROM sqlite_schema').get()?.count
  const empty = application === 0 && version === 0 && objects === 0
  return { empty, ours: application === applicationId, version }
}
