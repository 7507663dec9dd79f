/**
 * Training of a text classifier from rows at hand: chooses by cross-validation where asked, learns
 * from all training rows, and evaluates on the test rows, which nothing before has seen.
 */
import { fail, suggestion } from '../core/errors.ts'
import { evaluateClassifier } from '../evaluation/evaluate-classifier.ts'
import type { EvaluationReport } from '../evaluation/evaluation-report.ts'
import type { CleaningStep } from '../features/clean.ts'
import type { TfidfTransformerOptions } from '../features/tfidf-transformer.ts'
import type { CompiledTextClassifier } from '../models/compiled-scorer.ts'
import type { EstimatorName } from '../models/estimators.ts'
import type { TextClassifier } from '../models/model.ts'
import { type Choice, chooseCandidate } from './automatic.ts'
import { type AnswerSettings, type Candidate, candidateText, estimatorOf } from './candidate.ts'
import { type Fold, type Metric, metrics } from './cross-validation.ts'
import { duplicatesAcross, stratifiedFolds, timeFolds } from './data-split.ts'
import { featuresOf, type SharedVectorizerOptions } from './feature-words.ts'
import type { LabelledTexts } from './labelled.ts'

/** How to learn, as plain data: the same settings and rows give the same model. */
export interface TrainingSettings extends AnswerSettings {
  /** An estimator's name; 'auto', the default, chooses one by cross-validation. */
  readonly estimator?: EstimatorName | 'auto' | undefined
  /** Options of the estimator named: `{ alpha: 0.1 }`. */
  readonly options?: Readonly<Record<string, unknown>> | undefined
  /** As `word:1-2,char_wb:2-5`. Default: 'word:1-1', or chosen with 'auto'. */
  readonly features?: string | undefined
  /** What every vectoriser of the list gets. */
  readonly vectorizer?: SharedVectorizerOptions | undefined
  /** tf-idf, with its defaults for true. Default true. */
  readonly tfidf?: TfidfTransformerOptions | boolean | undefined
  readonly clean?: readonly CleaningStep[] | undefined
  /** What cross-validation compares by. Default 'macroF1'. */
  readonly metric?: Metric | undefined
  /**
   * Folds of cross-validation. Default 5, or 3 from 5,000 rows on; fewer where the commonest label
   * has not a row for each, or rows not as many different times.
   */
  readonly folds?: number | undefined
  /** Default 0. */
  readonly seed?: number | undefined
}

export interface TextTraining {
  readonly classifier: CompiledTextClassifier
  /** What was learnt with: the settings, or what was chosen. */
  readonly candidate: Candidate
  readonly choice: Choice | undefined
  /** On the test rows; undefined without any. */
  readonly report: EvaluationReport | undefined
  readonly warnings: readonly string[]
  /** Choosing and learning, without reading the rows and evaluating. */
  readonly seconds: number
}

/** Of an evaluation, rows times labels: 1 GiB of numbers. */
const maxProbabilities = 2 ** 27
const manyRows = 5000
/** In time order the first half is learnt from in every fold: from less, what is best is another. */
const triedShare = 0.5

/** Throws `TRAINING_INVALID` and `OPTIONS_INVALID`. */
export function trainText(
  train: LabelledTexts,
  test: LabelledTexts | undefined,
  settings: TrainingSettings,
  progress: (line: string) => void = () => {},
): TextTraining {
  const start = performance.now()
  checkSettings('training', settings)
  const { seed = 0 } = settings
  const choice =
    (settings.estimator ?? 'auto') === 'auto' ? choose(train, settings, progress) : undefined
  const candidate = choice?.best.candidate ?? candidateOf(settings)
  progress(`learning from ${train.texts.length} rows: ${candidateText(candidate)}`)
  if (test !== undefined) checkSize(new Set(train.labels).size, test)
  const classifier = estimatorOf(candidate, settings).fit(train.texts, train.labels, { seed })
  const seconds = (performance.now() - start) / 1000
  const report = test === undefined ? undefined : evaluateOn(classifier, test)
  const warnings = [
    ...(classifier.model.warnings ?? []),
    ...rareLabels(train.labels),
    ...leaks(train, test),
  ]
  return { classifier, candidate, choice, report, warnings, seconds }
}

const settingNames: Readonly<Record<keyof TrainingSettings, true>> = {
  estimator: true,
  options: true,
  features: true,
  vectorizer: true,
  tfidf: true,
  clean: true,
  calibrate: true,
  minConfidence: true,
  metric: true,
  folds: true,
  seed: true,
}

/** Throws `OPTIONS_INVALID` for a setting or a metric that there is not; `others` are known too. */
export function checkSettings(
  who: string,
  settings: TrainingSettings,
  others: readonly string[] = [],
): void {
  const known = [...others, ...Object.keys(settingNames)]
  const unknown = Object.keys(settings).find((name) => !known.includes(name))
  if (unknown !== undefined) {
    const hint = suggestion(unknown, known) || `known: ${known.join(', ')}`
    throw fail('OPTIONS_INVALID', `${who}: unknown option '${unknown}'; ${hint}`)
  }
  const { metric } = settings
  if (metric === undefined || metrics.includes(metric)) return
  throw fail('OPTIONS_INVALID', `${who}: metric is '${metric}'; known: ${metrics.join(', ')}`)
}

/**
 * How good a model's answers are on labelled rows. Throws `EVALUATION_INVALID` for more rows times
 * labels than fit in memory.
 */
export function evaluateOn(classifier: TextClassifier, rows: LabelledTexts): EvaluationReport {
  checkSize(classifier.labels.length, rows)
  return evaluateClassifier({
    truths: rows.labels,
    labels: classifier.labels,
    probabilities: classifier.predictProbabilities(rows.texts),
    predictions: classifier.predict(rows.texts).map(({ label }) => label),
  })
}

function checkSize(labels: number, { texts }: LabelledTexts): void {
  if (labels * texts.length <= maxProbabilities) return
  throw fail(
    'EVALUATION_INVALID',
    `evaluation: ${texts.length} rows times ${labels} labels are more probabilities than fit in memory; is the label column an id? Else evaluate on fewer rows`,
  )
}

function candidateOf(settings: TrainingSettings): Candidate {
  const { estimator = 'auto', options = {}, clean = [], tfidf = true } = settings
  if (estimator === 'auto') throw new Error('chosen before')
  const features = featuresOf(settings.features ?? 'word:1-1', settings.vectorizer)
  return { estimator, options, features, clean, tfidf }
}

function choose(
  train: LabelledTexts,
  settings: TrainingSettings,
  progress: (line: string) => void,
): Choice {
  const { options = {}, clean = [], metric = 'macroF1', seed = 0, tfidf } = settings
  const [named] = Object.keys(options)
  if (named !== undefined) {
    throw fail(
      'OPTIONS_INVALID',
      `training: '${named}' is an option of one estimator, but the estimator is 'auto'; name one`,
    )
  }
  const features =
    settings.features === undefined
      ? undefined
      : {
          clean,
          features: featuresOf(settings.features, settings.vectorizer),
          tfidf: tfidf ?? { sublinearTf: true },
        }
  const folds = foldsOf(train, settings)
  return chooseCandidate(train, folds, {
    clean,
    features,
    tfidf,
    shared: settings.vectorizer ?? {},
    metric,
    seed,
    progress,
  })
}

/** In time order where rows have a time: always learnt before what is asked about. */
function foldsOf(
  { labels, timesMs }: LabelledTexts,
  { folds, seed = 0 }: TrainingSettings,
): Fold[] {
  const usual = labels.length < manyRows ? 5 : 3
  const most = timesMs === undefined ? mostOfOne(labels) : new Set(timesMs).size - 1
  const count = folds ?? Math.max(2, Math.min(usual, most))
  return timesMs === undefined
    ? stratifiedFolds(labels, count, seed)
    : timeFolds(timesMs, count, triedShare)
}

function leaks(train: LabelledTexts, test: LabelledTexts | undefined): string[] {
  const duplicates = test === undefined ? 0 : duplicatesAcross(train.texts, test.texts)
  if (duplicates === 0) return []
  return [`texts of test rows that were also learnt from: ${duplicates}; the figures flatter`]
}

function countsOf(labels: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1)
  return counts
}

/** How many rows the commonest label has. */
function mostOfOne(labels: readonly string[]): number {
  return countsOf(labels)
    .values()
    .reduce((most, count) => Math.max(most, count), 0)
}

function rareLabels(labels: readonly string[]): string[] {
  const once = [...countsOf(labels)]
    .filter(([, count]) => count === 1)
    .map(([label]) => `'${label}'`)
  if (once.length === 0) return []
  const named = once.slice(0, 5).join(', ')
  const more = once.length > 5 ? ` and ${once.length - 5} more` : ''
  return [`one row alone has the label ${named}${more}: hardly anything can be learnt of it`]
}
