/** The words that all readers of data files share: what a row is, what a reader promises. */
import { codeOf, fail, messageOf } from '../core/errors.ts'
import type { Encoding } from '../sources/files-bytes.ts'

/**
 * Where data is: the path of a file or of a folder laid out GROUP/ID, or two files whose lines
 * belong together.
 */
export type DataSource = string | LineFiles

/** Line n of `labelFile` is the label of line n of `textFile`. Without labels: to predict. */
export interface LineFiles {
  readonly textFile: string
  readonly labelFile?: string | undefined
}

export const dataFormats = ['csv', 'tsv', 'ndjson', 'parquet', 'lines'] as const
export type DataFormat = (typeof dataFormats)[number]

export interface DataOptions {
  /** What a file holds. Default: by the extension (csv, tsv, ndjson, jsonl, parquet, txt), also before .gz. */
  readonly format?: DataFormat | undefined
  /** Names of the columns of CSV or TSV files that have no header line. */
  readonly columns?: readonly string[] | undefined
  /** What stands between two fields. Default: ',' for csv, a tab for tsv. */
  readonly delimiter?: string | undefined
  /** Whether a field may stand in double quotes. Default: true for csv, false for tsv. */
  readonly quotes?: boolean | undefined
  /**
   * How characters are written. Default: UTF-8; in a folder, by file, UTF-8 where it is valid and
   * Latin-1 where it is not. 'latin-1' is for folders; a single file takes 'windows-1252'.
   */
  readonly encoding?: Encoding | 'latin-1' | undefined
  /** Called with each row that cannot be read, instead of the error that ends the reading. */
  readonly onUnreadable?: ((reason: string) => void) | undefined
}

export interface Row {
  /** For people: `tweets.csv:17` (the line where it starts), `clicks.parquet row 17` (from 1). */
  readonly where: string
  /** By column: strings for CSV and TSV; what JSON or Parquet hold for the others. */
  readonly values: Readonly<Record<string, unknown>>
}

/** A file as it is stored (compressed, if it is), so that a later reader can tell it is the same. */
export interface StoredFile {
  /** The file's name, or its path within the folder. */
  readonly name: string
  readonly sha256: string
  readonly sizeBytes: number
}

/** Data that was opened; reads it once, from start to end. */
export interface RowReader {
  /** What error messages call it. */
  readonly name: string
  /** The columns in their order; undefined where every row has its own (NDJSON). */
  readonly columns: readonly string[] | undefined
  /**
   * All rows in the order of the file, a bounded number at a time. With `select` a row has these
   * columns at least. Leaving the loop early closes the file. Throws `TRAINING_DATA_INVALID`.
   */
  batches(select?: readonly string[]): AsyncGenerator<readonly Row[]>
  /**
   * After the last row: the files as they are stored. Throws `TRAINING_DATA_INVALID` when one was
   * changed since it was opened.
   */
  storedFiles(): Promise<readonly StoredFile[]>
  /** What a person should know of how the rows were read, a sentence each; after the last row. */
  notes(): readonly string[]
  /** How much was read so far, from 0 to 1; undefined where that is not known (gzip). */
  shareRead?(): number | undefined
  /** Gives back what opening took. Safe to call twice. */
  close(): Promise<void>
}

/** The error of data that cannot be used as it is. */
export function invalid(message: string, cause?: unknown): Error {
  return fail('TRAINING_DATA_INVALID', `data: ${message}`, { cause })
}

/** Runs what reads files with the source `files`, and lets its errors speak of training data. */
export async function asTrainingData<Result>(read: () => Promise<Result>): Promise<Result> {
  try {
    return await read()
  } catch (error) {
    if (codeOf(error) !== 'SOURCE_UNREADABLE') throw error
    throw invalid(messageOf(error).replace(/^source files: /, ''), error)
  }
}

/** What was seen, short enough for a message. */
export function cut(text: string, length = 80): string {
  return text.length <= length ? text : `${text.slice(0, length)}...`
}
