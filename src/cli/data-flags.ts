/** The flags that say where data is and how to read it: of train, evaluate and predict. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { fail } from '../core/errors.ts'
import { type Encoding, encodings } from '../sources/files-bytes.ts'
import type { LabelledOptions } from '../training/data.ts'
import { type DataFormat, type DataSource, dataFormats } from '../training/data-rows.ts'

/** Where texts are and how to read them. */
export interface TextFlags {
  readonly data?: string
  readonly textFile?: string
  readonly text?: string
  readonly columns?: readonly string[]
  readonly format?: DataFormat
  readonly delimiter?: string
  readonly encoding?: Encoding | 'latin-1'
}

export interface DataFlags extends TextFlags {
  readonly labelFile?: string
  readonly label?: string
  readonly skipUnlabelled: boolean
}

/** Adds the flags of labelled data to a command. */
export function withDataFlags(command: Command): Command {
  return withTextFlags(command)
    .option('--label-file <path>', 'the label of each line of --text-file')
    .option('--label <column>', 'column with the label (default: label)')
    .option('--skip-unlabelled', 'pass over rows without label or text', false)
}

/** Adds the flags of data whose labels do not matter. */
export function withTextFlags(command: Command): Command {
  return command
    .option(
      '--data <path>',
      'CSV, TSV, NDJSON or Parquet file, a text a line (.txt), all also .gz; or a folder LABEL/FILE',
    )
    .option('--text-file <path>', 'instead of --data: a text a line, whatever its name')
    .option(
      '--text <columns>',
      "column with the text (default: text); several, as 'title,body', are joined",
    )
    .option('--columns <names>', 'names of the columns where there is no header line', parseNames)
    .addOption(new Option('--format <format>', 'what the file holds').choices(dataFormats))
    .option(
      '--delimiter <character>',
      "what stands between two fields, '\\t' for a tab",
      parseDelimiter,
    )
    .addOption(
      new Option('--encoding <encoding>', 'how characters are written').choices([
        ...encodings,
        'latin-1',
      ]),
    )
}

/** Throws `OPTIONS_INVALID` unless exactly one is named. */
export function dataSourceOf({
  data,
  textFile,
  labelFile,
}: TextFlags & Pick<DataFlags, 'labelFile'>): DataSource {
  if (data !== undefined && textFile === undefined) {
    if (labelFile === undefined) return data
    throw fail(
      'OPTIONS_INVALID',
      '--label-file belongs to --text-file; with --data it means nothing',
    )
  }
  if (data === undefined && textFile !== undefined) return definedOf({ textFile, labelFile })
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
    // As it was typed: only the data tells whether a comma is of a column's name.
    text,
    label,
    columns,
    format,
    delimiter,
    encoding,
    time,
    unlabelled: skip,
    textless: skip,
  }
  return definedOf(options)
}

/** What is not undefined, so that it can be compared, kept as JSON and spread over defaults. */
export function definedOf<Value extends object>(value: Value): Value {
  const entries = Object.entries(value).filter(([, one]) => one !== undefined)
  return Object.fromEntries(entries) as Value
}

function parseDelimiter(text: string): string {
  if (text === '\\t') return '\t'
  if (text !== '') return text
  throw new InvalidArgumentError('a character is needed.')
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
