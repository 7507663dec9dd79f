/**
 * Turns a batch into rows of a table: values parsed and held against the columns, new fields made
 * columns, messages that cannot be kept refused one by one, and of each id the newest version only.
 */
import type { Batch } from '../core/batch.ts'
import type { Refusal } from '../core/errors.ts'
import { idOf, versionOf } from '../core/identity.ts'
import {
  type Column,
  type ColumnType,
  fits,
  foldedName,
  inferType,
  maxColumns,
  ownColumns,
} from './duckdb-columns.ts'

export interface Row {
  readonly id: string
  readonly version: number
  readonly timeMs: number
  readonly key: string | null
  /** By column; undefined deletes the row. */
  readonly cells: readonly unknown[] | undefined
}

export interface PlannedRows {
  readonly rows: readonly Row[]
  /** All columns of the values, those added by this batch at the end. */
  readonly columns: readonly Column[]
  readonly refused: readonly Refusal[]
}

/** Plans the write of a batch; `columns` are those that the table has now. */
export function planRows(batch: Batch, columns: readonly Column[]): PlannedRows {
  const table = new GrowingColumns(columns)
  const newest = new Map<string, Row>()
  const refused: Refusal[] = []
  for (let index = 0; index < batch.count; index++) {
    const row = rowOf(batch, index, table)
    if (typeof row === 'string') {
      refused.push({ index, reason: row })
      continue
    }
    const other = newest.get(row.id)
    if (other === undefined || row.version >= other.version) newest.set(row.id, row)
  }
  return { rows: [...newest.values()], columns: table.columns, refused }
}

/** The row of a message, or in words why it can never be one. */
function rowOf(batch: Batch, index: number, table: GrowingColumns): Row | string {
  const version = versionOf(batch, index)
  if (!Number.isSafeInteger(version)) return 'its version is not a whole number'
  const start = batch.valueStarts[index]!
  let cells: unknown[] | undefined
  if (start >= 0) {
    const taken = table.take(batch.bytes.toString('utf8', start, batch.valueEnds[index]!))
    if (typeof taken === 'string') return taken
    cells = taken
  }
  const keyStart = batch.keyStarts[index]!
  const key = keyStart < 0 ? null : batch.bytes.toString('utf8', keyStart, batch.keyEnds[index]!)
  return { id: idOf(batch, index), version, timeMs: batch.times[index]!, key, cells }
}

class GrowingColumns {
  readonly columns: Column[]
  /** By folded name and, once met, by the name as it was spelt. */
  readonly #positions = new Map<string, number>()

  constructor(columns: readonly Column[]) {
    this.columns = [...columns]
    columns.forEach((column, position) => {
      this.#positions.set(foldedName(column.name), position)
    })
  }

  /** Cells of a value by column, or why it does not fit; then no column was added either. */
  take(json: string): unknown[] | string {
    let value: unknown
    try {
      value = JSON.parse(json)
    } catch {
      return 'its value is not JSON'
    }
    const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value)
    const fields = isRecord ? (value as Record<string, unknown>) : { value }
    const cells: unknown[] = []
    const added: { column: Column; value: unknown }[] = []
    for (const name of Object.keys(fields)) {
      const problem = this.#place(name, fields[name], cells, added)
      if (problem !== undefined) return problem
    }
    for (const { column, value } of added) {
      this.#positions.set(foldedName(column.name), this.columns.length)
      cells[this.columns.length] = value
      this.columns.push(column)
    }
    return cells
  }

  #place(
    name: string,
    value: unknown,
    cells: unknown[],
    added: { column: Column; value: unknown }[],
  ): string | undefined {
    const position = this.#positionOf(name)
    if (position === undefined) return this.#add(name, value, added)
    if (cells[position] !== undefined) return `two of its fields are named '${name}' but for case`
    const { type } = this.columns[position]!
    if (!fits(value, type)) return misfit(name, value, type)
    cells[position] = value
    return undefined
  }

  #positionOf(name: string): number | undefined {
    const position = this.#positions.get(name)
    if (position !== undefined) return position
    const folded = this.#positions.get(foldedName(name))
    if (folded !== undefined) this.#positions.set(name, folded)
    return folded
  }

  #add(
    name: string,
    value: unknown,
    added: { column: Column; value: unknown }[],
  ): string | undefined {
    const folded = foldedName(name)
    if (ownColumns.includes(folded))
      return `its field '${name}' has the name of a column of the sink`
    if (name === '' || name.includes('\0') || !name.isWellFormed()) {
      return `its field ${JSON.stringify(name)} has a name that no column can have`
    }
    if (added.some(({ column }) => foldedName(column.name) === folded)) {
      return `two of its fields are named '${name}' but for case`
    }
    const type = inferType(value)
    if (type === undefined) return undefined
    if (this.columns.length + added.length >= maxColumns) {
      return `its field '${name}' would be column ${maxColumns + 1}; nest what is a map`
    }
    added.push({ column: { name, type }, value })
    return undefined
  }
}

function misfit(name: string, value: unknown, type: ColumnType): string {
  const json = JSON.stringify(value)
  const shown = json.length > 60 ? `${json.slice(0, 60)}...` : json
  return `its field '${name}' is ${shown}, which does not fit the column's type ${type}`
}
