/** Labelled texts in memory: what training learns from and evaluation asks. */
import { createHash } from 'node:crypto'
import { rowsAt } from './data-split.ts'

export interface LabelledTexts {
  readonly texts: readonly string[]
  readonly labels: readonly string[]
  /** Where rows have a time: milliseconds since 1970, by row. */
  readonly timesMs?: Float64Array | undefined
}

/** The named rows, in that order. */
export function selectLabelled(data: LabelledTexts, rows: Int32Array): LabelledTexts {
  const { timesMs } = data
  return {
    texts: rowsAt(data.texts, rows),
    labels: rowsAt(data.labels, rows),
    timesMs: timesMs && Float64Array.from(rows, (row) => timesMs[row]!),
  }
}

/** What tells rows from other rows, where there is no file whose bytes do: SHA-256 of all of them. */
export function fingerprintOfTexts({ texts, labels, timesMs }: LabelledTexts): {
  readonly rows: number
  readonly sha256: string
} {
  const hash = createHash('sha256')
  for (let row = 0; row < texts.length; row++) {
    hash.update(`${JSON.stringify([labels[row], texts[row], timesMs?.[row] ?? null])}\n`)
  }
  return { rows: texts.length, sha256: hash.digest('hex') }
}
