/**
 * One file that is being read: its window, its columns, and the number of the line it stands at.
 */
import { ByteWindow, type Encoding } from './files-bytes.ts'
import { type Format, isCompressed, unreadable } from './files-paths.ts'
import { splitQuoted } from './files-quoted.ts'
import {
  addUnreadable,
  DelimitedRows,
  frameOf,
  LineRows,
  maxRecordSizeBytes,
  overlong,
  type Rows,
  type RowTarget,
  rawSizeBytes,
} from './files-rows.ts'

export interface FileSettings {
  readonly format: Format
  readonly encoding: Encoding
  readonly delimiter: string
  readonly quotes: boolean
  /** Undefined: the first record of a delimited file names them. */
  readonly columns: readonly string[] | undefined
}

/** How far a file was read. */
export interface FileMark {
  readonly path: string
  readonly offset: number
  readonly checksum: number
  readonly line: number
  /** True when the last line was taken without its newline: nothing may be added to that line. */
  readonly torn?: boolean
}

export class OpenFile {
  readonly path: string
  readonly #settings: FileSettings
  #window: ByteWindow
  /** Undefined until the header is there. */
  #rows: Rows | undefined
  /** Undefined until the header is there, and for formats that have none. */
  #columns: readonly string[] | undefined
  #line = 1
  #torn = false
  /** The start of a record that is too long to hold, while its end is looked for. */
  #overlong: { readonly raw: Buffer; readonly line: number } | undefined

  private constructor(path: string, settings: FileSettings, window: ByteWindow) {
    this.path = path
    this.#settings = settings
    this.#window = window
    const { format, columns } = settings
    if (format === 'ndjson' || format === 'lines') this.#rows = new LineRows(format === 'lines')
    else if (columns !== undefined) {
      this.#columns = columns
      this.#rows = new DelimitedRows({ ...settings, columns })
    }
  }

  /** Opens a file at its start, or where an earlier one was left. */
  static async open(path: string, settings: FileSettings, mark?: FileMark): Promise<OpenFile> {
    const file = new OpenFile(path, settings, await ByteWindow.open(path, settings.encoding))
    if (mark === undefined) return file
    try {
      if (file.#rows === undefined) await file.#readHeader()
      await file.#moveTo(mark)
    } catch (error) {
      await file.close()
      throw error
    }
    return file
  }

  get mark(): FileMark {
    const { offset } = this.#window
    const mark = { path: this.path, offset, checksum: this.#window.checksum(), line: this.#line }
    return this.#torn ? { ...mark, torn: true } : mark
  }

  get inode(): number {
    return this.#window.inode
  }

  /** Size of the file as far as it was read. */
  get seenSizeBytes(): number {
    return this.#window.seenSizeBytes
  }

  /** True for a file whose growth is seen by reading on; others have to be opened again. */
  get growsInPlace(): boolean {
    return this.#window.growsInPlace
  }

  /** True for a gzip file that ended where a gzip stream ends. */
  get whole(): boolean {
    return isCompressed(this.path) && !this.#window.cut
  }

  /** True for a gzip file that ended in the middle of a gzip stream. */
  get cut(): boolean {
    return this.#window.cut
  }

  /** The columns of a delimited file, read now if need be; undefined: it has none, or no line. */
  async readColumns(): Promise<readonly string[] | undefined> {
    if (this.#rows === undefined) await this.#readHeader()
    return this.#columns
  }

  /** Moves up to `maxRows` records into the target; 0: `fill` first, or the end. */
  take(target: Omit<RowTarget, 'path' | 'line'>, maxRows: number, final: boolean): number {
    const window = this.#window
    const own: RowTarget = { ...target, path: this.path, line: this.#line }
    if (this.#overlong !== undefined) return this.#passOverlong(own, final)
    if (this.#rows === undefined && !this.#takeHeader(final)) return 0
    own.line = this.#line
    const rows = this.#rows!.take(window, own, maxRows, final)
    this.#line = own.line
    if (rows > 0 && final && window.sizeBytes === 0) this.#torn = !window.endsLine
    if (rows > 0 || final || window.sizeBytes <= maxRecordSizeBytes) return rows
    return this.#startOverlong(own)
  }

  /** Reads on; false at the end of what is there now. */
  fill(): Promise<boolean> {
    return this.#window.fill()
  }

  async close(): Promise<void> {
    await this.#window.close()
  }

  async #moveTo(mark: FileMark): Promise<void> {
    await this.#window.close()
    this.#window = await ByteWindow.open(this.path, this.#settings.encoding, mark)
    this.#line = mark.line
    this.#torn = mark.torn ?? false
    if (!this.#torn) return
    const window = this.#window
    if (window.sizeBytes === 0 && !(await window.fill())) return
    const next = window.buffer[window.start]
    if (next === 0x0a || next === 0x0d) return
    throw unreadable(
      `the last line of '${this.path}' (line ${mark.line}) was read before its end was written. Start over with --fresh, or use follow: true for files that grow`,
    )
  }

  async #readHeader(): Promise<void> {
    while (!this.#takeHeader(false)) {
      if (await this.#window.fill()) continue
      this.#takeHeader(true)
      return
    }
  }

  /** Takes the columns from the first record that is not empty; false: it is not there yet. */
  #takeHeader(final: boolean): boolean {
    const window = this.#window
    const frame = frameOf(this.#settings)
    while (frame.find(window.buffer, window.start, window.end, final)) {
      const { start, buffer } = window
      const { end, quoted, malformed } = frame
      window.start = frame.next
      this.#line += frame.newlines
      if (end === start) continue
      const found = { start, end, line: 1, quoted, malformed }
      const { delimiter } = this.#settings
      const columns = quoted
        ? splitQuoted(buffer, [found], delimiter)[0]
        : buffer.toString('utf8', start, end).split(delimiter)
      this.#setColumns(columns, malformed)
      return true
    }
    if (window.sizeBytes > maxRecordSizeBytes) this.#setColumns(undefined, 'it does not end')
    return false
  }

  #setColumns(columns: readonly string[] | undefined, malformed: string): void {
    if (columns === undefined) {
      throw unreadable(`'${this.path}': its first line is no header: ${malformed}`)
    }
    const twice = columns.find((column, index) => columns.indexOf(column) !== index)
    if (twice !== undefined) {
      throw unreadable(
        `'${this.path}': the header has the column '${twice}' twice; if its first line is no header, name the columns with 'columns'`,
      )
    }
    this.#columns = columns
    this.#rows = new DelimitedRows({ ...this.#settings, columns })
  }

  /** The record at the window's start is too long. Does its first line end, that alone is lost. */
  #startOverlong(target: RowTarget): number {
    const window = this.#window
    const raw = Buffer.from(window.buffer.subarray(window.start, window.start + rawSizeBytes))
    this.#overlong = { raw, line: this.#line }
    return this.#passOverlong(target, false)
  }

  #passOverlong(target: RowTarget, final: boolean): number {
    const window = this.#window
    const { raw, line } = this.#overlong!
    const newline = window.buffer.indexOf(0x0a, window.start)
    const found = newline >= 0 && newline < window.end
    window.start = found ? newline + 1 : window.end
    if (!found && !final) return 0
    const reason = `${overlong}, or opens a quote that is not closed within that`
    addUnreadable(target, line, raw, reason)
    this.#overlong = undefined
    if (found) this.#line++
    else this.#torn = true
    return 1
  }
}
