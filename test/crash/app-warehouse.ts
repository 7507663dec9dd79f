/** The same application with a DuckDB table too. */
import { pipeline } from 'millrace'
import { duckdb } from 'millrace/sinks'
import { matched } from './app.ts'

export * from './app.ts'

export const warehouse = pipeline('warehouse')
  .from(matched)
  .to(duckdb({ table: 'matched' }))
