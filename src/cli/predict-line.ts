/** One answer as a line of JSON, with the columns that were asked for beside it. */
import { fail, suggestion } from '../core/errors.ts'
import type { CompiledTextClassifier } from '../models/compiled-scorer.ts'
import { explain } from '../models/explain.ts'
import type { Classification } from '../models/model.ts'

/** A column of the data to copy into each answer, and what it is called there. */
export interface KeptColumn {
  readonly column: string
  readonly name: string
}

/** A row that has a text. */
export interface TextRow {
  /** From 1, among the rows that could be read. */
  readonly row: number
  readonly text: string
  /** By the name in the answer. */
  readonly kept: Readonly<Record<string, unknown>>
}

export interface LineSettings {
  readonly probabilities: boolean
  /** How many terms explain an answer; 0: it is not explained. */
  readonly terms: number
}

const own = ['row', 'label', 'score', 'probabilities', 'explanation']

/** Reads `id` and `label=truth`. Throws `OPTIONS_INVALID` for names that answers have already. */
export function parseKept(words: readonly string[]): readonly KeptColumn[] {
  const kept = words.map((word) => {
    const at = word.lastIndexOf('=')
    return at < 1
      ? { column: word, name: word }
      : { column: word.slice(0, at), name: word.slice(at + 1) }
  })
  const names = new Set(own)
  for (const { column, name } of kept) {
    if (name === '' || column === '') {
      throw fail('OPTIONS_INVALID', `--keep: a name is missing in '${words.join(',')}'`)
    }
    if (names.has(name)) {
      throw fail(
        'OPTIONS_INVALID',
        `--keep: an answer has a '${name}' already; rename the column, as in --keep ${column}=my_${name}`,
      )
    }
    names.add(name)
  }
  return kept
}

/** The columns of one row. Throws `TRAINING_DATA_INVALID` for one that it does not have. */
export function keptOf(
  values: Readonly<Record<string, unknown>>,
  kept: readonly KeptColumn[],
  where: string,
): Readonly<Record<string, unknown>> {
  const copies: Record<string, unknown> = {}
  for (const { column, name } of kept) {
    if (!Object.hasOwn(values, column)) {
      const near = suggestion(column, Object.keys(values))
      throw fail(
        'TRAINING_DATA_INVALID',
        `data: ${where} has no field '${column}' to keep${near === '' ? '' : `; ${near}`}`,
      )
    }
    copies[name] = values[column]
  }
  return copies
}

/** `probabilities` are those of this row, in the order of the model's labels. */
export function answerLine(
  classifier: CompiledTextClassifier,
  { row, text, kept }: TextRow,
  { label, score }: Classification,
  probabilities: Float64Array | undefined,
  { terms }: LineSettings,
): string {
  const answer: Record<string, unknown> = { row, ...kept, label, score }
  if (probabilities !== undefined) {
    answer.probabilities = Object.fromEntries(
      classifier.labels.map((one, index) => [one, probabilities[index]!]),
    )
  }
  if (terms > 0) answer.explanation = explanationOf(classifier, text, terms)
  return JSON.stringify(answer, plainValue)
}

/** Of an answer 'unknown' it explains the likeliest label. */
function explanationOf(classifier: CompiledTextClassifier, text: string, top: number) {
  const { label, intercept, terms, otherTerms } = explain(classifier, text, { top })
  const isUnion = classifier.blocks.length > 1
  const shown = isUnion ? terms : terms.map(({ term, contribution }) => ({ term, contribution }))
  return { label, intercept, terms: shown, otherTerms }
}

/** What Parquet holds and JSON does not. */
function plainValue(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') {
    return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  }
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value
}
