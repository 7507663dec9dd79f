/**
 * The doctor's checks of the embedded log, through a connection that can only read: the SQLite file,
 * the segment files that it names, the newest batch of each partition, and who is in the groups.
 */
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { messageOf } from '../core/errors.ts'
import { mayLive } from '../log/embedded-process.ts'
import { applicationId, formatVersion } from '../log/embedded-schema.ts'
import { decodeRecordBatches } from '../log/record-batch.ts'
import type { Check, Finding } from './doctor-check.ts'
import { bytesText, countText } from './table.ts'

const damaged = 'restore the directory from a copy, or start over with --fresh'
/** Newest batches that are read: enough to find a torn file without reading everything. */
const sampledBatches = 500

export function logChecks(directory: string): Check[] {
  const path = join(directory, 'log', 'millrace.db')
  if (!existsSync(path)) {
    return [{ name: 'log', run: () => ({ health: 'ok', saw: 'none yet; the first run makes it' }) }]
  }
  const folder = join(directory, 'log', 'segments')
  return [
    { name: 'log format', run: () => reading(path, checkFormat) },
    { name: 'log index', run: () => reading(path, checkIndex) },
    {
      name: 'log segments',
      run: () => reading(path, (database) => checkSegments(database, folder)),
    },
    {
      name: 'newest batches',
      run: () => reading(path, (database) => checkNewest(database, folder)),
    },
    { name: 'members', run: () => reading(path, checkMembers) },
  ]
}

function reading(path: string, look: (database: DatabaseSync) => Finding): Finding {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5000 })
  try {
    if (look !== checkFormat && checkFormat(database).health === 'fail') {
      return { health: 'warn', saw: 'not looked at: the format is not ours' }
    }
    return look(database)
  } finally {
    database.close()
  }
}

function checkFormat(database: DatabaseSync): Finding {
  const application = database.prepare('PRAGMA application_id').get()?.application_id
  const version = database.prepare('PRAGMA user_version').get()?.user_version
  if (application !== applicationId) {
    const fix = 'choose another directory with MILLRACE_DIR'
    return { health: 'fail', saw: 'log/millrace.db was made by another program', fix }
  }
  if (version === formatVersion) return { health: 'ok', saw: `version ${formatVersion}` }
  const fix = 'use the version of Millrace that wrote it, or another directory'
  return { health: 'fail', saw: `version ${version}, this Millrace reads ${formatVersion}`, fix }
}

function checkIndex(database: DatabaseSync): Finding {
  const rows = database.prepare('PRAGMA quick_check(5)').all()
  const words = rows.map((row) => String(row.quick_check))
  if (words.length === 1 && words[0] === 'ok') {
    const count = database.prepare('SELECT count(*) AS count FROM batches').get()?.count
    return { health: 'ok', saw: `quick check passed, ${countText(Number(count))} batches` }
  }
  return { health: 'fail', saw: words.join('; '), fix: damaged }
}

/** What `batches` names has to be there; a segment that went meanwhile has no rows any more. */
function checkSegments(database: DatabaseSync, folder: string): Finding {
  const find = database.prepare(`
    SELECT segments.id AS id, identity, file, max(position + size_bytes) AS needed
    FROM batches JOIN segments ON segments.id = segment_id JOIN topics ON topics.id = segments.topic_id
    GROUP BY segments.id`)
  const stillNeeded = database.prepare('SELECT 1 FROM batches WHERE segment_id = ? LIMIT 1')
  const wrong: string[] = []
  let sizeBytes = 0
  const segments = find.all()
  for (const { id, identity, file, needed } of segments) {
    const path = join(folder, String(identity), String(file))
    const seen = statSync(path, { throwIfNoEntry: false })?.size
    sizeBytes += seen ?? 0
    if (seen !== undefined && seen >= Number(needed)) continue
    if (stillNeeded.get(id!) === undefined) continue
    wrong.push(seen === undefined ? `${path} is missing` : `${path} has ${seen} of ${needed} bytes`)
  }
  if (wrong.length === 0) {
    return { health: 'ok', saw: `${countText(segments.length)} files, ${bytesText(sizeBytes)}` }
  }
  const more = wrong.length > 3 ? ` and ${wrong.length - 3} more` : ''
  return { health: 'fail', saw: wrong.slice(0, 3).join('; ') + more, fix: damaged }
}

/** The last batch of each partition is where a crash would have torn something. */
function checkNewest(database: DatabaseSync, folder: string): Finding {
  const newest = database.prepare(`
    SELECT name, partition, base_offset, max(last_offset) AS last_offset, position, size_bytes,
      identity, file, segments.id AS segment
    FROM batches JOIN segments ON segments.id = segment_id JOIN topics ON topics.id = batches.topic_id
    GROUP BY batches.topic_id, partition ORDER BY last_offset DESC LIMIT ?`)
  const stillNeeded = database.prepare('SELECT 1 FROM batches WHERE segment_id = ? LIMIT 1')
  const rows = newest.all(sampledBatches)
  const wrong: string[] = []
  for (const row of rows) {
    try {
      decodeBatch(row, folder)
    } catch (error) {
      if (stillNeeded.get(row.segment!) !== undefined) wrong.push(messageOf(error))
    }
  }
  if (wrong.length === 0) {
    return { health: 'ok', saw: `those of ${countText(rows.length)} partitions decode` }
  }
  return { health: 'fail', saw: wrong.slice(0, 3).join('; '), fix: damaged }
}

function decodeBatch(row: Record<string, unknown>, folder: string): void {
  const sizeBytes = Number(row.size_bytes)
  const bytes = Buffer.alloc(sizeBytes)
  const file = openSync(join(folder, String(row.identity), String(row.file)), 'r')
  try {
    readSync(file, bytes, 0, sizeBytes, Number(row.position))
  } finally {
    closeSync(file)
  }
  const baseOffset = Number(row.base_offset)
  decodeRecordBatches({
    ...{ topic: String(row.name), partition: Number(row.partition), origin: '', bytes },
    batches: [{ position: 0, sizeBytes, baseOffset }],
    ...{ from: baseOffset, nextOffset: Number(row.last_offset) + 1 },
  })
}

function checkMembers(database: DatabaseSync): Finding {
  const rows = database
    .prepare(
      `SELECT groups.name AS name, machine, pid, process_start, heartbeat_at, session_timeout_ms
       FROM members JOIN groups ON groups.id = group_id`,
    )
    .all()
  const now = Date.now()
  const dead = rows.filter((row) => {
    const start = String(row.process_start)
    const member = { machine: String(row.machine), pid: Number(row.pid), start }
    return now - Number(row.heartbeat_at) > Number(row.session_timeout_ms) || !mayLive(member)
  })
  const living = rows.length - dead.length
  if (dead.length === 0) return { health: 'ok', saw: `${living} alive` }
  const groups = [...new Set(dead.map((row) => row.name))].join(', ')
  const saw = `${living} alive, ${dead.length} dead (groups ${groups})`
  return { health: 'warn', saw, fix: 'nothing to do: the next run of the pipeline takes over' }
}
