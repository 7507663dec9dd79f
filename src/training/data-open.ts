/** From what a user names (a file, a folder, two line files) to the reader of its rows. */
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { fail } from '../core/errors.ts'
import type { Encoding } from '../sources/files-bytes.ts'
import { guessFormat, isCompressed, missing } from '../sources/files-paths.ts'
import { openFolder } from './data-folder.ts'
import { openLines } from './data-lines.ts'
import { openParquet } from './data-parquet.ts'
import { openRecords } from './data-records.ts'
import {
  asTrainingData,
  type DataFormat,
  type DataOptions,
  type DataSource,
  dataFormats,
  invalid,
  type RowReader,
} from './data-rows.ts'
import { checkText } from './data-sniff.ts'

/**
 * Opens data to read its rows once. Throws `TRAINING_DATA_INVALID` for what is not there, is empty
 * or does not look like its format, `OPTIONS_INVALID` for options that do not fit it.
 */
export async function openData(source: DataSource, options: DataOptions = {}): Promise<RowReader> {
  if (typeof source !== 'string') {
    refuse(options, ['format', 'columns', 'delimiter', 'quotes'], 'files of lines')
    const encoding = fileEncoding(options)
    for (const path of [source.textFile, source.labelFile]) {
      if (path === undefined) continue
      if (await isFolder(path)) throw invalid(`'${path}' is a folder, not a file of lines`)
      await checkText(path, encoding)
    }
    return openLines(source, encoding)
  }
  if (await isFolder(source)) {
    refuse(options, ['format', 'columns', 'delimiter', 'quotes'], 'a folder')
    return openFolder(source, options)
  }
  const format = options.format ?? formatOf(source)
  if (format === 'parquet') {
    refuse(options, ['columns', 'delimiter', 'quotes', 'encoding'], 'Parquet')
    return openParquet(source)
  }
  const encoding = fileEncoding(options)
  await checkText(source, encoding)
  if (format === 'lines') {
    refuse(options, ['columns', 'delimiter', 'quotes'], 'files of lines')
    return openLines({ textFile: source }, encoding)
  }
  if (format === 'ndjson') refuse(options, ['columns', 'delimiter', 'quotes'], 'NDJSON')
  const delimiter = options.delimiter ?? (format === 'tsv' ? '\t' : ',')
  const quotes = options.quotes ?? format === 'csv'
  const settings = { format, encoding, delimiter, quotes, columns: options.columns }
  return openRecords(source, settings, options)
}

/** True for a folder, false for a file. Throws for what is neither, naming what is beside it. */
async function isFolder(path: string): Promise<boolean> {
  const about = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw invalid(`'${path}': ${error.message}`, error)
  })
  if (about === undefined) {
    return asTrainingData(async () => {
      throw await missing(path)
    })
  }
  if (about.isDirectory() || about.isFile()) return about.isDirectory()
  throw invalid(`'${path}' is neither a file nor a folder`)
}

function formatOf(path: string): DataFormat {
  const name = basename(path).toLowerCase()
  const bare = isCompressed(name) ? name.slice(0, -'.gz'.length) : name
  if (/\.(parquet|pq)$/.test(bare)) return 'parquet'
  const known = guessFormat(path)
  if (known !== undefined) return known
  throw fail(
    'OPTIONS_INVALID',
    `data: the name '${path}' does not tell what the file holds: set format to one of ${dataFormats.join(', ')}`,
  )
}

function fileEncoding({ encoding = 'utf-8' }: DataOptions): Encoding {
  if (encoding !== 'latin-1') return encoding
  throw fail(
    'OPTIONS_INVALID',
    "data: encoding 'latin-1' is for folders; for a file set 'windows-1252', which reads Latin-1",
  )
}

function refuse(options: DataOptions, names: readonly (keyof DataOptions)[], what: string): void {
  const given = names.find((name) => options[name] !== undefined)
  if (given === undefined) return
  throw fail('OPTIONS_INVALID', `data: option '${given}' means nothing for ${what}`)
}
