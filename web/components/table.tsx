/** A table that fits: on a narrow page it scrolls in itself, also by the keyboard. */
import type { ComponentChildren } from 'preact'

export interface Column<Row> {
  readonly title: string
  /** Numbers stand on the right. */
  readonly isNumber?: boolean
  /** Fills what the others leave, on one line. */
  readonly isWide?: boolean
  readonly cell: (row: Row) => ComponentChildren
  /** The whole of it, where the cell is shortened. */
  readonly full?: (row: Row) => string | undefined
}

export interface TableProps<Row> {
  readonly label: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly keyOf: (row: Row) => string
  readonly rowClass?: (row: Row) => string | undefined
}

export function Table<Row>({ label, columns, rows, keyOf, rowClass }: TableProps<Row>) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section class="scroll" aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {columns.map(({ title, isNumber, isWide }) => (
              <th key={title} scope="col" class={classOf(isNumber, isWide)}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)} class={rowClass?.(row)}>
              {columns.map(({ title, isNumber, isWide, cell, full }) => (
                <td key={title} class={classOf(isNumber, isWide)} title={full?.(row)}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

const classOf = (isNumber = false, isWide = false) =>
  isNumber ? 'number' : isWide ? 'wide' : undefined
