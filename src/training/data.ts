/**
 * Reads labelled data from any file a user has: CSV, TSV, NDJSON and Parquet, gzipped or not, a
 * folder of texts, files of lines. `readLabelled` for learning, which needs all of it in memory;
 * `readRows` and `readRowBatches` for files larger than that.
 */
import {
  checkColumn,
  fieldOf,
  labelOf,
  type TextColumns,
  textColumns,
  textOf,
} from './data-columns.ts'
import { type Fingerprint, fingerprintOf } from './data-fingerprint.ts'
import { openData } from './data-open.ts'
import {
  cut,
  type DataOptions,
  type DataSource,
  invalid,
  type Row,
  type RowReader,
} from './data-rows.ts'
import { knownTimes, TimeColumn } from './data-times.ts'

export interface LabelledOptions extends DataOptions {
  /** Default: 'text', as folders and files of lines call it. */
  readonly text?: TextColumns | undefined
  /** Default: 'label'. */
  readonly label?: string | undefined
  /** Column that tells when a row came. */
  readonly time?: string | undefined
  /** What to do with rows that have no label. Default: refuse. */
  readonly unlabelled?: 'refuse' | 'skip' | undefined
  /** What to do with rows whose text is missing or no text. Default: refuse. */
  readonly textless?: 'refuse' | 'skip' | undefined
}

export interface LabelledRows {
  readonly texts: readonly string[]
  /** Numbers and booleans as their strings. */
  readonly labels: readonly string[]
  /** By row, milliseconds since 1970; only where a time column was named. */
  readonly timesMs?: Float64Array
  readonly fingerprint: Fingerprint
  /** Rows that were passed over because the options say so. */
  readonly skipped: { readonly unlabelled: number; readonly textless: number }
  /** What a person should know of how the rows were read, a sentence each. */
  readonly notes: readonly string[]
}

/** All rows one by one, memory bounded. See `openData` for what it throws. */
export async function* readRows(source: DataSource, options?: DataOptions): AsyncGenerator<Row> {
  for await (const rows of readRowBatches(source, options)) yield* rows
}

/** All rows, up to about 1,000 at a time; `select`: the columns wanted, others may be left out. */
export async function* readRowBatches(
  source: DataSource,
  { select, ...options }: DataOptions & { readonly select?: readonly string[] } = {},
): AsyncGenerator<readonly Row[]> {
  const reader = await openData(source, options)
  try {
    for (const column of select ?? []) checkColumn(reader, column)
    yield* reader.batches(select)
  } finally {
    await reader.close()
  }
}

/**
 * All texts with their labels, and what tells this data from other data. Throws
 * `TRAINING_DATA_INVALID`, naming the first rows and how many there are, for rows without a label or
 * a text, times that cannot be read, columns that are not there; and what `openData` throws.
 */
export async function readLabelled(
  source: DataSource,
  options: LabelledOptions = {},
): Promise<LabelledRows> {
  const reader = await openData(source, options)
  try {
    const rows = new Collected(reader, options)
    for await (const batch of reader.batches(rows.columns)) for (const row of batch) rows.add(row)
    rows.check()
    const fingerprint = fingerprintOf(await reader.storedFiles(), rows.count)
    const { texts, labels, skipped } = rows
    const { timesMs, notes } = rows.finishTimes()
    const empty = texts.reduce((count, text) => (text === '' ? count + 1 : count), 0)
    if (empty > 0) notes.push(`texts that are empty: ${empty}`)
    const read = { texts, labels, fingerprint, skipped, notes: [...reader.notes(), ...notes] }
    return timesMs === undefined ? read : { ...read, timesMs }
  } finally {
    await reader.close()
  }
}

/** Rows of one kind of trouble: how many, and where the first ones are. */
class Trouble {
  count = 0
  readonly #first: string[] = []

  /** `name` is that of the data, which need not be said again of each row. */
  add(name: string, { where }: Row, seen?: unknown): void {
    this.count++
    if (this.#first.length === 5) return
    const own = where.startsWith(name) ? where.slice(name.length) : where
    const place = own.replace(/^:/, 'line ').replace(/^[ /]/, '')
    this.#first.push(seen === undefined ? place : `${place}: ${show(seen)}`)
  }

  /** Throws if there are any. `what` is said of the rows, `advice` of what to do. */
  refuse(name: string, rows: number, what: string, advice: string): void {
    if (this.count === 0) return
    const more = this.count > this.#first.length ? ', ...' : ''
    throw invalid(
      `${this.count} of ${rows} rows of '${name}' ${what} (${this.#first.join(', ')}${more}); ${advice}`,
    )
  }
}

class Collected {
  readonly texts: string[] = []
  readonly labels: string[] = []
  /** All columns that are read. */
  readonly columns: readonly string[]
  count = 0
  readonly #name: string
  readonly #options: LabelledOptions
  readonly #text: readonly string[]
  readonly #label: string
  readonly #times: TimeColumn | undefined
  readonly #unlabelled = new Trouble()
  readonly #oddLabels = new Trouble()
  readonly #textless = new Trouble()
  readonly #timeless = new Trouble()

  constructor(reader: RowReader, options: LabelledOptions) {
    const { text = 'text', label = 'label', time } = options
    this.#name = reader.name
    this.#options = options
    this.#text = textColumns(reader, text)
    this.#label = label
    checkColumn(reader, label)
    if (time !== undefined) checkColumn(reader, time)
    this.#times = time === undefined ? undefined : new TimeColumn()
    this.columns = [...new Set([...this.#text, label, ...(time === undefined ? [] : [time])])]
  }

  get skipped() {
    return { unlabelled: this.#unlabelled.count, textless: this.#textless.count }
  }

  add(row: Row): void {
    this.count++
    const found = fieldOf(row, this.#label)
    const label = labelOf(found)
    const text = textOf(row, this.#text)
    const { time } = this.#options
    const name = this.#name
    if (label === undefined) this.#oddLabels.add(name, row, found)
    else if (label === '') this.#unlabelled.add(name, row)
    else if (text === undefined) this.#textless.add(name, row)
    else if (time !== undefined && !this.#times!.add(fieldOf(row, time))) {
      this.#timeless.add(name, row, fieldOf(row, time))
    } else {
      this.texts.push(text)
      this.labels.push(label)
    }
  }

  /** Throws for the first kind of trouble that the options do not let pass. */
  check(): void {
    const name = this.#name
    const { count } = this
    const { unlabelled = 'refuse', textless = 'refuse', time } = this.#options
    if (count === 0) throw invalid(`'${name}' holds no rows`)
    const wrongLabel = `have in '${this.#label}' what cannot be a label`
    this.#oddLabels.refuse(name, count, wrongLabel, 'a label is a string, a number or a boolean')
    if (unlabelled === 'refuse') {
      const advice = "label them, or set unlabelled to 'skip'"
      this.#unlabelled.refuse(name, count, `have no label in '${this.#label}'`, advice)
    }
    if (textless === 'refuse') {
      const advice = "correct them, or set textless to 'skip'"
      this.#textless.refuse(name, count, `have no text in '${this.#text.join(',')}'`, advice)
    }
    const wrongTime = `have no time in '${time}' that can be read`
    this.#timeless.refuse(name, count, wrongTime, `known are ${knownTimes}`)
    if (this.#times?.isMixed) {
      throw invalid(`'${name}' has numbers and dates mixed in '${time}'; write all in one way`)
    }
    if (this.texts.length > 0) return
    const { unlabelled: without, textless: silent } = this.skipped
    throw invalid(
      `'${name}' holds no row with text and label: of ${count}, ${without} have no label and ${silent} no text`,
    )
  }

  finishTimes(): { timesMs: Float64Array | undefined; notes: string[] } {
    return this.#times?.finish() ?? { timesMs: undefined, notes: [] }
  }
}

function show(value: unknown): string {
  if (typeof value === 'string') return `'${cut(value, 40)}'`
  return cut(
    JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? String(part) : part)) ??
      String(value),
    40,
  )
}
