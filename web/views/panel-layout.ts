/** In which order boards stand, which cards are wide, and how figures of panels are written. */
import type { Board, PanelView, TableView, Unit } from '../../src/server/state.ts'
import { axisNumber, axisPercent, percent, shortNumber, threeDigits } from '../format.ts'

/** An application that runs tells its panels more often than that. */
const staleMs = 60_000

export const isStale = ({ atMs }: Board, nowMs: number) => nowMs - atMs > staleMs

/** Those of applications that run first, else by name: two that run do not change places. */
export function inOrder(boards: readonly Board[], nowMs: number): Board[] {
  return [...boards].sort(
    (a, b) =>
      Number(isStale(a, nowMs)) - Number(isStale(b, nowMs)) ||
      (a.app < b.app ? -1 : Number(a.app > b.app)),
  )
}

/**
 * Which panels take both columns: tables, and of an odd number of others in a row one, so that no
 * place stays empty: a time line where its place allows it, else the last.
 */
export function widePlaces(panels: readonly PanelView[]): ReadonlySet<number> {
  const wide = new Set<number>()
  let start = 0
  for (let end = 0; end <= panels.length; end++) {
    if (end < panels.length && panels[end]!.kind !== 'table') continue
    if (end < panels.length) wide.add(end)
    if ((end - start) % 2 === 1) {
      const line = panels.findIndex(
        ({ kind }, place) =>
          kind === 'timeLine' && place >= start && place < end && (place - start) % 2 === 0,
      )
      wide.add(line === -1 ? end - 1 : line)
    }
    start = end + 1
  }
  return wide
}

type Write = (value: number) => string

/** How a figure is written where it is read, and where a scale needs it. */
export const writers: Readonly<Record<Unit, { readonly write: Write; readonly atAxis: Write }>> = {
  share: { write: percent, atAxis: axisPercent },
  count: { write: shortNumber, atAxis: axisNumber },
  number: { write: threeDigits, atAxis: axisNumber },
}

/** How much of a scale lies below a value, from 0 to 1. */
export const placeOn = (value: number, min: number, max: number) =>
  Math.min(1, Math.max(0, (value - min) / (max - min)))

export type Cell = TableView['rows'][number][number]

/** A cell of a table. Numbers keep their digits: it may be a year or a name. */
export function cellText(cell: Cell | undefined): string {
  if (cell === null || cell === undefined) return '-'
  if (typeof cell === 'number' && !Number.isInteger(cell)) {
    return String(Number(cell.toPrecision(6)))
  }
  return String(cell)
}

/** Columns of long texts share what is left: the longest alone, on one line. */
export function widestColumn(rows: TableView['rows'], columns: number): number | undefined {
  const lengths = Array.from({ length: columns }, (_, column) =>
    Math.max(0, ...rows.map((row) => cellText(row[column]).length)),
  )
  const longest = Math.max(0, ...lengths)
  return longest > 40 ? lengths.indexOf(longest) : undefined
}

export const isNumeric = (rows: TableView['rows'], column: number) =>
  rows.some((row) => typeof row[column] === 'number') &&
  rows.every((row) => row[column] === null || typeof row[column] === 'number')
