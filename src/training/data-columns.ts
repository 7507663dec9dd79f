/** Which columns hold the text, the label and the time of a row, and what is in them. */
import { suggestion } from '../core/errors.ts'
import { cut, invalid, type Row, type RowReader } from './data-rows.ts'

/** One column, or several ('title,description') whose texts are joined by a newline. */
export type TextColumns = string | readonly string[]

/**
 * The names of the text's columns. A name that holds a comma stands for itself where there is such a
 * column, for several otherwise. Throws `TRAINING_DATA_INVALID` for one that is not there.
 */
export function textColumns(reader: RowReader, text: TextColumns): readonly string[] {
  const names =
    typeof text !== 'string'
      ? text
      : (reader.columns?.includes(text) ?? false)
        ? [text]
        : text.split(',').map((name) => name.trim())
  if (names.length === 0) throw invalid('no column is named for the text')
  for (const name of names) checkColumn(reader, name)
  return names
}

/** Throws `TRAINING_DATA_INVALID` for a column that the data does not have. */
export function checkColumn({ name, columns }: RowReader, column: string): void {
  if (columns === undefined || columns.includes(column)) return
  const only = columns.length === 1 ? /[;\t|,]/.exec(columns[0]!)?.[0] : undefined
  const split =
    only === undefined ? '' : `; is '${only === '\t' ? '\\t' : only}' its delimiter? Then set it`
  const hint = split === '' ? headerHint(columns) : split
  throw invalid(`'${name}' has no column '${column}'${listColumns(column, columns)}${hint}`)
}

/** The field of a row. Throws `TRAINING_DATA_INVALID` for one that the row does not have. */
export function fieldOf({ where, values }: Row, column: string): unknown {
  if (Object.hasOwn(values, column)) return values[column]
  throw invalid(`${where} has no field '${column}'${listColumns(column, Object.keys(values))}`)
}

/**
 * The text of a row: its columns joined by a newline, those without a value left out where there are
 * several. Undefined: it has none, or something in them is no text. An empty text is a text.
 */
export function textOf(row: Row, columns: readonly string[]): string | undefined {
  if (columns.length === 1) {
    const text = fieldOf(row, columns[0]!)
    return typeof text === 'string' ? text : undefined
  }
  let joined: string | undefined
  for (const column of columns) {
    const text = fieldOf(row, column)
    if (text === null || text === undefined || text === '') continue
    if (typeof text !== 'string') return undefined
    joined = joined === undefined ? text : `${joined}\n${text}`
  }
  return joined
}

/** A label as a string; '': there is none; undefined: what is there cannot be a label. */
export function labelOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value.trim() === '' ? '' : value
  if (value === null || value === undefined || Number.isNaN(value)) return ''
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') {
    return String(value)
  }
  return undefined
}

/** A number or a whole sentence is hardly a name. */
function headerHint(columns: readonly string[]): string {
  const isRow = columns.some((name) => /^[\d.]+$/.test(name) || name.length > maxNameLength)
  return isRow ? '; is that a row, and there is no header line? Then name the columns' : ''
}

const listed = 40
const maxNameLength = 60

function listColumns(column: string, columns: readonly string[]): string {
  const near = suggestion(column, columns)
  const more = columns.length > listed ? ` and ${columns.length - listed} more` : ''
  const shown = columns.slice(0, listed).map((name) => cut(name, maxNameLength))
  const names = `${shown.join(', ')}${more}`
  return `${near === '' ? '' : `, ${near}`} (columns: ${names})`
}
