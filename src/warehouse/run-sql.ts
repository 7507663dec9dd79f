/** Runs one question on a connection of its own, read-only and within bounds. */
import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api'
import { codeOf, fail, messageOf } from '../core/errors.ts'
import type { WarehouseFile } from '../sinks/duckdb-file.ts'
import { type JsonValue, jsonValue } from './json-values.ts'

export interface QueryColumn {
  readonly name: string
  /** As DuckDB names it. */
  readonly type: string
}

export interface QueryResult {
  readonly columns: readonly QueryColumn[]
  readonly rows: readonly (readonly JsonValue[])[]
  /** True when there were more rows than the bounds let through. */
  readonly truncated: boolean
}

export interface QueryBounds {
  readonly maxRows: number
  /** Of the rows as JSON. */
  readonly maxBytes: number
  readonly timeoutMs: number
}

export const defaultBounds: QueryBounds = {
  maxRows: 10_000,
  maxBytes: 16 * 1024 * 1024,
  timeoutMs: 60_000,
}

/**
 * Runs one statement that only reads. Throws `SQL_INVALID`, with DuckDB's own words where they are
 * the reason. An abort of the signal ends it the same way.
 */
export async function runSql(
  file: WarehouseFile,
  sql: string,
  bounds: QueryBounds,
  signal?: AbortSignal,
): Promise<QueryResult> {
  const connection = await file.connect()
  const interrupt = () => connection.interrupt()
  const overdue = AbortSignal.timeout(bounds.timeoutMs)
  const ended = signal === undefined ? overdue : AbortSignal.any([overdue, signal])
  ended.addEventListener('abort', interrupt)
  try {
    await connection.run('BEGIN TRANSACTION READ ONLY')
    const statement = await prepare(file, connection, sql)
    const result = await fetchRows(statement, bounds, ended)
    await connection.run('ROLLBACK')
    return result
  } catch (error) {
    if (codeOf(error) !== undefined) throw error
    const reason = overdue.aborted
      ? `it took longer than ${bounds.timeoutMs / 1000} s and was stopped; ask for less`
      : messageOf(error)
    throw fail('SQL_INVALID', `sql: ${reason}`, { cause: error })
  } finally {
    ended.removeEventListener('abort', interrupt)
    connection.closeSync()
  }
}

/** The one statement in the text; several could end the transaction that only reads. */
async function prepare(
  file: WarehouseFile,
  connection: DuckDBConnection,
  sql: string,
): Promise<DuckDBPreparedStatement> {
  // DuckDB's library fails without words on a text that holds no statement.
  const hasWords = sql.replace(/--.*$|\/\*[\s\S]*?\*\/|[\s;]/gm, '') !== ''
  if (!hasWords) throw fail('SQL_INVALID', 'sql: there is no statement; try SHOW TABLES')
  const statements = await connection.extractStatements(sql)
  if (statements.count !== 1) {
    throw fail('SQL_INVALID', `sql: seen were ${statements.count} statements; send one at a time`)
  }
  const statement = await statements.prepare(0)
  const { StatementType } = file.library
  if (![StatementType.SELECT, StatementType.EXPLAIN].includes(statement.statementType)) {
    const kind = StatementType[statement.statementType] ?? 'unknown'
    const message = `sql: the statement is ${kind}; the warehouse answers questions only: SELECT, SHOW, DESCRIBE, SUMMARIZE, EXPLAIN`
    throw fail('SQL_INVALID', message)
  }
  return statement
}

async function fetchRows(
  statement: DuckDBPreparedStatement,
  bounds: QueryBounds,
  ended: AbortSignal,
): Promise<QueryResult> {
  const result = await statement.stream()
  const types = result.columnTypes()
  const names = result.columnNames()
  const columns = types.map((type, index) => ({
    name: names[index]!,
    type: type.alias ?? String(type),
  }))
  const rows: JsonValue[][] = []
  let sizeBytes = 0
  for (;;) {
    if (ended.aborted) throw new Error('the question was withdrawn')
    const chunk = await result.fetchChunk()
    if (chunk === null || chunk.rowCount === 0) return { columns, rows, truncated: false }
    for (const values of chunk.getRows()) {
      const row = values.map((value, index) => jsonValue(value, types[index]!))
      sizeBytes += Buffer.byteLength(JSON.stringify(row))
      if (rows.length >= bounds.maxRows || sizeBytes > bounds.maxBytes) {
        return { columns, rows, truncated: true }
      }
      rows.push(row)
    }
  }
}
