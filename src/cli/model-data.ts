/** Data that is put before a model: read as the model's own training data was, unless told otherwise. */
import type { RegisteredVersion } from '../registry/entries.ts'
import { type LabelledOptions, type LabelledRows, readLabelled } from '../training/data.ts'
import type { TextColumns } from '../training/data-columns.ts'
import { openData } from '../training/data-open.ts'
import type { DataOptions, DataSource } from '../training/data-rows.ts'
import { type DataFlags, dataSourceOf, definedOf, readingOf } from './data-flags.ts'

interface LearntColumns {
  readonly text?: TextColumns
  readonly label?: string
}

/** The columns that a version was trained on, where its recipe has them. */
function learntColumns({ recipe }: RegisteredVersion): LearntColumns {
  const { reading } = recipe as { readonly reading?: LearntColumns }
  return definedOf({ text: reading?.text, label: reading?.label })
}

/**
 * The column of the text: as `given`, else what the version learnt from where the data has it, else
 * 'text'. Rows of NDJSON have each their own columns, so there it is what was learnt from.
 */
export function textColumnOf(
  version: RegisteredVersion,
  given: TextColumns | undefined,
  columns: readonly string[] | undefined,
): TextColumns {
  const { text } = learntColumns(version)
  if (given !== undefined) return given
  return text !== undefined && hasAll(columns, text) ? text : 'text'
}

/** Labelled rows for one model or several, of which the first says how to read. */
export async function readRowsFor(
  version: RegisteredVersion,
  flags: DataFlags,
): Promise<LabelledRows> {
  const source = dataSourceOf(flags)
  const options = readingOf(flags)
  return readLabelled(source, { ...(await columnsFor(version, source, options)), ...options })
}

/** What the flags leave open, from what was learnt. */
async function columnsFor(
  version: RegisteredVersion,
  source: DataSource,
  { text, label, ...options }: LabelledOptions,
): Promise<LearntColumns> {
  const learnt = learntColumns(version)
  const open = {
    text: text === undefined ? learnt.text : undefined,
    label: label === undefined ? learnt.label : undefined,
  }
  if (open.text === undefined && open.label === undefined) return {}
  const columns = await columnsIn(source, options)
  return definedOf({
    text: open.text !== undefined && hasAll(columns, open.text) ? open.text : undefined,
    label: open.label !== undefined && hasAll(columns, [open.label]) ? open.label : undefined,
  })
}

async function columnsIn(source: DataSource, options: DataOptions) {
  const reader = await openData(source, options)
  await reader.close()
  return reader.columns
}

function hasAll(columns: readonly string[] | undefined, wanted: TextColumns): boolean {
  if (columns === undefined || (typeof wanted === 'string' && columns.includes(wanted))) return true
  const names = typeof wanted === 'string' ? wanted.split(',').map((name) => name.trim()) : wanted
  return names.every((name) => columns.includes(name))
}

/** What the rows were to the training of a version; undefined: nothing that is known. */
export function learntFrom(
  { data, ...version }: RegisteredVersion,
  { fingerprint }: LabelledRows,
): string | undefined {
  const { train, test } = data as Readonly<Record<string, { readonly sha256?: string } | undefined>>
  if (train?.sha256 !== fingerprint.sha256) return undefined
  const who = `${version.name} version ${version.number}`
  return test !== undefined && test.sha256 === undefined
    ? `${who} learnt from these rows, but for a part that was held back: the figures flatter`
    : `${who} learnt from these very rows: the figures flatter`
}
