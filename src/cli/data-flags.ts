/** The flags that say where labelled data is and how to read it: of train, evaluate and predict. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { fail } from '../core/errors.ts'
import type { Encoding } from '../sources/files-bytes.ts'
import type { LabelledOptions } from '../training/data.ts'
import { type DataFormat, type DataSource, dataFormats } from '../training/data-rows.ts'

export interface DataFlags {
  readonly data?: string
  readonly textFile?: string
  readonly labelFile?: string
  readonly text?: string
  readonly label?: string
  readonly columns?: readonly string[]
  readonly format?: DataFormat
  readonly delimiter?: string
  readonly encoding?: Encoding | 'latin-1'
  readonly skipUnlabelled: boolean
}

/** Adds the flags to a command. */
export function withDataFlags(command: Command): Command {
  return command
    .option(
      '--data <path>',
      'CSV, TSV, NDJSON or Parquet file (also .gz), or a folder laid out LABEL/FILE',
    )
    .option('--text-file <path>', 'instead of --data: a text a line')
    .option('--label-file <path>', 'the label of each line of --text-file')
    .option('--text <columns>', "column with the text; several, as 'title,body', are joined")
    .option('--label <column>', 'column with the label')
    .option('--columns <names>', 'names of the columns where there is no header line', parseNames)
    .addOption(new Option('--format <format>', 'what the file holds').choices(dataFormats))
    .option('--delimiter <character>', 'what stands between two fields')
    .addOption(
      new Option('--encoding <encoding>', 'how characters are written').choices([
        'utf-8',
        'utf-16le',
        'windows-1252',
        'latin-1',
      ]),
    )
    .option('--skip-unlabelled', 'pass over rows without label or text', false)
}

/** Throws `OPTIONS_INVALID` unless exactly one is named. */
export function dataSourceOf({ data, textFile, labelFile }: DataFlags): DataSource {
  if (data !== undefined && textFile === undefined) return data
  if (data === undefined && textFile !== undefined) return { textFile, labelFile }
  throw fail(
    'OPTIONS_INVALID',
    data === undefined
      ? 'no data: give --data FILE, or --text-file FILE with --label-file FILE'
      : '--data and --text-file are both given; give one of them',
  )
}

/** How to read it, as plain data. */
export function readingOf(flags: DataFlags, time?: string): LabelledOptions {
  const { text, label, columns, format, delimiter, encoding, skipUnlabelled } = flags
  const skip = skipUnlabelled ? 'skip' : undefined
  const options: LabelledOptions = {
    text: text?.split(',').map((name) => name.trim()),
    label,
    columns,
    format,
    delimiter,
    encoding,
    time,
    unlabelled: skip,
    textless: skip,
  }
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given) as LabelledOptions
}

/** Names separated by commas. */
export function parseNames(text: string): readonly string[] {
  return text.split(',').map((name) => name.trim())
}

/** A number from `least` to `most`. */
export function parseNumber(least: number, most = Number.POSITIVE_INFINITY) {
  return (text: string): number => {
    const value = text.trim() === '' ? Number.NaN : Number(text)
    if (value >= least && value <= most) return value
    const range = Number.isFinite(most) ? `from ${least} to ${most}` : `from ${least}`
    throw new InvalidArgumentError(`a number ${range} is needed.`)
  }
}

export function parseCount(text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= 0 && text.trim() !== '') return value
  throw new InvalidArgumentError('a whole number from 0 is needed.')
}
