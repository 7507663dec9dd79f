/**
 * Training from files: reads them, keeps the test rows apart, trains and says what came of it. The
 * recipe is plain data, so that a version can be trained again and compared byte for byte.
 */
import { resolve } from 'node:path'
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

/**
 * Trains as a recipe says. The recipe that is kept has absolute paths, so that it is the same from
 * another directory. Throws `TRAINING_DATA_INVALID`, `TRAINING_INVALID` and `OPTIONS_INVALID`.
 */
export async function trainFiles(
  recipe: FileRecipe,
  progress: (line: string) => void = () => {},
): Promise<FileTraining> {
  const { data, test: testSource, reading, settings } = recipe
  progress(`reading ${nameOf(data)}`)
  const rows = await readLabelled(data, reading)
  const { train, test, testData, notes } = await splitOf(recipe, rows, progress)
  const learnt = trainText(train, test, settings, progress)
  const result = { ...learnt, warnings: [...notesOf(rows), ...notes, ...learnt.warnings] }
  const fingerprint = { train: shortFingerprint(rows), ...testData }
  const kept: FileRecipe = {
    ...recipe,
    data: absolute(data),
    test: testSource === null ? null : absolute(testSource),
  }
  return {
    ...result,
    trained: trainedOf(result, settings, fingerprint, { ...kept }),
    trainRows: train.texts.length,
    testRows: test?.texts.length ?? 0,
  }
}

/** The paths that a source names. */
export function pathsOf(source: DataSource): readonly string[] {
  if (typeof source === 'string') return [source]
  const { textFile, labelFile } = source
  return labelFile === undefined ? [textFile] : [textFile, labelFile]
}

function absolute(source: DataSource): DataSource {
  if (typeof source === 'string') return resolve(source)
  const { textFile, labelFile } = source
  return labelFile === undefined
    ? { textFile: resolve(textFile) }
    : { textFile: resolve(textFile), labelFile: resolve(labelFile) }
}

interface SplitRows {
  readonly train: LabelledTexts
  readonly test: LabelledTexts | undefined
  /** What the test rows are, for the registry. */
  readonly testData: Readonly<Record<string, unknown>>
  /** What a person should know of how the test rows were read. */
  readonly notes: readonly string[]
}

async function splitOf(
  { test, holdout: share, reading, settings }: FileRecipe,
  rows: LabelledRows,
  progress: (line: string) => void,
): Promise<SplitRows> {
  if (test !== null) {
    progress(`reading ${nameOf(test)}`)
    const testRows = await readLabelled(test, reading)
    const testData = { test: shortFingerprint(testRows) }
    return { train: rows, test: testRows, testData, notes: notesOf(testRows) }
  }
  if (share === 0) return { train: rows, test: undefined, testData: {}, notes: [] }
  if (!(share > 0 && share < 1)) {
    throw fail('OPTIONS_INVALID', `training: holdout is ${share}; give a share from 0 to below 1`)
  }
  if (rows.timesMs !== undefined) {
    const parts = byTime(rows.timesMs, share)
    return {
      train: selectLabelled(rows, parts.train),
      test: selectLabelled(rows, parts.test),
      testData: { test: { split: 'by-time', share } },
      notes: [],
    }
  }
  const parts = holdout(rows.labels, share, settings.seed ?? 0)
  return {
    train: selectLabelled(rows, parts.train),
    test: selectLabelled(rows, parts.test),
    testData: { test: { split: 'holdout', share, seed: settings.seed ?? 0 } },
    notes: [],
  }
}

/** Of a folder the hash of all its files tells as much as thousands of them. */
function shortFingerprint({ fingerprint }: LabelledRows): Readonly<Record<string, unknown>> {
  const { files, ...all } = fingerprint
  if (files.length <= maxNamedFiles) return { ...fingerprint }
  const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0)
  return { ...all, fileCount: files.length, sizeBytes }
}

/** What a person should know of how rows were read, a sentence each. */
export function notesOf({ notes, skipped }: LabelledRows): string[] {
  const { unlabelled, textless } = skipped
  return [
    ...notes,
    ...(unlabelled > 0 ? [`rows passed over without a label: ${unlabelled}`] : []),
    ...(textless > 0 ? [`rows passed over without a text: ${textless}`] : []),
  ]
}

function nameOf(source: DataSource): string {
  return typeof source === 'string' ? source : source.textFile
}
