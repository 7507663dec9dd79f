/** `millrace sql "SELECT ..."`: asks what pipelines kept in DuckDB, also while they run. */
import { join } from 'node:path'
import { Command } from 'commander'
import type { QueryResult } from '../warehouse/query.ts'
import { type ContextSource, processContext } from './context.ts'
import { type Cell, countText, shortened, table } from './table.ts'

export function sqlCommand(context: ContextSource = processContext): Command {
  return new Command('sql')
    .description('ask a question of what pipelines kept in DuckDB, also while they run')
    .argument('<statement>', 'one statement that reads; try SHOW TABLES')
    .option('--path <file>', 'the DuckDB file (default: warehouse.duckdb in MILLRACE_DIR)')
    .option('--json', 'print columns and rows as one line of JSON', false)
    .addHelpText(
      'after',
      '\nExample:\n  millrace sql "SELECT label, count(*) FROM scored GROUP BY 1"',
    )
    .action(async (statement: string, flags: { path?: string; json: boolean }) => {
      const { output, directory } = context()
      // Loaded when they are used: the other commands start faster.
      const { warehouseName } = await import('../sinks/duckdb.ts')
      const { query } = await import('../warehouse/query.ts')
      const result = await query(flags.path ?? join(directory, warehouseName), statement)
      await output.print(flags.json ? JSON.stringify(result) : resultText(result, output.columns))
      if (flags.json && !result.truncated) return
      const { length } = result.rows
      const more = result.truncated ? '; there are more, which were left out: add a LIMIT' : ''
      output.say(`${countText(length)} ${length === 1 ? 'row' : 'rows'}${more}`)
    })
}

/** On a terminal long values are cut, so that a row stays a line. */
function resultText({ columns, rows }: QueryResult, width: number | undefined): string {
  const room = width === undefined ? Number.POSITIVE_INFINITY : Math.max(20, Math.floor(width / 2))
  const cells = rows.map((row) => row.map((value) => cellOf(value, room)))
  const names = columns.map((column) => column.name)
  // A number may be a year or an id: it is shown as it is.
  return table(names, cells, String)
}

function cellOf(value: unknown, room: number): Cell {
  if (value === null || value === undefined) return undefined
  if (typeof value === 'number') return value
  return shortened(typeof value === 'string' ? value : JSON.stringify(value), room)
}
