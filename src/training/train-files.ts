/**
 * Training from files: reads them, keeps the test rows apart, trains and says what came of it. The
 * recipe is plain data, so that a version can be trained again and compared byte for byte.
 */
import { fail } from '../core/errors.ts'
import { type LabelledOptions, type LabelledRows, readLabelled } from './data.ts'
import type { DataSource } from './data-rows.ts'
import { byTime, holdout } from './data-split.ts'
import { type LabelledTexts, selectLabelled } from './labelled.ts'
import { type TextTraining, type TrainingSettings, trainText } from './train-text.ts'
import { type Trained, trainedOf } from './training-facts.ts'

/** Where rows are and how to read them, as plain data. */
export interface FileRecipe {
  readonly kind: 'files'
  readonly data: DataSource
  readonly reading: Omit<LabelledOptions, 'onUnreadable'>
  /** The rows to evaluate on; null: a part of the data. */
  readonly test: DataSource | null
  /** The share of the data to evaluate on, where there are no test rows; 0: none. */
  readonly holdout: number
  readonly settings: TrainingSettings
}

export interface FileTraining extends TextTraining {
  readonly trained: Trained
  readonly trainRows: number
  readonly testRows: number
}

const maxNamedFiles = 16

/** Throws `TRAINING_DATA_INVALID`, `TRAINING_INVALID` and `OPTIONS_INVALID`. */
export async function trainFiles(
  recipe: FileRecipe,
  progress: (line: string) => void = () => {},
): Promise<FileTraining> {
  const { data, reading, settings } = recipe
  progress(`reading ${nameOf(data)}`)
  const rows = await readLabelled(data, reading)
  tellNotes(rows, progress)
  const { train, test, testData } = await splitOf(recipe, rows, progress)
  const result = trainText(train, test, settings, progress)
  const fingerprint = { train: shortFingerprint(rows), ...testData }
  return {
    ...result,
    trained: trainedOf(result, settings, fingerprint, { ...recipe }),
    trainRows: train.texts.length,
    testRows: test?.texts.length ?? 0,
  }
}

interface SplitRows {
  readonly train: LabelledTexts
  readonly test: LabelledTexts | undefined
  /** What the test rows are, for the registry. */
  readonly testData: Readonly<Record<string, unknown>>
}

async function splitOf(
  { test, holdout: share, reading, settings }: FileRecipe,
  rows: LabelledRows,
  progress: (line: string) => void,
): Promise<SplitRows> {
  if (test !== null) {
    progress(`reading ${nameOf(test)}`)
    const testRows = await readLabelled(test, reading)
    tellNotes(testRows, progress)
    return { train: rows, test: testRows, testData: { test: shortFingerprint(testRows) } }
  }
  if (share === 0) return { train: rows, test: undefined, testData: {} }
  if (!(share > 0 && share < 1)) {
    throw fail('OPTIONS_INVALID', `training: holdout is ${share}; give a share from 0 to below 1`)
  }
  if (rows.timesMs !== undefined) {
    const parts = byTime(rows.timesMs, share)
    return {
      train: selectLabelled(rows, parts.train),
      test: selectLabelled(rows, parts.test),
      testData: { test: { split: 'by-time', share } },
    }
  }
  const parts = holdout(rows.labels, share, settings.seed ?? 0)
  return {
    train: selectLabelled(rows, parts.train),
    test: selectLabelled(rows, parts.test),
    testData: { test: { split: 'holdout', share, seed: settings.seed ?? 0 } },
  }
}

/** Of a folder the hash of all its files tells as much as thousands of them. */
function shortFingerprint({ fingerprint }: LabelledRows): Readonly<Record<string, unknown>> {
  const { files, ...all } = fingerprint
  if (files.length <= maxNamedFiles) return { ...fingerprint }
  const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0)
  return { ...all, fileCount: files.length, sizeBytes }
}

function tellNotes({ notes, skipped }: LabelledRows, progress: (line: string) => void): void {
  for (const note of notes) progress(note)
  if (skipped.unlabelled > 0) progress(`rows passed over without a label: ${skipped.unlabelled}`)
  if (skipped.textless > 0) progress(`rows passed over without a text: ${skipped.textless}`)
}

function nameOf(source: DataSource): string {
  return typeof source === 'string' ? source : source.textFile
}
