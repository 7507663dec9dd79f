/**
 * From the bytes of a window to messages: one class for lines (NDJSON, plain text), one for
 * delimited rows (CSV, TSV). Each takes whole records only, and leaves the rest in the window.
 */
import { isUtf8 } from 'node:buffer'
import type { BatchBuilder } from '../core/batch-builder.ts'
import type { ByteWindow } from './files-bytes.ts'
import { type Frame, LineFrame, QuotedFrame } from './files-frames.ts'
import { type Found, splitQuoted } from './files-quoted.ts'
import type { IdHeader } from './id-header.ts'
import type { Unreadable } from './source.ts'

/** What is kept of a record that cannot be read. */
export const rawSizeBytes = 64 * 1024
/** A record longer than this is unreadable; memory never holds more than about twice as much. */
export const maxRecordSizeBytes = 64 * 1024 * 1024
export const overlong = `it is longer than ${maxRecordSizeBytes / 1024 / 1024} MiB`
const batchSizeBytes = 4 * 1024 * 1024

/** Where rows go, and the count of lines that ids are made of. */
export interface RowTarget {
  readonly builder: BatchBuilder
  readonly unreadable: Unreadable[]
  readonly id: IdHeader
  readonly path: string
  readonly timeMs: number
  /** Number of the line where the next record starts, from 1. */
  line: number
  /** Takes the fields of delimited records, by the line where they start, in place of the builder. */
  readonly takeFields?: (line: number, fields: readonly string[]) => void
}

export interface Rows {
  /**
   * Moves up to `maxRows` whole records out of the window, and says how many there were, readable or
   * not; blank lines are passed over. With `final`, what is left without a newline is a record.
   */
  take(window: ByteWindow, target: RowTarget, maxRows: number, final: boolean): number
}

/** Adds the record at `[start, end)` of the window's buffer to the unreadable ones. */
export function addUnreadable(target: RowTarget, line: number, raw: Buffer, reason: string): void {
  target.unreadable.push({
    id: `files:${target.path}:${line}`,
    raw: Buffer.from(raw.subarray(0, rawSizeBytes)),
    reason: `${target.path}:${line}: ${reason}`,
  })
}

/** True when the range holds nothing but spaces and tabs. */
function isBlank(buffer: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    if (buffer[at] !== 0x20 && buffer[at] !== 0x09) return false
  }
  return true
}

/** A line a message. NDJSON passes its bytes on as they are; text becomes a JSON string. */
export class LineRows implements Rows {
  readonly #frame = new LineFrame()
  readonly #asText: boolean

  constructor(asText: boolean) {
    this.#asText = asText
  }

  take(window: ByteWindow, target: RowTarget, maxRows: number, final: boolean): number {
    const frame = this.#frame
    const { builder } = target
    let rows = 0
    while (rows < maxRows && builder.sizeBytes < batchSizeBytes) {
      const { buffer, start } = window
      if (!frame.find(buffer, start, window.end, final)) break
      if (!isBlank(buffer, start, frame.end)) {
        this.#append(target, buffer.subarray(start, frame.end))
        rows++
      }
      target.line += frame.newlines
      window.start = frame.next
    }
    return rows
  }

  #append(target: RowTarget, value: Buffer): void {
    const { builder, id, timeMs, line } = target
    if (value.length > maxRecordSizeBytes) addUnreadable(target, line, value, overlong)
    else if (!this.#asText) builder.append(null, value, timeMs, id.ofNumber(line))
    else if (!isUtf8(value)) addUnreadable(target, line, value, notUtf8)
    else builder.append(null, JSON.stringify(value.toString()), timeMs, id.ofNumber(line))
  }
}

const notUtf8 = "it is not valid UTF-8; if the file is in another encoding, set 'encoding'"

export interface Delimited {
  readonly delimiter: string
  readonly quotes: boolean
  readonly columns: readonly string[]
}

/** A delimited record a message: a JSON object of strings, in the order of the columns. */
export class DelimitedRows implements Rows {
  readonly #frame: Frame
  readonly #delimiter: string
  /** `{"first":`, `,"second":` and so on. */
  readonly #openings: readonly string[]

  constructor(settings: Delimited) {
    this.#frame = frameOf(settings)
    this.#delimiter = settings.delimiter
    this.#openings = settings.columns.map(
      (column, index) => `${index === 0 ? '{' : ','}${JSON.stringify(column)}:`,
    )
  }

  take(window: ByteWindow, target: RowTarget, maxRows: number, final: boolean): number {
    const { buffer, start } = window
    const found = this.#find(window, target, maxRows, final)
    if (found.length === 0) return 0
    const valid = isUtf8(buffer.subarray(start, window.start))
    const quoted = splitQuoted(buffer, found, this.#delimiter)
    found.forEach((row, index) => {
      const raw = buffer.subarray(row.start, row.end)
      const tooLong = raw.length > maxRecordSizeBytes ? overlong : ''
      const reason = row.malformed || tooLong || (valid || isUtf8(raw) ? '' : notUtf8)
      if (reason !== '') {
        addUnreadable(target, row.line, raw, reason)
        return
      }
      const fields = row.quoted ? quoted[index] : raw.toString().split(this.#delimiter)
      this.#append(target, row.line, raw, fields)
    })
    return found.length
  }

  /** Moves the window over whole records and says where they were. */
  #find(window: ByteWindow, target: RowTarget, maxRows: number, final: boolean): Found[] {
    const frame = this.#frame
    const found: Found[] = []
    const from = window.start
    while (found.length < maxRows && window.start - from < batchSizeBytes) {
      const { start } = window
      if (!frame.find(window.buffer, start, window.end, final)) break
      if (frame.end > start) {
        const { end, quoted, malformed } = frame
        found.push({ start, end, line: target.line, quoted, malformed })
      }
      target.line += frame.newlines
      window.start = frame.next
    }
    return found
  }

  #append(target: RowTarget, line: number, raw: Buffer, fields: readonly string[] | undefined) {
    const openings = this.#openings
    if (fields === undefined) return addUnreadable(target, line, raw, 'its quotes do not match')
    if (fields.length !== openings.length) {
      const reason = `it has ${count(fields.length)}, not ${openings.length} as the columns say`
      return addUnreadable(target, line, raw, reason)
    }
    if (target.takeFields !== undefined) return target.takeFields(line, fields)
    let value = ''
    for (let index = 0; index < openings.length; index++) {
      value += openings[index]! + JSON.stringify(fields[index])
    }
    target.builder.append(null, `${value}}`, target.timeMs, target.id.ofNumber(line))
  }
}

function count(fields: number): string {
  return fields === 1 ? '1 field' : `${fields} fields`
}

/** How records of a delimited file end. */
export function frameOf(settings: Pick<Delimited, 'delimiter' | 'quotes'>): Frame {
  return settings.quotes ? new QuotedFrame(settings.delimiter.charCodeAt(0)) : new LineFrame()
}
