/** A version's recipe as the command line that would train it: the flags of `millrace train` backwards. */
import type { PlainObject } from '../registry/entries.ts'
import type { LabelledOptions } from '../training/data.ts'
import type { DataSource } from '../training/data-rows.ts'
import type { FileRecipe } from '../training/train-files.ts'
import type { TrainingSettings } from '../training/train-text.ts'

/** How an application's trainer is run again. */
export interface TrainerRecipe {
  readonly kind: 'trainer'
  /** Of the model, as the trainer declares it. */
  readonly name: string
  /** The application's file; a pipeline that trained it did not know. */
  readonly app?: string
}

/** A recipe that can be followed. */
export type KnownRecipe = FileRecipe | TrainerRecipe

/** Undefined: it says nothing, or what another Millrace wrote. */
export function knownRecipe(recipe: PlainObject): KnownRecipe | undefined {
  const { kind } = recipe
  if (kind === 'files' && typeof recipe.settings === 'object') {
    return recipe as unknown as FileRecipe
  }
  const isTrainer = kind === 'trainer' && typeof recipe.name === 'string'
  return isTrainer ? (recipe as unknown as TrainerRecipe) : undefined
}

/** One line that a shell can run; undefined where there is no recipe. */
export function recipeText(name: string, recipe: PlainObject): string | undefined {
  const known = knownRecipe(recipe)
  if (known === undefined) return undefined
  const words =
    known.kind === 'files' ? [name, ...recipeWords(known)] : [known.app ?? 'APP', known.name]
  return ['millrace', 'train', ...words].map(quoted).join(' ')
}

/** The flags that give this recipe. */
export function recipeWords({ data, reading, test, holdout, settings }: FileRecipe): string[] {
  return [
    ...sourceWords(data),
    ...readingWords(reading),
    ...(test === null ? [] : ['--test', typeof test === 'string' ? test : test.textFile]),
    // As much is held back unless it is said otherwise.
    ...(test === null && holdout !== defaultHoldout ? ['--holdout', String(holdout)] : []),
    ...settingWords(settings),
  ]
}

export const defaultHoldout = 0.2

function sourceWords(source: DataSource): string[] {
  if (typeof source === 'string') return ['--data', source]
  const { textFile, labelFile } = source
  return ['--text-file', textFile, ...valued('--label-file', labelFile)]
}

function readingWords(reading: LabelledOptions): string[] {
  const { text, label, columns, format, delimiter, encoding, time, unlabelled } = reading
  return [
    ...valued('--text', typeof text === 'string' ? text : text?.join(',')),
    ...valued('--label', label),
    ...valued('--columns', columns?.join(',')),
    ...valued('--format', format),
    ...valued('--delimiter', delimiter === '\t' ? '\\t' : delimiter),
    ...valued('--encoding', encoding),
    ...(unlabelled === 'skip' ? ['--skip-unlabelled'] : []),
    ...valued('--by-time', time),
  ]
}

function settingWords(settings: TrainingSettings): string[] {
  const { estimator = 'auto', options = {}, vectorizer = {}, tfidf, calibrate } = settings
  const { minDf, maxDf, maxFeatures, stopWords } = vectorizer
  return [
    ...(estimator === 'auto' ? [] : ['--estimator', estimator]),
    ...Object.entries(options).flatMap(([name, value]) => [
      '--option',
      `${name}=${valueText(value)}`,
    ]),
    ...valued('--features', settings.features),
    ...(tfidf === false ? ['--no-tfidf'] : []),
    ...(typeof tfidf === 'object' && tfidf.sublinearTf === true ? ['--sublinear'] : []),
    ...valued('--min-df', minDf),
    ...valued('--max-df', maxDf),
    ...valued('--max-features', maxFeatures),
    ...valued('--stop-words', typeof stopWords === 'string' ? stopWords : undefined),
    ...valued('--clean', settings.clean?.join(',')),
    ...valued('--calibrate', calibrate === null ? 'none' : calibrate),
    ...valued('--min-confidence', settings.minConfidence ?? undefined),
    ...valued('--metric', settings.metric),
    ...valued('--folds', settings.folds),
    ...valued('--seed', settings.seed === 0 ? undefined : settings.seed),
  ]
}

function valued(flag: string, value: unknown): string[] {
  return value === undefined ? [] : [flag, String(value)]
}

/** A word stays a word, unless it would be read as JSON. */
function valueText(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value)
  try {
    JSON.parse(value)
    return JSON.stringify(value)
  } catch {
    return value
  }
}

/** As a POSIX shell takes it for one word. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
