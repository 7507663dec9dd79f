/** Writes rows to a file that everything reads: NDJSON, or Parquet by DuckDB. There whole, or not at all. */

import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { finished } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { fail } from '../core/errors.ts'

type Row = { readonly [column: string]: unknown }
type Kind = 'INTEGER' | 'DOUBLE' | 'BOOLEAN' | 'VARCHAR' | 'JSON'

const endings = /\.(ndjson|jsonl|ndjson\.gz|jsonl\.gz|parquet)$/

/** Throws `OPTIONS_INVALID`. */
export function checkRowsFile(path: string): void {
  if (endings.test(path)) return
  const known = '.ndjson, .ndjson.gz or .parquet'
  throw fail('OPTIONS_INVALID', `${path}: the name says what is written; let it end in ${known}`)
}

/** How many rows that were. */
export async function writeRowsFile(path: string, rows: AsyncIterable<Row>): Promise<number> {
  const part = `${path}.part`
  const json = path.endsWith('.parquet') ? `${path}.part.ndjson` : part
  try {
    const { count, columns } = await writeLines(json, path.endsWith('.gz'), rows)
    if (json !== part) await writeParquet(json, part, columns)
    await rename(part, path)
    return count
  } finally {
    for (const left of new Set([part, json])) await rm(left, { force: true })
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
    stream.destroy()
    target.destroy()
    // Nothing makes the file again once it is closed.
    if (!target.closed) await once(target, 'close')
    throw error
  }
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
