/**
 * Fields of records that have quotes, by csv-parse. Many records go to it at once, because a call
 * costs as much as a dozen records; where it does not find as many again, each goes alone.
 */
import { parse } from 'csv-parse/sync'
/** One record that was found, before its fields are taken apart. */
export interface Found {
  readonly start: number
  readonly end: number
  readonly line: number
  readonly quoted: boolean
  readonly malformed: string
}

/** At the index of each quoted, well-formed record its fields; undefined where it has none. */
export function splitQuoted(
  buffer: Buffer,
  found: readonly Found[],
  delimiter: string,
): (string[] | undefined)[] {
  const fields = new Array<string[] | undefined>(found.length)
  const indexes: number[] = []
  const pieces: Buffer[] = []
  found.forEach((row, index) => {
    if (!row.quoted || row.malformed !== '') return
    indexes.push(index)
    pieces.push(buffer.subarray(row.start, row.end), recordEnd)
  })
  if (indexes.length === 0) return fields
  const records = parseRecords(Buffer.concat(pieces), delimiter)
  const together = records?.length === indexes.length
  indexes.forEach((index, order) => {
    const alone = () => parseRecords(pieces[2 * order]!, delimiter)
    const own = together ? records[order] : onlyOne(alone())
    fields[index] = own
  })
  return fields
}

const recordEnd = Buffer.from('\n')

function onlyOne(records: string[][] | undefined): string[] | undefined {
  return records?.length === 1 ? records[0] : undefined
}

/** Undefined where csv-parse refuses. A quote within a field that has none at its start is text. */
function parseRecords(bytes: Buffer, delimiter: string): string[][] | undefined {
  try {
    return parse(bytes, {
      delimiter,
      record_delimiter: ['\n'],
      relax_column_count: true,
      relax_quotes: true,
    })
  } catch {
    return undefined
  }
}
