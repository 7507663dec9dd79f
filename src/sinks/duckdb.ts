/**
 * A table in a DuckDB file, to ask questions of in SQL on one machine (`millrace sql`). Use it for
 * results to explore; for rows that other programs update, use a database with a server.
 */
import path from 'node:path'
import { z } from 'zod'
import type { Batch } from '../core/batch.ts'
import { fail, orderOf, type Refusal } from '../core/errors.ts'
import { columnTypes, foldedName, ownColumns } from './duckdb-columns.ts'
import { duckdbError, openWarehouseFile, type WarehouseFile } from './duckdb-file.ts'
import { planRows } from './duckdb-rows.ts'
import { DuckdbTable } from './duckdb-table.ts'
import { defineSink, type Sink, type SinkUse, useSink } from './sink.ts'

/** The name of the file in MILLRACE_DIR that is used when no path is given. */
export const warehouseName = 'warehouse.duckdb'

const options = z.strictObject({
  table: z
    .string()
    .regex(/^[A-Za-z]\w{0,62}$/, 'a letter, then letters, digits and _')
    .describe('The table to write to; it is made when it does not exist.'),
  path: z
    .string()
    .min(1)
    .optional()
    .describe(`The DuckDB file; \`${warehouseName}\` in MILLRACE_DIR unless told otherwise.`),
  columns: z
    .record(z.string().min(1), z.enum(columnTypes))
    .refine(
      (columns) => namesDiffer(Object.keys(columns)),
      'two names are the same, or the sink has them',
    )
    .default({})
    .describe(
      'Types of fields, by name, where the first value should not decide: a number is DOUBLE, a ' +
        'string VARCHAR, a boolean BOOLEAN, anything else JSON. Other fields become columns as they come.',
    ),
})

/** What `open` gives: the sink, and the open file for whoever serves SQL from it. */
export interface DuckdbSink extends Sink {
  readonly warehouse: WarehouseFile
}

export const duckdbPart = defineSink({
  name: 'duckdb',
  summary:
    'Keeps the newest version of each message as a row of a DuckDB table, by id; ask it with `millrace sql`.',
  options,
  example: { table: 'scored', columns: { likes: 'BIGINT' } },
  delivery: 'keyed',
  single: true,
  async open({ table: name, path: file, columns }, { directory }): Promise<DuckdbSink> {
    const warehouse = await openWarehouseFile(file ?? path.join(directory, warehouseName))
    const declared = Object.entries(columns).map(([column, type]) => ({ name: column, type }))
    try {
      const table = await DuckdbTable.open(warehouse, name, declared)
      return new OpenDuckdbSink(warehouse, table)
    } catch (error) {
      await warehouse.close()
      throw error
    }
  },
  async forget({ table, path: file }, { directory }) {
    const warehouse = await openWarehouseFile(file ?? path.join(directory, warehouseName))
    try {
      await warehouse.exclusive(() => DuckdbTable.forget(warehouse, table))
    } finally {
      await warehouse.close()
    }
  },
})

/** Keeps messages as rows of a DuckDB table, by id. Throws `OPTIONS_INVALID`. */
export function duckdb(given: z.input<typeof options>): SinkUse {
  return useSink(duckdbPart, given)
}

class OpenDuckdbSink implements DuckdbSink {
  readonly warehouse: WarehouseFile
  readonly #table: DuckdbTable
  #closing: Promise<void> | undefined

  constructor(warehouse: WarehouseFile, table: DuckdbTable) {
    this.warehouse = warehouse
    this.#table = table
  }

  async write(batch: Batch): Promise<undefined> {
    const refused = await this.warehouse.exclusive(() => this.#write(batch))
    if (refused.length === 0) return
    const first = refused[0]!
    const others = refused.length === 1 ? '' : ` and ${refused.length - 1} more`
    const message = `duckdb ${this.warehouse.path}: message ${first.index}: ${first.reason}${others}`
    throw fail('SINK_REFUSED', message, { refused })
  }

  async #write(batch: Batch): Promise<readonly Refusal[]> {
    const { rows, columns, refused } = planRows(batch, await this.#table.columns())
    try {
      if (rows.length > 0) await this.#table.write(rows, columns)
    } catch (error) {
      throw orderOf(error) === undefined ? duckdbError(this.warehouse.path, error) : error
    }
    return refused
  }

  position(): undefined {
    return undefined
  }

  close(): Promise<void> {
    this.#closing ??= this.warehouse
      .exclusive(async () => this.#table.close())
      .then(() => this.warehouse.close())
    return this.#closing
  }
}

function namesDiffer(names: readonly string[]): boolean {
  const folded = names.map(foldedName)
  return new Set(folded).size === names.length && !folded.some((name) => ownColumns.includes(name))
}
