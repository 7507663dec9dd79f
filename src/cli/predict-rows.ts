/** The rows that `millrace predict` answers: of a file, a folder or stdin, a batch at a time. */
import type { RegisteredVersion } from '../registry/entries.ts'
import { checkColumn, textColumns, textOf } from '../training/data-columns.ts'
import { openData } from '../training/data-open.ts'
import type { Row, RowReader } from '../training/data-rows.ts'
import { dataSourceOf, readingOf, type TextFlags } from './data-flags.ts'
import { textColumnOf } from './model-data.ts'
import { type KeptColumn, keptOf, type TextRow } from './predict-line.ts'
import { type InputStream, openStdin } from './predict-stdin.ts'

/** Rows that came together, in their order. */
export interface TextBatch {
  readonly rows: readonly TextRow[]
  /** Those among them that have no text. */
  readonly textless: readonly { readonly row: number; readonly where: string }[]
}

export interface PredictRows {
  /** For messages. */
  readonly textColumns: string
  /** True where a person types them. */
  readonly isTyped: boolean
  /** Rows that were not given on: how many, and what is wrong with the first ones. */
  readonly skipped: { readonly count: number; readonly first: readonly string[] }
  batches(): AsyncGenerator<TextBatch>
  /** How much of the file was read, from 0 to 1; undefined where that is not known. */
  shareRead(): number | undefined
  /** What a person should know of how the rows were read; after the last one. */
  notes(): readonly string[]
  close(): Promise<void>
}

export interface RowFlags extends TextFlags {
  readonly skipErrors: boolean
}

/** Throws `TRAINING_DATA_INVALID` and `OPTIONS_INVALID` for what cannot be read. */
export async function openRows(
  version: RegisteredVersion,
  flags: RowFlags,
  kept: readonly KeptColumn[],
  input: () => InputStream,
): Promise<PredictRows> {
  const skipped = { count: 0, first: [] as string[] }
  const skip = (reason: string) => {
    skipped.count++
    if (skipped.first.length < 3) skipped.first.push(reason)
  }
  const onUnreadable = flags.skipErrors ? skip : undefined
  const isStdin = (flags.data ?? flags.textFile) === undefined
  const stream = isStdin ? input() : undefined
  const { reader, given } =
    stream === undefined
      ? await openFile(flags, onUnreadable)
      : { reader: openStdin(stream, flags, onUnreadable), given: flags.text }
  try {
    const names = textColumns(reader, textColumnOf(version, given, reader.columns))
    for (const { column } of kept) checkColumn(reader, column)
    const select = [...new Set([...names, ...kept.map(({ column }) => column)])]
    return {
      textColumns: names.join(','),
      isTyped: stream?.isTTY === true,
      skipped,
      batches: () => readTexts(reader, names, kept, select, flags.skipErrors ? skip : undefined),
      shareRead: () => reader.shareRead?.(),
      notes: () => reader.notes(),
      close: () => reader.close(),
    }
  } catch (error) {
    await reader.close()
    throw error
  }
}

async function openFile(flags: RowFlags, onUnreadable: ((reason: string) => void) | undefined) {
  const {
    text: given,
    label: _,
    unlabelled: __,
    textless: ___,
    ...options
  } = readingOf({
    ...flags,
    skipUnlabelled: false,
  })
  return { reader: await openData(dataSourceOf(flags), { ...options, onUnreadable }), given }
}

async function* readTexts(
  reader: RowReader,
  names: readonly string[],
  kept: readonly KeptColumn[],
  select: readonly string[],
  skip: ((reason: string) => void) | undefined,
): AsyncGenerator<TextBatch> {
  let number = 0
  for await (const batch of reader.batches(select)) {
    const rows: TextRow[] = []
    const textless: { row: number; where: string }[] = []
    for (const row of batch) {
      number++
      const text = readText(row, names, skip !== undefined)
      if (text !== undefined) {
        rows.push({ row: number, text, kept: keptOf(row.values, kept, row.where) })
      } else if (skip === undefined) textless.push({ row: number, where: row.where })
      else skip(`${row.where} has no text in '${names.join(',')}'`)
    }
    yield { rows, textless }
  }
}

/** Leniently a field that is not there is a text that is not there. */
function readText(row: Row, names: readonly string[], lenient: boolean): string | undefined {
  if (lenient && !names.every((name) => Object.hasOwn(row.values, name))) return undefined
  return textOf(row, names)
}
