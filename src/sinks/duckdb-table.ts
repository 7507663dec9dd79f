/**
 * One table of a DuckDB file, written by id: rows go through an appender into a temporary table, then
 * one statement moves them over, in one transaction. What was deleted is remembered with its version,
 * so that an older message does not bring it back.
 */
import type { DuckDBConnection } from '@duckdb/node-api'
import { fail } from '../core/errors.ts'
import {
  appendCell,
  appendTime,
  type Column,
  type ColumnType,
  columnTypes,
  foldedName,
  ownColumns,
  quoted,
} from './duckdb-columns.ts'
import { duckdbError, type WarehouseFile } from './duckdb-file.ts'
import type { Row } from './duckdb-rows.ts'

const ownTypes = '_id VARCHAR PRIMARY KEY, _version BIGINT NOT NULL, _time TIMESTAMP, _key VARCHAR'
const staged = 'temp.staged_rows'
const tombstones = 'millrace.deleted'

export class DuckdbTable {
  readonly #file: WarehouseFile
  readonly #connection: DuckDBConnection
  readonly #name: string
  #columns: Column[] = []
  #hasTombstones = false
  #seenChanges = 0

  /** Makes the table when missing. Throws `SINK_UNUSABLE` when one of that name has another shape. */
  static async open(
    file: WarehouseFile,
    name: string,
    declared: readonly Column[],
  ): Promise<DuckdbTable> {
    const connection = await file.connect()
    const table = new DuckdbTable(file, connection, name)
    try {
      await file.exclusive(() => table.#create(declared))
      return table
    } catch (error) {
      connection.closeSync()
      throw duckdbError(file.path, error)
    }
  }

  /** Drops the table and what is remembered of it. */
  static async forget(file: WarehouseFile, name: string): Promise<void> {
    const connection = await file.connect()
    const table = new DuckdbTable(file, connection, name)
    try {
      await connection.run(`DROP TABLE IF EXISTS ${quoted(name)}`)
      if (await table.#knowsTombstones()) {
        await connection.run(`DELETE FROM ${tombstones} WHERE table_name = $1`, [name])
      }
    } catch (error) {
      throw duckdbError(file.path, error)
    } finally {
      connection.closeSync()
    }
  }

  constructor(file: WarehouseFile, connection: DuckDBConnection, name: string) {
    this.#file = file
    this.#connection = connection
    this.#name = name
  }

  /** Columns of the values, in the order of the table: another sink may have added some. */
  async columns(): Promise<readonly Column[]> {
    if (this.#seenChanges !== this.#file.schemaChanges) await this.#look()
    return this.#columns
  }

  /** Writes rows of distinct ids whose cells are in the order of `columns`. All of it or nothing. */
  async write(rows: readonly Row[], columns: readonly Column[]): Promise<void> {
    const added = columns.slice(this.#columns.length)
    const deletes = rows.some((row) => row.cells === undefined)
    await this.#transaction(async () => {
      for (const column of added) await this.#addColumn(column)
      await this.#stage(rows, columns)
      if (this.#hasTombstones || deletes) await this.#settleDeletes(deletes)
      await this.#move(columns)
    })
    this.#columns = [...columns]
    this.#changed(added.length > 0 || (deletes && !this.#hasTombstones))
    this.#hasTombstones ||= deletes
  }

  close(): void {
    this.#connection.closeSync()
  }

  async #create(declared: readonly Column[]): Promise<void> {
    await this.#transaction(async () => {
      await this.#connection.run(`CREATE TABLE IF NOT EXISTS ${quoted(this.#name)} (${ownTypes})`)
      this.#columns = await this.#existingColumns()
      for (const { name, type } of declared) {
        const existing = this.#columns.find((other) => foldedName(other.name) === foldedName(name))
        if (existing === undefined) {
          await this.#addColumn({ name, type })
          this.#columns.push({ name, type })
        } else if (existing.type !== type) {
          throw this.#unusable(`its column ${name} is ${existing.type}, declared is ${type}`)
        }
      }
    })
    this.#hasTombstones = await this.#knowsTombstones()
    this.#changed(true)
  }

  #changed(changed: boolean): void {
    if (changed) this.#file.schemaChanges++
    this.#seenChanges = this.#file.schemaChanges
  }

  async #look(): Promise<void> {
    this.#seenChanges = this.#file.schemaChanges
    this.#columns = await this.#existingColumns()
    this.#hasTombstones = await this.#knowsTombstones()
  }

  async #existingColumns(): Promise<Column[]> {
    const result = await this.#connection.runAndReadAll(
      `SELECT column_name, data_type FROM duckdb_columns()
       WHERE database_name = current_database() AND schema_name = 'main' AND table_name = $1
       ORDER BY column_index`,
      [this.#name],
    )
    const columns = result.getRows().map(([name, type]) => ({ name: `${name}`, type: `${type}` }))
    const own = columns.slice(0, ownColumns.length).map(({ name }) => name)
    if (own.join() !== ownColumns.join()) {
      throw this.#unusable(`it does not begin with the columns ${ownColumns.join(', ')}`)
    }
    return columns.slice(ownColumns.length).map(({ name, type }) => {
      if (isColumnType(type)) return { name, type }
      throw this.#unusable(`its column ${name} is ${type}, not one of ${columnTypes.join(', ')}`)
    })
  }

  #unusable(seen: string): Error {
    const where = `duckdb ${this.#file.path}: the table ${this.#name} is not one of this sink: `
    return fail('SINK_UNUSABLE', `${where}${seen}; choose another table, or drop it`)
  }

  async #knowsTombstones(): Promise<boolean> {
    const result = await this.#connection.runAndReadAll(
      `SELECT 1 FROM duckdb_tables() WHERE database_name = current_database()
       AND schema_name = 'millrace' AND table_name = 'deleted'`,
    )
    return result.currentRowCount > 0
  }

  async #addColumn({ name, type }: Column): Promise<void> {
    await this.#connection.run(
      `ALTER TABLE ${quoted(this.#name)} ADD COLUMN ${quoted(name)} ${type}`,
    )
  }

  async #stage(rows: readonly Row[], columns: readonly Column[]): Promise<void> {
    const { library } = this.#file
    await this.#connection.run(
      `CREATE OR REPLACE TEMP TABLE staged_rows AS
       SELECT false AS "_deleted", * FROM ${quoted(this.#name)} LIMIT 0`,
    )
    const appender = await this.#connection.createAppender('staged_rows', 'main', 'temp')
    try {
      for (const row of rows) {
        appender.appendBoolean(row.cells === undefined)
        appender.appendVarchar(row.id)
        appender.appendBigInt(BigInt(row.version))
        if (Number.isFinite(row.timeMs)) appendTime(appender, row.timeMs, library)
        else appender.appendNull()
        if (row.key === null) appender.appendNull()
        else appender.appendVarchar(row.key)
        for (let position = 0; position < columns.length; position++) {
          appendCell(appender, columns[position]!.type, row.cells?.[position], library)
        }
        appender.endRow()
      }
      appender.flushSync()
    } finally {
      appender.closeSync()
    }
  }

  /** Deletes what is to go, remembers it, and drops from the staged rows what was deleted later. */
  async #settleDeletes(deletes: boolean): Promise<void> {
    const table = quoted(this.#name)
    const literal = `'${this.#name}'`
    const run = (sql: string) => this.#connection.run(sql)
    if (deletes) {
      await run('CREATE SCHEMA IF NOT EXISTS millrace')
      await run(
        `CREATE TABLE IF NOT EXISTS ${tombstones}
         (table_name VARCHAR, id VARCHAR, version BIGINT, PRIMARY KEY (table_name, id))`,
      )
      await run(
        `INSERT INTO ${tombstones}
         SELECT ${literal}, s._id, s._version FROM ${staged} s
         LEFT JOIN ${table} t ON t._id = s._id
         WHERE s._deleted AND (t._id IS NULL OR s._version >= t._version)
         ON CONFLICT DO UPDATE SET version = greatest(version, excluded.version)`,
      )
      await run(
        `DELETE FROM ${table} t USING ${staged} s
         WHERE s._deleted AND t._id = s._id AND s._version >= t._version`,
      )
    }
    await run(
      `DELETE FROM ${staged} s USING ${tombstones} d
       WHERE NOT s._deleted AND d.table_name = ${literal} AND d.id = s._id AND d.version > s._version`,
    )
  }

  async #move(columns: readonly Column[]): Promise<void> {
    const names = [...ownColumns, ...columns.map((column) => column.name)].map(quoted)
    const changes = names.slice(1).map((name) => `${name} = excluded.${name}`)
    const table = quoted(this.#name)
    await this.#connection.run(
      `INSERT INTO ${table} (${names.join(', ')})
       SELECT ${names.join(', ')} FROM ${staged} WHERE NOT _deleted
       ON CONFLICT (_id) DO UPDATE SET ${changes.join(', ')}
       WHERE excluded._version >= ${table}._version`,
    )
  }

  async #transaction(work: () => Promise<void>): Promise<void> {
    await this.#connection.run('BEGIN TRANSACTION')
    try {
      await work()
      await this.#connection.run('COMMIT')
    } catch (error) {
      // A failed COMMIT has ended the transaction already; what counts is the first error.
      await this.#connection.run('ROLLBACK').catch(() => {})
      throw error
    }
  }
}

function isColumnType(type: string): type is ColumnType {
  return (columnTypes as readonly string[]).includes(type)
}
