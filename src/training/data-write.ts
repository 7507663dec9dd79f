/** Writes rows to a file that everything reads: NDJSON, or Parquet by DuckDB. There whole, or not at all. */

import { once } from 'node:events'
import { createWriteStream, statSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { finished } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { fail, messageOf } from '../core/errors.ts'

type Row = { readonly [column: string]: unknown }
type Kind = 'INTEGER' | 'DOUBLE' | 'BOOLEAN' | 'VARCHAR' | 'JSON'

const endings = /\.(ndjson|jsonl|ndjson\.gz|jsonl\.gz|parquet)$/

/** Throws `OPTIONS_INVALID` for a name that says nothing, and a place where no file can be. */
export function checkRowsFile(path: string): void {
  const refused = (words: string) => fail('OPTIONS_INVALID', `${path}: ${words}`)
  if (isFolder(path)) {
    throw refused('it is a folder; name a file in it')
  }
  const known = '.ndjson, .ndjson.gz or .parquet'
  if (!endings.test(path)) {
    throw refused(`the name says what is written; let it end in ${known}`)
  }
  const folder = dirname(path)
  if (!isFolder(folder)) {
    throw refused(`there is no folder ${folder} to write it to; make it first`)
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

/** How many rows that were. Throws `OPTIONS_INVALID`, `DISK_FULL`. */
export async function writeRowsFile(path: string, rows: AsyncIterable<Row>): Promise<number> {
  checkRowsFile(path)
  const part = `${path}.part`
  const json = path.endsWith('.parquet') ? `${path}.part.ndjson` : part
  try {
    const { count, columns } = await writeLines(json, path.endsWith('.gz'), rows)
    if (json !== part) await writeParquet(json, part, columns)
    await rename(part, path).catch((error: unknown) => {
      throw unwritable(path, error)
    })
    return count
  } finally {
    // What is no file cannot be removed; why it could not be written is told already.
    for (const left of new Set([part, json])) {
      await rm(left, { force: true }).catch(() => undefined)
    }
  }
}

async function writeLines(file: string, isPacked: boolean, rows: AsyncIterable<Row>) {
  const target = createWriteStream(file)
  const stream = isPacked ? createGzip() : target
  if (stream !== target) stream.pipe(target)
  const ended = finished(target)
  // Whoever waits for a drain hears of a failure there.
  ended.catch(() => undefined)
  try {
    const columns = new Map<string, Kind | undefined>()
    let count = 0
    for await (const row of rows) {
      for (const [column, value] of Object.entries(row)) {
        columns.set(column, joined(columns.get(column), kindOf(value)))
      }
      count++
      const hasRoom = stream.write(`${JSON.stringify(row)}\n`)
      if (!hasRoom) await Promise.race([once(stream, 'drain'), ended])
    }
    stream.end()
    await ended
    return { count, columns }
  } catch (error) {
    const broken = target.errored
    stream.destroy()
    target.destroy()
    // Nothing makes the file again once it is closed.
    if (!target.closed) await once(target, 'close')
    throw broken === null ? error : unwritable(file, broken)
  }
}

function unwritable(path: string, error: unknown): Error {
  const isFull = (error as NodeJS.ErrnoException).code === 'ENOSPC'
  const code = isFull ? 'DISK_FULL' : 'OPTIONS_INVALID'
  return fail(code, `${path}: it cannot be written: ${messageOf(error)}`, { cause: error })
}

/** Undefined: nothing is known of it. */
function kindOf(value: unknown): Kind | undefined {
  if (value === null || value === undefined) return undefined
  // Whole numbers beyond this are whole in a DOUBLE, and come back as numbers.
  if (typeof value === 'number') return (value | 0) === value ? 'INTEGER' : 'DOUBLE'
  if (typeof value === 'boolean') return 'BOOLEAN'
  return typeof value === 'string' ? 'VARCHAR' : 'JSON'
}

function joined(one: Kind | undefined, other: Kind | undefined): Kind | undefined {
  if (one === undefined || other === undefined || one === other) return one ?? other
  const isNumber = (kind: Kind) => kind === 'INTEGER' || kind === 'DOUBLE'
  return isNumber(one) && isNumber(other) ? 'DOUBLE' : 'JSON'
}

async function writeParquet(
  json: string,
  file: string,
  columns: ReadonlyMap<string, Kind | undefined>,
): Promise<void> {
  if (columns.size === 0) {
    throw fail('OPTIONS_INVALID', `${file}: Parquet needs columns, and there is no row`)
  }
  // Loaded when it is used: it is large.
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    const types = [...columns].map(([name, kind]) => `${quoted(name)}: '${kind ?? 'VARCHAR'}'`)
    const read = `read_json(${quoted(json)}, format = 'newline_delimited', columns = {${types}})`
    await connection.run(`COPY (SELECT * FROM ${read}) TO ${quoted(file)} (FORMAT parquet)`)
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`
